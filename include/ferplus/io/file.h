// Files as whole things: mapped to read, replaced atomically when written; and the lock of a folder
// that one process at a time may write.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

namespace ferplus {

// A read-only memory map. Move-only. An empty file maps to an empty span. Thread-safe to read.
// Shortening the file in place while it is mapped makes reading past its new end a SIGBUS; of ours,
// only what is appended to is ever shortened, to its length before.
class MappedFile {
 public:
  // Throws Error that names the path and the system's reason (missing, a directory, no permission,
  // a pipe).
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

// Whether something is there, links followed. Throws Error that names the path if that cannot be
// told: a loop of links, a folder without permission.
bool file_exists(const std::filesystem::path& path);

// Without "." components; ".." stay, for what they mean is up to the links before them.
std::filesystem::path absolute_path(const std::filesystem::path& path);

// With those above it; nothing if it is there. Throws Error that names it.
void make_folder(const std::filesystem::path& folder);

// Writes through `write` to a temporary file in the same folder, fsyncs it, renames it to `path`
// and fsyncs the folder: after a crash at any point the old file or the new one is there, whole. On
// an error the temporary file is removed; what `write` threw passes through, all else is an Error.
// The folder must exist. A file without permission to write stays as it is. A symbolic link stays
// and its target is replaced; a device, a pipe and a link to this process's standard output or
// error (/dev/stdout) are written directly.
void write_file_atomically(const std::filesystem::path& path,
                           const std::function<void(std::ostream&)>& write);

// Appends `line` and a newline and fsyncs; creates the file if it is missing. A last line that a
// crash left without its newline is ended first, so that the new line stands alone. If writing
// fails the file keeps its former length. Throws Error. REQUIRES: line has no newline; one writer
// at a time.
void append_line(const std::filesystem::path& path, std::string_view line);

// Appends these bytes as they are, in the same way.
void append_bytes(const std::filesystem::path& path, std::string_view bytes);

// The exclusive right to write a folder, as an advisory lock on FOLDER/.lock that the kernel drops
// when the process ends, however it ends. The (empty) file stays. Taking it removes temporary
// files that write_file_atomically() left there when its process was killed. Move-only.
class FolderLock {
 public:
  // Does not wait: throws Error if another FolderLock, of this process or another, holds the
  // folder, or if the folder does not exist or cannot be written.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&& other) noexcept;

 private:
  int descriptor_ = -1;
};

}  // namespace ferplus
