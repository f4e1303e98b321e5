#include <array>
#include <atomic>
#include <cerrno>
#include <locale>
#include <ostream>
#include <streambuf>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ferplus/core/error.h>
#include <ferplus/io/file.h>

#include "io/descriptor.h"

namespace ferplus {
namespace fs = std::filesystem;
namespace {

// All of `size` bytes; returns 0 or errno.
int write_all(int descriptor, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(descriptor, data, size);
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    data += written;
    size -= static_cast<std::size_t>(written);
  }
  return 0;
}

// std::ofstream can neither fsync nor tell errno.
class DescriptorBuffer : public std::streambuf {
 public:
  explicit DescriptorBuffer(int descriptor) : descriptor_(descriptor) { restart(); }
  int error_number() const { return error_number_; }

 protected:
  int_type overflow(int_type character) override {
    if (sync() != 0) return traits_type::eof();
    if (!traits_type::eq_int_type(character, traits_type::eof())) {
      sputc(traits_type::to_char_type(character));
    }
    return traits_type::not_eof(character);
  }
  std::streamsize xsputn(const char* data, std::streamsize size) override {
    if (size < epptr() - pptr()) return std::streambuf::xsputn(data, size);
    if (sync() != 0 || !write(data, static_cast<std::size_t>(size))) return 0;
    return size;
  }
  int sync() override {
    const bool written = write(pbase(), static_cast<std::size_t>(pptr() - pbase()));
    restart();
    return written ? 0 : -1;
  }

 private:
  void restart() { setp(storage_.data(), storage_.data() + storage_.size()); }
  bool write(const char* data, std::size_t size) {
    if (error_number_ == 0) error_number_ = write_all(descriptor_, data, size);
    return error_number_ == 0;
  }

  int descriptor_;
  int error_number_ = 0;
  std::array<char, 1 << 16> storage_{};
};

void run_writer(int descriptor, const fs::path& path,
                const std::function<void(std::ostream&)>& write) {
  DescriptorBuffer buffer(descriptor);
  std::ostream out(&buffer);
  out.imbue(std::locale::classic());
  write(out);
  out.flush();
  if (buffer.error_number() != 0) throw system_error(path, "cannot write", buffer.error_number());
  if (!out) throw file_error(path, 0, "cannot write: the output stream failed");
}

void sync_folder(const fs::path& folder) {
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.valid()) throw system_error(folder, "cannot open", errno);
  // Some file systems cannot fsync a folder and say EINVAL; the rename itself has succeeded.
  if (::fsync(descriptor.number()) != 0 && errno != EINVAL) {
    throw system_error(folder, "cannot write", errno);
  }
}

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

constexpr int kMostLinks = 40;  // as Linux has it

// The one of our outputs that the link `path` leads to, as /dev/stdout does, or -1. Were it a file,
// replacing it would lose what else goes there.
int own_output(const fs::path& path) {
  struct stat named {
  }, own{};
  if (::stat(path.c_str(), &named) != 0) return -1;
  for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
    if (::fstat(descriptor, &own) == 0 && own.st_dev == named.st_dev &&
        own.st_ino == named.st_ino) {
      return descriptor;
    }
  }
  return -1;
}

struct TemporaryFile {
  fs::path path;
  int descriptor;
};

constexpr std::string_view kTemporaryMark = ".tmp-";

// Not mkstemp: its files are readable by their owner alone, whatever the umask.
TemporaryFile create_temporary(const fs::path& target) {
  static std::atomic<unsigned> counter{0};
  for (;;) {
    const fs::path path =
        folder_of(target) / concat(".", target.filename().string(), kTemporaryMark, ::getpid(), "-",
                                   counter.fetch_add(1));
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor >= 0) {
      // Held until it is closed, so that remove_left_temporaries() knows it for ours.
      static_cast<void>(::flock(descriptor, LOCK_EX | LOCK_NB));
      return {path, descriptor};
    }
    if (errno != EEXIST) throw system_error(target, "cannot create", errno);
  }
}

// Whether create_temporary() gives such names: .NAME.tmp-PROCESS-COUNT.
bool is_temporary(const std::string& name) {
  const std::size_t mark = name.rfind(kTemporaryMark);
  if (name[0] != '.' || mark == std::string::npos || mark < 2) return false;
  const std::string_view numbers = std::string_view(name).substr(mark + kTemporaryMark.size());
  const std::size_t dash = numbers.find('-');
  const auto is_number = [](std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  };
  return dash != numbers.npos && is_number(numbers.substr(0, dash)) &&
         is_number(numbers.substr(dash + 1));
}

// Removes temporary files that no living process holds.
void remove_left_temporaries(const fs::path& folder) {
  std::error_code failed;
  fs::directory_iterator entries(folder, failed);
  for (; !failed && entries != fs::directory_iterator(); entries.increment(failed)) {
    const fs::path& path = entries->path();
    if (!is_temporary(path.filename().string())) continue;
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (file.valid() && ::flock(file.number(), LOCK_EX | LOCK_NB) == 0) ::unlink(path.c_str());
  }
}

// Its file is removed at the end of the scope unless it was renamed away.
class RemoveAtExit {
 public:
  explicit RemoveAtExit(const fs::path& path) : path_(path) {}
  ~RemoveAtExit() {
    if (armed_) ::unlink(path_.c_str());
  }
  RemoveAtExit(const RemoveAtExit&) = delete;
  RemoveAtExit& operator=(const RemoveAtExit&) = delete;
  void disarm() { armed_ = false; }

 private:
  const fs::path& path_;
  bool armed_ = true;
};

// Appends what `content` makes of the open file and its length.
template <typename Content>
void append(const fs::path& path, const Content& content) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (!file.valid()) throw system_error(path, "cannot open", errno);
  const off_t length = ::lseek(file.number(), 0, SEEK_END);
  if (length < 0) throw system_error(path, "cannot append", errno);
  const auto bytes = content(file.number(), length);
  int error_number = write_all(file.number(), bytes.data(), bytes.size());
  if (error_number != 0) {
    if (::ftruncate(file.number(), length) != 0) error_number = errno;
    throw system_error(path, "cannot append", error_number);
  }
  if (::fsync(file.number()) != 0) {
    error_number = errno;
    if (::ftruncate(file.number(), length) != 0) error_number = errno;
    throw system_error(path, "cannot append", error_number);
  }
  if (file.reset() != 0) throw system_error(path, "cannot append", errno);
  if (length == 0) sync_folder(folder_of(path));
}

}  // namespace

bool file_exists(const fs::path& path) {
  std::error_code error;
  const bool exists = fs::exists(path, error);
  if (error) throw file_error(path, 0, concat("cannot look for it: ", error.message()));
  return exists;
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw file_error(folder, 0, concat("cannot create the folder: ", error.message()));
}

void write_file_atomically(const fs::path& path, const std::function<void(std::ostream&)>& write) {
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  if (fs::is_directory(status) || !path.has_filename()) {
    throw file_error(path, 0, "cannot write: is a folder, expected a file's name");
  }
  const int descriptor = fs::is_symlink(path, ignored) ? own_output(path) : -1;
  if (descriptor >= 0) {
    run_writer(descriptor, path, write);
    return;
  }
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    // Renaming over a device would replace it.
    const Descriptor device(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!device.valid()) throw system_error(path, "cannot open", errno);
    run_writer(device.number(), path, write);
    return;
  }
  if (fs::exists(status) && ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0) {
    throw system_error(path, "cannot write", errno);
  }
  fs::path target = path;
  for (int links = 0; fs::is_symlink(target, ignored); ++links) {
    if (links == kMostLinks) throw file_error(path, 0, "cannot write: its links go in circles");
    target = target.parent_path() / fs::read_symlink(target, ignored);
  }

  const TemporaryFile temporary = create_temporary(target);
  Descriptor file(temporary.descriptor);
  RemoveAtExit cleanup(temporary.path);
  if (fs::exists(status) &&
      ::fchmod(file.number(), static_cast<mode_t>(status.permissions() & fs::perms::all)) != 0) {
    throw system_error(path, "cannot give it the permissions of the file before", errno);
  }
  run_writer(file.number(), path, write);
  if (::fsync(file.number()) != 0 || file.reset() != 0) {
    throw system_error(path, "cannot write", errno);
  }
  if (::rename(temporary.path.c_str(), target.c_str()) != 0) {
    throw system_error(path, "cannot replace", errno);
  }
  cleanup.disarm();
  sync_folder(folder_of(target));
}

void append_line(const fs::path& path, std::string_view line) {
  append(path, [&](int descriptor, off_t length) {
    std::string text;
    if (length > 0) {
      char last = '\n';
      if (::pread(descriptor, &last, 1, length - 1) != 1) {
        throw system_error(path, "cannot read", errno);
      }
      if (last != '\n') text += '\n';
    }
    return text.append(line).append(1, '\n');
  });
}

void append_bytes(const fs::path& path, std::string_view bytes) {
  append(path, [&](int, off_t) { return bytes; });
}

fs::path absolute_path(const fs::path& path) {
  fs::path whole;
  for (const fs::path& name : fs::absolute(path)) {
    if (name != ".") whole /= name;
  }
  return whole;
}

FolderLock::FolderLock(const fs::path& folder) {
  const fs::path path = folder / ".lock";
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!file.valid()) throw system_error(path, "cannot lock the folder", errno);
  while (::flock(file.number(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) {
      throw file_error(folder, 0,
                       "is in use by another process; wait until it ends or name another folder");
    }
    throw system_error(path, "cannot lock the folder", errno);
  }
  descriptor_ = file.release();
  remove_left_temporaries(folder);
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

FolderLock& FolderLock::operator=(FolderLock&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}

}  // namespace ferplus
