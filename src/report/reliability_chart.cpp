#include <algorithm>
#include <cmath>

#include <ferplus/core/error.h>
#include <ferplus/core/text.h>

#include "report/charts.h"
#include "report/scale.h"

namespace ferplus::report {
namespace {

constexpr double kLeft = 52, kRight = 20, kTop = 10;
constexpr double kSquare = kChartWidth - kLeft - kRight;
constexpr double kCounts = 56, kBetween = 14, kBottom = 40;
constexpr double kHeight = kTop + kSquare + kBetween + kCounts + kBottom;

void draw_bin(Svg& svg, const Reliability::Bin& bin, const Scale& x, const Scale& y) {
  const auto images = static_cast<double>(bin.images);
  const double confidence = bin.confidence / images, accuracy = bin.hits / images;
  const Interval interval = wilson_interval(static_cast<std::size_t>(bin.hits + 0.5), bin.images);
  const Point at{x(confidence), y(accuracy)};
  svg.line({at.x, y(confidence)}, at, "gap");
  svg.line({at.x, y(interval.low)}, {at.x, y(interval.high)}, "range c0 d0");
  svg.mark(at, 0, "",
           concat("confidence ", percent(confidence, 1), ", right ", percent(accuracy, 1), " (",
                  percent(interval.low, 1), " to ", percent(interval.high, 1), "), ",
                  grouped(bin.images), " images"));
}

}  // namespace

std::string reliability_chart(const std::string& id, const Reliability& reliability) {
  Svg svg(
      id, kChartWidth, kHeight, "Reliability diagram",
      "For fifteen bins of confidence, how often the network is right, with Wilson intervals; on "
      "the diagonal, confidence is what it claims to be. Below, the images of each bin. The "
      "table below has the same figures.");
  const Scale x{0, 1, kLeft, kLeft + kSquare};
  const Scale y{0, 1, kTop + kSquare, kTop};
  std::size_t most = 1;
  for (const auto& bin : reliability.bins) most = std::max(most, bin.images);
  const double floor = kHeight - kBottom;
  const Scale counts{0, static_cast<double>(most), floor, floor - kCounts};

  for (int i = 0; i <= 5; ++i) {
    const double share = i / 5.0;
    svg.line({x.from, y(share)}, {x.to, y(share)}, i == 0 ? "axis" : "grid");
    svg.text({x.from - 6, y(share) + 4}, percent(share, 0), "end");
    svg.text({x(share), floor + 16}, percent(share, 0), "middle");
  }
  svg.line({x.from, y.from}, {x.to, y.to}, "ideal");
  svg.text({x.from + 8, y.to + 14}, "share right", "soft over");
  const double width = kSquare / static_cast<double>(reliability.bins.size());
  for (std::size_t i = 0; i < reliability.bins.size(); ++i) {
    const auto& bin = reliability.bins[i];
    if (bin.images == 0 || !std::isfinite(bin.confidence)) continue;
    draw_bin(svg, bin, x, y);
    const double top = counts(static_cast<double>(bin.images));
    svg.rectangle({x.from + static_cast<double>(i) * width + 1, top}, width - 2, floor - top,
                  "bar b1", concat(grouped(bin.images), " images"));
  }
  svg.line({x.from, floor}, {x.to, floor}, "axis");
  svg.text({x.from - 6, counts.to + 8}, grouped(most), "end");
  svg.text({x.from - 6, floor}, "images", "end soft small");
  svg.text({x.from + kSquare / 2, kHeight - 4}, "confidence", "middle soft");
  return svg.finish();
}

}  // namespace ferplus::report
