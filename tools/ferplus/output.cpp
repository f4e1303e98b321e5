#include "output.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <set>
#include <sstream>

#include <unistd.h>

#include <ferplus/core/error.h>
#include <ferplus/io/file.h>
#include <ferplus/train/run_record.h>

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

namespace fs = std::filesystem;

fs::path plain(const fs::path& path) {
  std::error_code error;
  const fs::path found = fs::weakly_canonical(absolute_path(path), error);
  return error ? absolute_path(path) : found;
}

void check_outputs(const std::vector<fs::path>& outputs) {
  std::set<fs::path> taken;
  for (const fs::path& output : outputs) {
    if (output.empty() || output == kStandardOutput) continue;
    const fs::path target = plain(output);
    if (!taken.insert(target).second) {
      throw UsageError(concat("two outputs have the same name, ", output.string(),
                              ": one would replace the other"));
    }
    if (is_file_of_run(target.filename().string()) &&
        file_exists(target.parent_path() / "config.json")) {
      throw UsageError(concat(output.string(), " is a training run's own: write elsewhere"));
    }
  }
}

std::string harmless(std::string_view text) {
  std::string safe(text);
  for (char& c : safe) {
    if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
  }
  return safe;
}

}  // namespace ferplus::tool
