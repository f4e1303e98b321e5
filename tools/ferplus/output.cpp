#include "output.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <set>
#include <sstream>

#include <unistd.h>

#include <ferplus/core/error.h>
#include <ferplus/io/file.h>
#include <ferplus/train/run_folder.h>

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

namespace {

bool is_of_sweep(const fs::path& target) {
  if (target.filename() != "summary.json" && target.filename() != "summary.md") return false;
  std::error_code ignored;
  for (fs::directory_iterator entry(target.parent_path(), ignored);
       !ignored && entry != fs::directory_iterator(); entry.increment(ignored)) {
    if (RunFolder{entry->path()}.holds_run()) return true;
  }
  return false;
}

bool is_of_run(const fs::path& target) {
  return is_file_of_run(target.filename().string()) && RunFolder{target.parent_path()}.holds_run();
}

// `folder` holds data as label.csv and PNG files, in itself or in the folders in it.
bool is_data_of(const fs::path& output, const fs::path& folder) {
  if (output.filename() != "label.csv" && output.extension() != ".png") return false;
  if (!file_exists(output)) return false;
  const fs::path parent = absolute_path(output).parent_path();
  if (is_same_file(parent, folder)) return true;
  std::error_code ignored;
  for (fs::directory_iterator entry(folder, ignored); !ignored && entry != fs::directory_iterator();
       entry.increment(ignored)) {
    if (is_same_file(parent, entry->path())) return true;
  }
  return false;
}

}  // namespace

bool is_same_file(const fs::path& a, const fs::path& b) {
  std::error_code ignored;
  return fs::equivalent(a, b, ignored);
}

void check_outputs(const std::vector<fs::path>& outputs, const std::vector<fs::path>& inputs) {
  std::set<fs::path> taken, read;
  for (const fs::path& input : inputs) {
    if (!input.empty()) read.insert(plain(input));
  }
  for (const fs::path& output : outputs) {
    if (output.empty()) continue;
    const fs::path target = output == kStandardOutput ? output : plain(output);
    if (!taken.insert(target).second) {
      throw UsageError(concat("two outputs have the same name, ", output.string(),
                              ": one would replace the other"));
    }
    if (output == kStandardOutput) continue;
    const auto holds = [&](const fs::path& input) {
      return is_data_of(output, input) || is_data_of(target, input);
    };
    if (read.contains(target) || std::ranges::any_of(read, holds)) {
      throw UsageError(concat(output.string(), " is read here: write elsewhere"));
    }
    if (is_of_run(target) || is_of_sweep(target)) {
      throw UsageError(concat(output.string(), " is a training run's own: write elsewhere"));
    }
  }
}

void check_binary_output(const fs::path& output, const std::vector<fs::path>& inputs) {
  if (output == kStandardOutput) {
    throw UsageError("this output cannot go to standard output: name a file");
  }
  check_outputs({output}, inputs);
}

}  // namespace ferplus::tool
