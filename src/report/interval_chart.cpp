#include <algorithm>

#include <ferplus/core/error.h>
#include <ferplus/core/text.h>

#include "report/charts.h"
#include "report/scale.h"

namespace ferplus::report {
namespace {

constexpr double kSide = 22, kPitch = 40, kAxis = 26, kFromTop = 14;
constexpr int kMostTicks = 5;

}  // namespace

std::string interval_chart(const IntervalChart& chart) {
  double low = 1, high = 0;
  for (const auto& row : chart.rows) {
    low = std::min(low, row.interval.low);
    high = std::max(high, row.interval.high);
  }
  const Ticks ticks = round_ticks(std::min(low, high), high, kMostTicks);
  const Scale x{ticks.values.front(), ticks.values.back(), kSide, kChartWidth - kSide};
  const double height = kPitch * static_cast<double>(chart.rows.size()) + kAxis;
  Svg svg(chart.id, kChartWidth, height, chart.title, chart.description);
  for (const double value : ticks.values) {
    svg.line({x(value), 0}, {x(value), height - kAxis + 4}, "grid");
    svg.text({x(value), height - 6}, figure_text(value, Unit::percent, ticks.decimals), "middle");
  }
  double top = 0;
  for (const auto& row : chart.rows) {
    const std::string text = concat(row.label, ": ", percent(row.share));
    const double middle = top + kFromTop + 14;
    svg.text({0, top + kFromTop}, text, "over");
    svg.line({x(row.interval.low), middle}, {x(row.interval.high), middle},
             concat("range ", series_class(row.style)));
    svg.mark(
        {x(row.share), middle}, row.style, "",
        concat(text, " (", percent(row.interval.low), " to ", percent(row.interval.high), ")"));
    top += kPitch;
  }
  return svg.finish();
}

}  // namespace ferplus::report
