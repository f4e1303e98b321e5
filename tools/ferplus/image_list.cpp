#include "image_list.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>

#include <glob.h>
#include <poll.h>
#include <unistd.h>

#include <ferplus/core/error.h>

#include "interrupt.h"
#include "table.h"

namespace ferplus::tool {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kStandardInput = "-";
constexpr std::size_t kWidestPath = 60;
constexpr std::size_t kLongestLine = std::size_t{1} << 16;

bool looks_like_image(const fs::path& path) {
  constexpr std::array<std::string_view, 5> kExtensions = {".png", ".jpg", ".jpeg", ".jpe",
                                                           ".jfif"};
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::ranges::find(kExtensions, extension) != kExtensions.end();
}

bool hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

bool has_wildcard(const std::string& word) {
  return word.find_first_of("*?[") != std::string::npos;
}

std::vector<fs::path> images_below(const fs::path& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    if (hidden(entry->path())) {
      entry.disable_recursion_pending();
    } else if (looks_like_image(entry->path()) && entry->is_regular_file(error)) {
      paths.push_back(entry->path());
    }
  }
  if (error) throw file_error(folder, 0, concat("cannot read this folder: ", error.message()));
  std::ranges::sort(paths);
  return paths;
}

}  // namespace

ImageList::ImageList(const std::vector<std::string>& words) {
  for (const std::string& word : words) {
    std::error_code ignored;
    if (word == kStandardInput) {
      if (streamed_) throw UsageError("- (the list on standard input) is given more than once");
      streamed_ = true;
      files_.emplace_back();
    } else if (fs::is_directory(word, ignored)) {
      add_folder(word);
    } else if (!fs::exists(word, ignored) && has_wildcard(word)) {
      add_pattern(word);
    } else {
      add({word, fs::path(word).filename()});
    }
  }
}

std::vector<fs::path> ImageList::paths() const {
  std::vector<fs::path> paths;
  for (const auto& file : files_) {
    if (file) paths.push_back(file->path);
  }
  return paths;
}

void ImageList::add(ImageFile file) {
  path_width_ = std::clamp(display_width(file.path.string()), path_width_, kWidestPath);
  ++listed_;
  files_.emplace_back(std::move(file));
}

void ImageList::add_folder(const fs::path& folder) {
  const std::vector<fs::path> paths = images_below(folder);
  if (paths.empty()) {
    throw file_error(folder, 0, "this folder has no file that ends in .png or .jpg");
  }
  for (const fs::path& path : paths) add({path, path.lexically_relative(folder)});
}

void ImageList::add_pattern(const std::string& pattern) {
  glob_t found{};
  const int failure = ::glob(pattern.c_str(), GLOB_ERR, nullptr, &found);
  std::vector<fs::path> paths(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  if (failure == GLOB_NOMATCH) throw file_error(pattern, 0, "no file matches this pattern");
  if (failure != 0) throw file_error(pattern, 0, "a folder of this pattern cannot be read");
  for (const fs::path& path : paths) {
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
      for (const fs::path& below : images_below(path)) {
        add({below, below.lexically_relative(path.parent_path())});
      }
    } else {
      add({path, path.filename()});
    }
  }
}

// Not std::getline, which would sleep on through an interruption.
std::optional<std::string> ImageList::next_line() {
  constexpr int kLookEvery = 200;  // milliseconds, for a signal between the look and the wait
  for (;;) {
    if (const std::size_t end = input_.find('\n'); end != std::string::npos) {
      std::string line = input_.substr(0, end);
      input_.erase(0, end + 1);
      return line;
    }
    if (input_ended_) {
      if (input_.empty()) return std::nullopt;
      return std::exchange(input_, {});
    }
    if (input_.size() > kLongestLine) {
      throw Error(concat("standard input: a line of over ", kLongestLine, " bytes is no path"));
    }
    if (interrupt_flag()) return std::nullopt;
    pollfd standard_input{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    if (::poll(&standard_input, 1, kLookEvery) <= 0) continue;
    std::array<char, 4096> buffer;
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count < 0 && errno != EINTR) {
      throw Error(concat("standard input: cannot read: ", std::strerror(errno)));
    }
    if (count == 0) input_ended_ = true;
    if (count > 0) input_.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

std::optional<ImageFile> ImageList::next() {
  while (!files_.empty()) {
    if (files_.front()) {
      std::optional<ImageFile> file = std::move(files_.front());
      files_.pop_front();
      return file;
    }
    while (std::optional<std::string> line = next_line()) {
      if (line->ends_with('\r')) line->pop_back();
      if (!line->empty()) return ImageFile{*line, fs::path(*line).filename()};
    }
    files_.pop_front();
  }
  return std::nullopt;
}

}  // namespace ferplus::tool
