// Tables for people to read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <ferplus/core/text.h>

namespace ferplus::tool {

// Characters that a terminal shows for this UTF-8 text.
std::size_t display_width(std::string_view text);

// Rows of cells under a header, each column as wide as its widest cell.
class Table {
 public:
  enum class Align { left, right };
  struct Column {
    std::string title;
    Align align = Align::right;
  };

  explicit Table(std::vector<Column> columns);
  // REQUIRES: as many cells as columns.
  void add_row(std::vector<std::string> cells);
  // An empty line between groups of rows.
  void add_gap();
  // Lines end with '\n' and carry no blanks before it.
  std::string to_string() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace ferplus::tool
