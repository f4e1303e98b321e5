// A POSIX file descriptor that closes itself, and errno as part of an Error.
#pragma once

#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

#include <unistd.h>

#include <ferplus/core/error.h>

namespace ferplus {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { reset(); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int number() const { return number_; }
  bool valid() const { return number_ >= 0; }
  int release() { return std::exchange(number_, -1); }
  // The result of close(): the last chance to hear of a failed write.
  int reset() { return number_ >= 0 ? ::close(std::exchange(number_, -1)) : 0; }

 private:
  int number_;
};

// "model.safetensors: cannot open: No such file or directory".
inline Error system_error(const std::filesystem::path& path, const std::string& action,
                          int error_number) {
  return file_error(path, 0, concat(action, ": ", std::strerror(error_number)));
}

}  // namespace ferplus
