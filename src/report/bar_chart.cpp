#include <algorithm>

#include <ferplus/core/error.h>
#include <ferplus/core/text.h>

#include "report/charts.h"
#include "report/scale.h"

namespace ferplus::report {
namespace {

constexpr double kLabels = 76, kTags = 20, kFigures = 58;  // columns beside the bars
constexpr double kLeft = kLabels + kTags, kRight = kChartWidth - kFigures;
constexpr double kBar = 14, kPitch = 16, kGap = 10, kAxis = 22;
constexpr int kMostTicks = 5;

double largest(const BarChart& chart) {
  double most = 0;
  for (const auto& group : chart.groups) {
    for (const auto& bar : group.bars) {
      most = std::max(most, bar.interval ? bar.interval->high : bar.share.value_or(0));
    }
  }
  return most;
}

void draw_bar(Svg& svg, const BarChart& chart, const BarChart::Group& group, std::size_t number,
              double top, const Scale& x) {
  const BarChart::Bar& bar = group.bars[number];
  const double middle = top + kBar / 2;
  svg.text({kLeft - 5, middle + 4}, bar.tag, "end soft");
  svg.text({kChartWidth, middle + 4}, bar.share ? percent(*bar.share, 1) : "–", "end");
  if (!bar.share) return;
  std::string tooltip = concat(group.label, ", ", chart.names[number], ": ", percent(*bar.share));
  if (bar.interval) {
    tooltip += concat(" (", percent(bar.interval->low), " to ", percent(bar.interval->high), ")");
  }
  svg.rectangle({x.from, top}, x(*bar.share) - x.from, kBar, concat("bar b", number), tooltip);
  if (!bar.interval) return;
  const double low = x(bar.interval->low), high = x(bar.interval->high);
  for (const char* classes : {"whisker halo", "whisker"}) {
    svg.line({low, middle}, {high, middle}, classes);
    for (const double end : {low, high}) {
      svg.line({end, middle - 3.5}, {end, middle + 3.5}, classes);
    }
  }
}

}  // namespace

std::string bar_chart(const BarChart& chart) {
  const Ticks ticks = round_ticks(0, std::max(largest(chart), 0.01), kMostTicks);
  const Scale x{0, ticks.values.back(), kLeft, kRight};
  double height = kAxis;
  for (const auto& group : chart.groups) {
    height += kPitch * static_cast<double>(group.bars.size()) + kGap;
  }
  Svg svg(chart.id, kChartWidth, height, chart.title, chart.description);
  for (const double value : ticks.values) {
    svg.line({x(value), 0}, {x(value), height - kAxis}, value == 0 ? "axis" : "grid");
    svg.text({x(value), height - 6}, figure_text(value, Unit::percent, ticks.decimals), "middle");
  }
  double top = kGap / 2;
  for (const auto& group : chart.groups) {
    const double middle = top + kPitch * static_cast<double>(group.bars.size()) / 2;
    svg.text({0, group.note.empty() ? middle + 4 : middle - 3}, group.label, "");
    if (!group.note.empty()) svg.text({0, middle + 12}, group.note, "soft small");
    for (std::size_t i = 0; i < group.bars.size(); ++i) {
      draw_bar(svg, chart, group, i, top, x);
      top += kPitch;
    }
    top += kGap;
  }
  return svg.finish();
}

}  // namespace ferplus::report
