// A drawing in SVG: primitives with classes that the page's style sheet knows, so that colours
// follow light and dark mode.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ferplus::report {

struct Point {
  double x = 0, y = 0;
};

// With two decimals at most, as short as can be; what is not finite stands at 0.
std::string coordinate(double value);

// Texts are escaped here; classes are ours.
class Svg {
 public:
  // The unit is a pixel where the drawing has its own width; it shrinks and grows with its box.
  // `id` is the drawing's alone on the page. Who does not see it hears title and description.
  Svg(std::string_view id, double width, double height, std::string_view title,
      std::string_view description);

  void line(Point from, Point to, std::string_view classes);
  void rectangle(Point corner, double width, double height, std::string_view classes,
                 std::string_view tooltip = "");
  void polyline(const std::vector<Point>& points, std::string_view classes);
  // Flush left at its point unless the classes "middle" or "end" say otherwise; y is the baseline.
  // Turned by `angle` degrees around the point.
  void text(Point at, std::string_view text, std::string_view classes, double angle = 0);
  // The mark of series `style`, about 9 across.
  void mark(Point at, std::size_t style, std::string_view classes, std::string_view tooltip = "");

  std::string finish() const { return text_ + "</svg>\n"; }

 private:
  std::string text_;
};

// Styles of series. A colour and a mark change together, so that who does not see colours has the
// mark; after six of them the dash changes. From the 25th series on styles repeat: names in
// tooltips tell those apart.
inline constexpr std::size_t kStyles = 24;
// Colour and dash, as classes.
std::string series_class(std::size_t style);
// A short line with its mark, for legends and tables.
std::string series_sample(std::size_t style);

}  // namespace ferplus::report
