// The parts of CSV reading that the FER+ files and the folders' label.csv share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ferplus/data/label_mode.h>

namespace ferplus {

// `text` without a UTF-8 mark and without blank lines at its end. Throws Error if nothing is left
// or if it plainly is no CSV: compressed, an archive, UTF-16, HTML, a Git LFS pointer. `what` says
// what was expected ("the pixels of FER2013").
std::string_view csv_contents(std::string_view text, const std::string& name,
                              std::string_view what);

// Takes the first line off `text`, without its line end.
std::string_view take_line(std::string_view& text);

// Without spaces, tabs and carriage returns at both ends.
std::string_view strip(std::string_view text);

// What was found, for messages: quoted, without control characters, cut to `longest` bytes.
std::string shown(std::string_view text, std::size_t longest = 40);

// A line's fields, stripped; quotes taken off. Views into the line or into the object: valid until
// the next split.
class CsvFields {
 public:
  // Returns what is wrong with the line's quotes, or an empty text.
  std::string split(std::string_view line);

  std::size_t size() const { return fields_.size(); }
  std::string_view operator[](std::size_t i) const { return fields_[i]; }

 private:
  std::vector<std::string_view> fields_;
  std::string unescaped_;
};

// A whole number from 0 to `limit`, of at most nine digits; nothing else around it.
std::optional<int> parse_number(std::string_view text, int limit);

// The two headers, as published.
inline constexpr std::string_view kPixelsHeader = "emotion,pixels,Usage";
inline constexpr std::string_view kVotesHeader =
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF";

// Throws Error unless `line` is `header`, fields compared one by one; says so if the two files seem
// to have been swapped.
void check_header(std::string_view line, std::string_view header, const std::string& name);

// Ten votes from ten fields beginning at `first`. Returns what is wrong, or an empty text.
std::string parse_votes_of(const CsvFields& fields, std::size_t first, Votes& votes);

// Names become files: what is wrong with this one (a path, control characters, too long), or an
// empty text.
std::string check_image_name(std::string_view name);

// "neutral", …, "unknown", "NF": the vote columns' names, in order.
std::string_view vote_column_name(std::size_t column);

}  // namespace ferplus
