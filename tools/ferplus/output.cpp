#include "output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sstream>

#include <unistd.h>

#include <ferplus/core/error.h>
#include <ferplus/io/file.h>

#include "terminal.h"

namespace ferplus::tool {

void print(std::string_view text) {
  // On a terminal the progress bar is in the way; it returns with its next update.
  static const bool terminal = isatty(STDOUT_FILENO) == 1;
  if (terminal) Console::standard_error().clear_status();
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
    throw Error(concat("cannot write to standard output: ", std::strerror(errno)));
  }
}

void write_output(const std::filesystem::path& path,
                  const std::function<void(std::ostream&)>& write) {
  if (path != kStandardOutput) return write_file_atomically(path, write);
  std::ostringstream text;
  write(text);
  print(text.view());
}

std::string harmless(std::string_view text) {
  std::string safe(text);
  for (char& c : safe) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  }
  return safe;
}

}  // namespace ferplus::tool
