// The errors that this library throws. The library never prints and never exits; a program maps an
// Error to an exit code in one place (see tools/ferplus/main.cpp).
#pragma once

#include <filesystem>
#include <locale>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace ferplus {

// Something a caller, a file or the machine caused. what() is one sentence for the user that says
// what is wrong, where, and, if it is not obvious, what to do about it. No trailing newline.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The request itself makes no sense: an unknown mode, options that exclude each other.
class UsageError : public Error {
 public:
  using Error::Error;
};

// The parts, written one after another with operator<<: concat("row ", 3, ": bad").
template <typename... Parts>
std::string concat(const Parts&... parts) {
  std::ostringstream out;
  out.imbue(std::locale::classic());  // a program's own locale is not that of files and messages
  (out << ... << parts);
  return std::move(out).str();
}

// An Error that names a place in a file as compilers do: "fer2013.csv:812: expected 2304 pixels".
// Lines count from 1; line 0 stands for the file as a whole.
inline Error file_error(const std::filesystem::path& file, std::size_t line,
                        const std::string& reason) {
  return Error(line == 0 ? concat(file.string(), ": ", reason)
                         : concat(file.string(), ":", line, ": ", reason));
}

}  // namespace ferplus
