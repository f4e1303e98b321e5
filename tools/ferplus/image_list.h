// The photographs that a command line names, one after another.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ferplus::tool {

struct ImageFile {
  std::filesystem::path path;
  // Where a copy belongs in an output folder: the path below the folder that was named, or the
  // file's name.
  std::filesystem::path relative;
};

// Words are files; folders, which stand for the files in them and in all folders below that end in
// .png, .jpg, .jpeg, .jpe or .jfif (hidden ones left out, links to folders not followed), sorted by
// path; glob(7) patterns; and "-", a list on standard input, a path a line. A word that names an
// existing file is that file, whatever characters it has. Holds names, never pictures.
class ImageList {
 public:
  // Looks into folders and expands patterns. Throws UsageError if "-" is given twice, Error if a
  // folder cannot be read or has no image, or if a pattern matches nothing. A word that names
  // nothing stays: reading it will say so.
  explicit ImageList(const std::vector<std::string>& words);

  // Nothing after the last one, or once interrupt_flag() is set while standard input is silent.
  // Reads standard input as it comes.
  std::optional<ImageFile> next();
  // Those to come that are known yet: all but what standard input will name.
  std::vector<std::filesystem::path> paths() const;
  // 0 if standard input decides.
  std::uint64_t total() const { return streamed_ ? 0 : listed_; }
  // Characters of the longest path that is known yet, at most 60.
  std::size_t path_width() const { return path_width_; }

 private:
  void add(ImageFile file);
  void add_folder(const std::filesystem::path& folder);
  void add_pattern(const std::string& pattern);
  std::optional<std::string> next_line();

  std::deque<std::optional<ImageFile>> files_;  // an empty one stands for standard input
  std::uint64_t listed_ = 0;
  std::size_t path_width_ = 0;
  bool streamed_ = false;
  std::string input_;  // read from standard input, not yet handed out
  bool input_ended_ = false;
};

}  // namespace ferplus::tool
