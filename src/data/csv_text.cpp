#include "data/csv_text.h"

#include <algorithm>
#include <array>

#include <ferplus/core/error.h>
#include <ferplus/core/text.h>
#include <ferplus/data/csv.h>

namespace ferplus {
namespace {

struct Magic {
  std::string_view bytes;
  std::string_view what;
  std::string_view remedy;
};

constexpr std::array<Magic, 9> kNoCsv = {{
    {"\x28\xB5\x2F\xFD", "a zstd-compressed file", "decompress it first: zstd -d"},
    {"\x1F\x8B", "a gzip-compressed file", "decompress it first: gunzip"},
    {"BZh", "a bzip2-compressed file", "decompress it first: bunzip2"},
    {"\xFD"
     "7zXZ",
     "an xz-compressed file", "decompress it first: xz -d"},
    {"PK\x03\x04", "a zip archive", "unpack it first: unzip"},
    {"\xFF\xFE", "UTF-16 text", "save it as UTF-8"},
    {"\xFE\xFF", "UTF-16 text", "save it as UTF-8"},
    {"<!DOCTYPE", "a web page", "download the file itself"},
    {"version https://git-lfs", "a Git LFS pointer", "fetch the file itself: git lfs pull"},
}};

constexpr std::string_view kSpaces = " \t\r";

}  // namespace

std::string_view csv_contents(std::string_view text, const std::string& name,
                              std::string_view what) {
  for (const Magic& magic : kNoCsv) {
    if (text.starts_with(magic.bytes)) {
      throw file_error(
          name, 0,
          concat("is ", magic.what, ", expected a CSV file with ", what, "; ", magic.remedy));
    }
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  if (last == std::string_view::npos) {
    throw file_error(name, 0, concat("is empty, expected a CSV file with ", what));
  }
  return text.substr(0, last + 1);
}

std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::string_view strip(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

std::string shown(std::string_view text, std::size_t longest) {
  std::string result = '"' + harmless(text.substr(0, longest));
  if (text.size() > longest) result += "…";
  return result + "\"";
}

std::string CsvFields::split(std::string_view line) {
  fields_.clear();
  unescaped_.clear();
  unescaped_.reserve(line.size());  // fields point into it: it must not move
  for (;;) {
    const std::size_t start = std::min(line.find_first_not_of(kSpaces), line.size());
    if (start == line.size() || line[start] != '"') {
      const std::size_t comma = line.find(',');
      fields_.push_back(strip(line.substr(0, comma)));
      if (comma == std::string_view::npos) return {};
      line.remove_prefix(comma + 1);
      continue;
    }
    line.remove_prefix(start + 1);
    const std::size_t begin = unescaped_.size();
    for (;;) {
      const std::size_t quote = line.find('"');
      if (quote == std::string_view::npos) return "a quoted field has no closing quote";
      unescaped_.append(line.substr(0, quote));
      line.remove_prefix(quote + 1);
      if (!line.starts_with('"')) break;
      unescaped_ += '"';
      line.remove_prefix(1);
    }
    fields_.push_back(strip(std::string_view(unescaped_).substr(begin)));
    const std::size_t next = line.find_first_not_of(kSpaces);
    if (next == std::string_view::npos) return {};
    if (line[next] != ',') {
      return concat("a quoted field is followed by ", shown(line.substr(next)), ", not by a comma");
    }
    line.remove_prefix(next + 1);
  }
}

void check_header(std::string_view line, std::string_view header, const std::string& name) {
  const auto is = [line](std::string_view expected) {
    CsvFields found, wanted;
    if (!found.split(line).empty()) return false;
    wanted.split(expected);
    if (found.size() != wanted.size()) return false;
    for (std::size_t i = 0; i < found.size(); ++i) {
      if (found[i] != wanted[i]) return false;
    }
    return true;
  };
  if (is(header)) return;
  const bool wants_pixels = header == kPixelsHeader;
  if (is(wants_pixels ? kVotesHeader : kPixelsHeader)) {
    throw file_error(name, 1,
                     wants_pixels ? "these are the votes (fer2013new.csv), expected the pixels "
                                    "(fer2013.csv); swap --fer and --ferplus"
                                  : "these are the pixels (fer2013.csv), expected the votes "
                                    "(fer2013new.csv); swap --fer and --ferplus");
  }
  throw file_error(name, 1,
                   concat("the header is ", shown(line, 120), ", expected \"", header, "\""));
}

std::optional<int> parse_number(std::string_view text, int limit) {
  constexpr std::size_t kMostDigits = 9;
  if (text.empty() || text.size() > kMostDigits) return std::nullopt;
  int value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = 10 * value + (c - '0');
  }
  if (value > limit) return std::nullopt;
  return value;
}

std::string parse_votes_of(const CsvFields& fields, std::size_t first, Votes& votes) {
  for (std::size_t i = 0; i < votes.size(); ++i) {
    const std::string_view field = fields[first + i];
    const std::optional<int> vote = parse_number(field, 255);
    if (!vote) {
      return concat("the votes for ", vote_column_name(i), " are ", shown(field),
                    ", not a whole number from 0 to 255");
    }
    votes[i] = static_cast<std::uint8_t>(*vote);
  }
  return {};
}

std::string check_image_name(std::string_view name) {
  constexpr std::size_t kLongestName = 200;
  if (name.find_first_of("/\\") != std::string_view::npos || name == "." || name == "..") {
    return concat("image name ", shown(name), " is a path, expected the name of a file");
  }
  if (std::any_of(name.begin(), name.end(),
                  [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
    return concat("image name ", shown(name), " contains control characters");
  }
  if (name == "label.csv") return "image name \"label.csv\" is that of the list of labels";
  if (name.size() > kLongestName) {
    return concat("image name ", shown(name), " is longer than ", kLongestName, " bytes");
  }
  return {};
}

std::string_view vote_column_name(std::size_t column) {
  if (column < kClasses) return kClassNames[column];
  return column == kClasses ? "unknown" : "NF";
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos && strip(text) == text) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace ferplus
