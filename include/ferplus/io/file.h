// Files as whole things: mapped to read, replaced atomically when written.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

namespace ferplus {

// A read-only memory map. Move-only. An empty file maps to an empty span.
class MappedFile {
 public:
  // Throws Error that names the path and the system's reason (missing, a directory, no permission).
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::span<const std::byte> bytes() const { return bytes_; }
  std::string_view text() const {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }

 private:
  std::span<const std::byte> bytes_;
};

// Writes through `write` to a temporary file in the same folder, fsyncs it, renames it to `path` and
// fsyncs the folder: after a crash at any point the old file or the new one is there, whole. On an
// error the temporary file is removed and Error thrown. The folder must exist.
void write_file_atomically(const std::filesystem::path& path,
                           const std::function<void(std::ostream&)>& write);

}  // namespace ferplus
