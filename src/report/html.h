// Text and tables of a page.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ferplus::report {

// Text as it stands in elements and in quoted attributes of HTML and SVG: & < > " ' are replaced,
// and what is no UTF-8 or not allowed in XML becomes U+FFFD.
std::string escape(std::string_view text);

// "<tag>escaped text</tag>", in which a figure and its % stay on one line; `attributes` are taken
// as they are: " class=\"a\"".
std::string element(std::string_view tag, std::string_view text, std::string_view attributes = "");

struct Cell {
  std::string html;
  bool marked = false;  // stands out
};

// The first column names the row. Columns are numbers, set flush right, unless `text` has them.
struct Table {
  std::string caption;               // escaped
  std::vector<std::string> columns;  // escaped
  std::vector<std::size_t> text{};   // columns of words
  std::vector<std::vector<Cell>> rows{};
};
// In a box that scrolls sideways where it is wider than the page.
std::string to_html(const Table& table);

// What opens on request.
std::string details(std::string_view summary, std::string_view html);

}  // namespace ferplus::report
