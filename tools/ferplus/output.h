// What commands put out, and where.
#pragma once

#include <filesystem>
#include <functional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

namespace ferplus::tool {

inline constexpr const char* kStandardOutput = "-";

// To standard output, at once, past a progress bar on the terminal. Throws Error if it cannot be
// written to.
void print(std::string_view text);

// What `write` puts out becomes the file, whole or not at all (io/file.h), or, of "-", is printed.
void write_output(const std::filesystem::path& path,
                  const std::function<void(std::ostream&)>& write);

// Links followed as far as there is something: equal for equal files.
std::filesystem::path plain(const std::filesystem::path& path);

// Of two names, at least one of an existing file.
bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b);

// Before anything is computed. Throws UsageError if two outputs are the same file or both standard
// output, or if one would replace an input, a PNG or label.csv in a folder of data that is one, or
// a file of a training run or sweep. Empty ones do not count.
void check_outputs(const std::vector<std::filesystem::path>& outputs,
                   const std::vector<std::filesystem::path>& inputs = {});
// The same for one that cannot go to standard output, which it refuses.
void check_binary_output(const std::filesystem::path& output,
                         const std::vector<std::filesystem::path>& inputs = {});

}  // namespace ferplus::tool
