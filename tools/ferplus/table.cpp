#include "table.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace ferplus::tool {
namespace {

constexpr std::string_view kColumnGap = "  ";

}  // namespace

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) >> 6) != 2; }));
}

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::add_row(std::vector<std::string> cells) {
  assert(cells.size() == columns_.size());
  for (std::string& cell : cells) cell = harmless(cell);
  rows_.push_back(std::move(cells));
}

void Table::add_gap() { rows_.emplace_back(); }

std::string Table::to_string() const {
  std::vector<std::string> titles;
  std::vector<std::size_t> widths;
  for (std::size_t column = 0; column < columns_.size(); ++column) {
    std::size_t width = display_width(columns_[column].title);
    for (const auto& row : rows_) {
      if (!row.empty()) width = std::max(width, display_width(row[column]));
    }
    titles.push_back(columns_[column].title);
    widths.push_back(width);
  }
  std::string text;
  const auto write = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t column = 0; column < cells.size(); ++column) {
      if (column > 0) line += kColumnGap;
      const std::string blanks(widths[column] - display_width(cells[column]), ' ');
      const bool left = columns_[column].align == Align::left;
      line += left ? cells[column] + blanks : blanks + cells[column];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  };
  write(titles);
  for (const auto& row : rows_) write(row);
  return text;
}

}  // namespace ferplus::tool
