#include <array>

#include <ferplus/core/error.h>
#include <ferplus/core/text.h>

#include "report/charts.h"

namespace ferplus::report {
namespace {

constexpr double kLeft = 76, kTop = 18, kBottom = 62;
constexpr double kCell = (kChartWidth - kLeft) / kClasses;
constexpr double kHeight = kTop + kCell * kClasses + kBottom;
// Ten steps of the style sheet; from kBright on, words on them are bright where others are dark.
constexpr int kSteps = 10, kBright = 7;

void draw_cell(Svg& svg, std::size_t truth, std::size_t predicted, std::size_t count,
               std::size_t support) {
  const Point corner{kLeft + static_cast<double>(predicted) * kCell,
                     kTop + static_cast<double>(truth) * kCell};
  const double share = support == 0 ? 0 : static_cast<double>(count) / static_cast<double>(support);
  const int step = static_cast<int>(share * kSteps);
  svg.rectangle(corner, kCell, kCell, concat("cell h", step),
                concat("votes ", kClassNames[truth], ", network ", kClassNames[predicted], ": ",
                       grouped(count), " images, ", percent(share, 1), " of the row"));
  if (count == 0) return;
  const char* tone = step >= kBright ? " bright" : "";
  const double middle = corner.x + kCell / 2;
  const std::string images = grouped(count);
  constexpr std::size_t kFits = 5;  // characters
  svg.text({middle, corner.y + kCell / 2 - 1}, images,
           concat("on-cell middle count", images.size() > kFits ? " small" : "", tone));
  svg.text({middle, corner.y + kCell / 2 + 12}, share < 0.005 ? "<1 %" : percent(share, 0),
           concat("on-cell middle small", tone));
}

}  // namespace

std::string confusion_chart(const std::string& id, const Classification& classification) {
  Svg svg(id, kChartWidth, kHeight, "Confusion matrix",
          "Eight rows, the class by the votes, and eight columns, the network's prediction; each "
          "cell has the number of images and their share of the row. The table below has the same "
          "figures.");
  svg.text({0, 12}, "votes ↓", "soft");
  for (std::size_t k = 0; k < kClasses; ++k) {
    const double along = (static_cast<double>(k) + 0.5) * kCell;
    svg.text({kLeft - 6, kTop + along + 4}, kClassNames[k], "end");
    svg.text({kLeft + along + 4, kHeight - kBottom + 14}, kClassNames[k], "end", -45);
    for (std::size_t j = 0; j < kClasses; ++j) {
      draw_cell(svg, k, j, classification.confusion[k][j], classification.classes[k].support);
    }
  }
  for (std::size_t k = 0; k < kClasses; ++k) {
    const double along = static_cast<double>(k) * kCell;
    svg.rectangle({kLeft + along, kTop + along}, kCell, kCell, "frame");
  }
  svg.text({0, kHeight - 4}, "network →", "soft");
  return svg.finish();
}

}  // namespace ferplus::report
