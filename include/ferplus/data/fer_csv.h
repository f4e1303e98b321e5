// The two published files: fer2013.csv (Kaggle, ICML 2013: emotion,pixels,Usage) and fer2013new.csv
// (FER+: Usage, Image name, ten votes), joined row by row. The number in an image's name is
// not its row number.
//
// Both are read as they are or not at all: a header that differs, a wrong number of columns or
// pixels, a gray value or vote that is no number from 0 to 255, an unknown usage, usages or row
// counts that disagree, a blank line between rows … throw an Error that names file and line, the
// first one in file order whatever the number of threads. Windows line ends, a UTF-8 mark, quoted
// fields, spaces around fields and blank last lines are fine.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <ferplus/data/dataset.h>

namespace ferplus {

inline constexpr int kFerSide = 48;
inline constexpr std::size_t kFerPixels = 2304;

// One row of fer2013new.csv. An empty name: no image in FER+.
struct VoteRow {
  Split usage = Split::train;
  std::string name;
  Votes votes{};
};

// The rows of fer2013new.csv, in order. Throws Error.
std::vector<VoteRow> load_votes(const std::filesystem::path& ferplus);
// The same from text; `name` stands for the file in messages.
std::vector<VoteRow> parse_votes(std::string_view text, const std::string& name);

// Both files, joined. Every row is checked, also those without an image name, which are counted but
// are not samples. Memory-mapped and parsed in parallel. Throws Error.
Dataset load_fer_csv(const std::filesystem::path& fer, const std::filesystem::path& ferplus);
// The same from text; the names stand for the files in messages.
Dataset parse_fer_csv(std::string_view fer, const std::string& fer_name, std::string_view ferplus,
                      const std::string& ferplus_name);

}  // namespace ferplus
