#include "report/html.h"

#include <algorithm>
#include <cstdint>

#include <ferplus/core/error.h>

namespace ferplus::report {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

// Bytes of the character that `text` begins with, or 0 if it is none that XML allows.
std::size_t character_size(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80) {
    const bool control = byte(0) < 0x20 && text[0] != '\t' && text[0] != '\n' && text[0] != '\r';
    return control || byte(0) == 0x7f ? 0 : 1;
  }
  const std::size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || text.size() < size) return 0;
  std::uint32_t code = byte(0) & (0x7fu >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if (byte(i) >> 6 != 2) return 0;
    code = code << 6 | (byte(i) & 0x3fu);
  }
  const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  const bool no_character = code == 0xfffe || code == 0xffff || code > 0x10ffff;
  const bool control = code < 0xa0;
  return overlong || surrogate || no_character || control ? 0 : size;
}

std::string_view entity(char character) {
  switch (character) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return {};
  }
}

}  // namespace

std::string escape(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const std::string_view replaced = size == 0 ? kReplacement : entity(text[0]);
    escaped += replaced.empty() ? text.substr(0, size) : replaced;
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return escaped;
}

std::string element(std::string_view tag, std::string_view text, std::string_view attributes) {
  std::string content = escape(text);
  for (auto at = content.find(" %"); at != content.npos; at = content.find(" %", at)) {
    content.replace(at, 1, "\u00a0");
  }
  return concat('<', tag, attributes, '>', content, "</", tag, '>');
}

std::string to_html(const Table& table) {
  const auto cell_class = [&](std::size_t column, bool marked) {
    const bool text = std::ranges::find(table.text, column) != table.text.end();
    std::string names = text ? "text" : "";
    if (marked) names += names.empty() ? "marked" : " marked";
    return names.empty() ? names : concat(" class=\"", names, "\"");
  };
  // Who moves by keys alone must be able to scroll it, hence the tabindex.
  std::string html =
      concat("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"", table.caption,
             "\">\n<table><caption><span>", table.caption, "</span></caption>\n<thead><tr>");
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    html += concat("<th scope=\"col\"", cell_class(i, false), ">", table.columns[i], "</th>");
  }
  html += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    html += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool head = i == 0;
      html += concat(head ? "<th scope=\"row\"" : "<td", cell_class(i, row[i].marked), ">",
                     row[i].html, head ? "</th>" : "</td>");
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string details(std::string_view summary, std::string_view html) {
  return concat("<details><summary>", escape(summary), "</summary>\n", html, "</details>\n");
}

}  // namespace ferplus::report
