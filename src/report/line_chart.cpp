#include <algorithm>
#include <limits>

#include <ferplus/core/error.h>
#include <ferplus/core/text.h>

#include "report/charts.h"
#include "report/scale.h"

namespace ferplus::report {
namespace {

constexpr double kHeight = 236, kLeft = 48, kRight = 2, kInset = 8, kTop = 10, kBottom = 40;
constexpr int kMostTicks = 6;
// Beyond so many epochs the marks would touch.
constexpr std::size_t kMostMarks = 25;

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;
};

Range range_of(const LineChart& chart) {
  Range range;
  for (const LineChart::Series& series : chart.series) {
    for (const double value : series.values) {
      range.low = std::min(range.low, value);
      range.high = std::max(range.high, value);
    }
  }
  if (chart.from_zero) range.low = std::min(range.low, 0.0);
  return range;
}

void draw_series(Svg& svg, const LineChart& chart, const LineChart::Series& series, const Scale& x,
                 const Scale& y) {
  std::vector<Point> points;
  for (std::size_t i = 0; i < series.values.size(); ++i) {
    points.push_back({x(static_cast<double>(i + 1)), y(series.values[i])});
  }
  if (points.size() > 1) svg.polyline(points, "curve " + series_class(series.style));
  // Where there are too many, a few marks still tell curves apart without their colour.
  const std::size_t every = (points.size() + kMostMarks - 1) / kMostMarks;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const bool marked = series.marked == i;
    if (i % every != 0 && i + 1 != points.size() && !marked) continue;
    constexpr int kDigits = 4;
    const std::string tooltip =
        concat(series.name, ", epoch ", i + 1, ": ",
               figure_text(series.values[i], chart.unit, kDigits), marked ? " (best)" : "");
    svg.mark(points[i], series.style, marked ? "best" : "", tooltip);
  }
}

}  // namespace

std::string figure_text(double value, Unit unit, int decimals) {
  return unit == Unit::percent ? percent(value, std::max(0, decimals - 2)) : fixed(value, decimals);
}

std::string line_chart(const LineChart& chart) {
  std::size_t epochs = 1;
  for (const auto& series : chart.series) epochs = std::max(epochs, series.values.size());
  const Range range = range_of(chart);
  const Ticks heights = round_ticks(range.low, range.high, kMostTicks);
  const double margin = epochs == 1 ? 0.5 : 0;  // one epoch stands in the middle
  const Scale x{1 - margin, static_cast<double>(epochs) + margin, kLeft + kInset,
                kChartWidth - kRight - kInset};
  const Scale y{heights.values.front(), heights.values.back(), kHeight - kBottom, kTop};

  Svg svg(chart.id, kChartWidth, kHeight, chart.title, chart.description);
  for (const double value : heights.values) {
    svg.line({kLeft, y(value)}, {kChartWidth - kRight, y(value)}, "grid");
    svg.text({kLeft - 6, y(value) + 4}, figure_text(value, chart.unit, heights.decimals), "end");
  }
  svg.line({kLeft, y.from}, {kChartWidth - kRight, y.from}, "axis");
  for (const double epoch : whole_ticks(1, static_cast<int>(epochs), kMostTicks).values) {
    svg.line({x(epoch), y.from}, {x(epoch), y.from + 4}, "axis");
    svg.text({x(epoch), y.from + 18}, fixed(epoch, 0), "middle");
  }
  svg.text({(kLeft + kChartWidth - kRight) / 2, kHeight - 4}, "epoch", "middle soft");
  for (const auto& series : chart.series) draw_series(svg, chart, series, x, y);
  return svg.finish();
}

}  // namespace ferplus::report
