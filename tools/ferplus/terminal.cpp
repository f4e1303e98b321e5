#include "terminal.h"

#include <cstdlib>

#include <sys/ioctl.h>
#include <unistd.h>

namespace ferplus::tool {
namespace {

constexpr int kUsualWidth = 80;
constexpr std::string_view kEraseLine = "\r\x1b[2K";

bool environment_has(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

void write(std::FILE* stream, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stream);
}

}  // namespace

int terminal_width(int descriptor, int fallback) {
  if (const char* columns = std::getenv("COLUMNS"); columns != nullptr) {
    const long width = std::strtol(columns, nullptr, 10);
    if (width > 0 && width < 10000) return static_cast<int>(width);
  }
  winsize size{};
  if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return fallback;
}

Console& Console::standard_error() {
  static Console console(stderr, [] {
    const char* terminal = std::getenv("TERM");
    const bool dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
    const bool interactive = isatty(STDERR_FILENO) == 1 && !dumb;
    return Traits{.interactive = interactive, .color = interactive && !environment_has("NO_COLOR")};
  }());
  return console;
}

int Console::width() const { return terminal_width(fileno(stream_), kUsualWidth); }

void Console::line(std::string_view text) {
  const std::lock_guard lock(mutex_);
  if (!status_.empty()) write(stream_, kEraseLine);
  write(stream_, text);
  write(stream_, "\n");
  write(stream_, status_);
  std::fflush(stream_);
}

void Console::status(std::string_view text) {
  if (!traits_.interactive) return;
  const std::lock_guard lock(mutex_);
  write(stream_, kEraseLine);
  write(stream_, text);
  std::fflush(stream_);
  status_ = text;
}

void Console::clear_status() {
  const std::lock_guard lock(mutex_);
  if (status_.empty()) return;
  write(stream_, kEraseLine);
  std::fflush(stream_);
  status_.clear();
}

}  // namespace ferplus::tool
