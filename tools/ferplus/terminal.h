// Standard error as a terminal: finished lines, and one status line below them that is redrawn.
#pragma once

#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>

namespace ferplus::tool {

// Columns of the terminal behind `descriptor`: the environment variable COLUMNS, else what the
// system says, else `fallback`.
int terminal_width(int descriptor, int fallback);

// Thread-safe. A status stays the last line: a finished line is written above it.
class Console {
 public:
  struct Traits {
    bool interactive = false;  // a status line can be redrawn
    bool color = false;
  };

  Console(std::FILE* stream, Traits traits) : stream_(stream), traits_(traits) {}
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  // Interactive if standard error is a terminal and TERM is not "dumb"; colours unless NO_COLOR is
  // set (no-color.org).
  static Console& standard_error();

  bool interactive() const { return traits_.interactive; }
  bool color() const { return traits_.color; }
  int width() const;

  void line(std::string_view text);
  // Shows `text` in place of the last status; nothing where not interactive. REQUIRES: no line
  // break, narrower than width().
  void status(std::string_view text);
  void clear_status();

 private:
  std::FILE* stream_;
  Traits traits_;
  std::mutex mutex_;
  std::string status_;
};

}  // namespace ferplus::tool
