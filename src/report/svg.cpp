#include "report/svg.h"

#include <array>
#include <cmath>

#include <ferplus/core/error.h>
#include <ferplus/core/text.h>

#include "report/html.h"

namespace ferplus::report {
namespace {

constexpr std::size_t kColors = 6, kDashes = 4;  // of the style sheet
static_assert(kColors * kDashes == kStyles);

// Around the origin.
constexpr std::array kMarks = {
    "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",                     // circle
    "M-3.6-3.6h7.2v7.2h-7.2z",                                // square
    "M0-5L4.6 3.4H-4.6z",                                     // triangle
    "M0-5.2L5.2 0L0 5.2L-5.2 0z",                             // diamond
    "M0 5L4.6-3.4H-4.6z",                                     // triangle upside down
    "M-4.4-1.5h2.9v-2.9h3v2.9h2.9v3h-2.9v2.9h-3v-2.9h-2.9z",  // plus
};
static_assert(kMarks.size() == kColors);

std::string class_attribute(std::string_view classes) { return concat(" class=\"", classes, "\""); }

std::string closed(std::string_view tag, std::string_view tooltip) {
  if (tooltip.empty()) return "/>\n";
  return concat("><title>", escape(tooltip), "</title></", tag, ">\n");
}

}  // namespace

std::string coordinate(double value) {
  std::string text = fixed(std::isfinite(value) ? value : 0, 2);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

Svg::Svg(std::string_view id, double width, double height, std::string_view title,
         std::string_view description) {
  text_ = concat("<svg viewBox=\"0 0 ", coordinate(width), ' ', coordinate(height),
                 "\" role=\"img\" aria-labelledby=\"", id, "-title ", id, "-desc\">\n<title id=\"",
                 id, "-title\">", escape(title), "</title><desc id=\"", id, "-desc\">",
                 escape(description), "</desc>\n");
}

void Svg::line(Point from, Point to, std::string_view classes) {
  text_ += concat("<line x1=\"", coordinate(from.x), "\" y1=\"", coordinate(from.y), "\" x2=\"",
                  coordinate(to.x), "\" y2=\"", coordinate(to.y), "\"", class_attribute(classes),
                  "/>\n");
}

void Svg::rectangle(Point corner, double width, double height, std::string_view classes,
                    std::string_view tooltip) {
  text_ += concat("<rect x=\"", coordinate(corner.x), "\" y=\"", coordinate(corner.y),
                  "\" width=\"", coordinate(width), "\" height=\"", coordinate(height), "\"",
                  class_attribute(classes), closed("rect", tooltip));
}

void Svg::polyline(const std::vector<Point>& points, std::string_view classes) {
  text_ += "<polyline points=\"";
  for (const Point& point : points) {
    text_ +=
        concat(&point == points.data() ? "" : " ", coordinate(point.x), ',', coordinate(point.y));
  }
  text_ += concat("\"", class_attribute(classes), "/>\n");
}

void Svg::text(Point at, std::string_view text, std::string_view classes, double angle) {
  const std::string x = coordinate(at.x), y = coordinate(at.y);
  text_ += concat("<text x=\"", x, "\" y=\"", y, "\"", class_attribute(classes));
  if (angle != 0) text_ += concat(" transform=\"rotate(", coordinate(angle), ' ', x, ' ', y, ")\"");
  text_ += concat('>', escape(text), "</text>\n");
}

void Svg::mark(Point at, std::size_t style, std::string_view classes, std::string_view tooltip) {
  text_ += concat(
      "<path d=\"", kMarks[style % kMarks.size()], "\" transform=\"translate(", coordinate(at.x),
      ' ', coordinate(at.y), ")\"",
      class_attribute(concat("mark ", series_class(style), classes.empty() ? "" : " ", classes)),
      closed("path", tooltip));
}

std::string series_class(std::size_t style) {
  return concat("c", style % kColors, " d", style / kColors % kDashes);
}

std::string series_sample(std::size_t style) {
  return concat(
      "<svg class=\"sample\" viewBox=\"0 0 34 12\" aria-hidden=\"true\"><line x1=\"1\" "
      "y1=\"6\" x2=\"33\" y2=\"6\" class=\"curve ",
      series_class(style), "\"/><path d=\"", kMarks[style % kMarks.size()],
      "\" transform=\"translate(17 6)\" class=\"mark ", series_class(style), "\"/></svg>");
}

}  // namespace ferplus::report
