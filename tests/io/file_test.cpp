#include <csignal>
#include <cstdio>
#include <filesystem>
#include <locale>
#include <ostream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ferplus/core/error.h>
#include <ferplus/io/file.h>

#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;
using ::testing::UnorderedElementsAreArray;

TEST(MappedFile, HoldsTheBytes) {
  const TemporaryFolder folder;
  write_text(folder / "a", std::string("one\0two\n", 8));
  MappedFile file(folder / "a");
  EXPECT_EQ(file.text(), std::string_view("one\0two\n", 8));
  EXPECT_EQ(file.bytes().size(), 8U);

  MappedFile moved = std::move(file);
  EXPECT_EQ(moved.text().substr(0, 3), "one");
  write_text(folder / "b", "other");
  MappedFile other(folder / "b");
  moved = std::move(other);
  EXPECT_EQ(moved.text(), "other");
}

TEST(MappedFile, EmptyFileIsAnEmptySpan) {
  const TemporaryFolder folder;
  write_text(folder / "empty", "");
  EXPECT_TRUE(MappedFile(folder / "empty").bytes().empty());
}

TEST(MappedFile, NamesFileAndReason) {
  const TemporaryFolder folder;
  const auto message = [&](const std::string& name) {
    return message_of<Error>([&] { MappedFile(folder / name); });
  };
  EXPECT_EQ(message("none"),
            (folder / "none").string() + ": cannot open: No such file or directory");
  EXPECT_EQ(message("."), (folder / ".").string() + ": is a folder, expected a file");
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_THAT(message("pipe"), HasSubstr("is not a regular file"));
}

TEST(WriteFileAtomically, CreatesAndReplaces) {
  const TemporaryFolder folder;
  const auto path = folder / "file";
  write_file_atomically(path, [](std::ostream& out) { out << "first"; });
  EXPECT_EQ(read_text(path), "first");
  write_file_atomically(path, [](std::ostream& out) { out << "second"; });
  EXPECT_EQ(read_text(path), "second");
  EXPECT_EQ(folder.entries(), 1);
}

TEST(WriteFileAtomically, EveryByteArrivesWhateverTheSizes) {
  const TemporaryFolder folder;
  std::string expected;
  write_file_atomically(folder / "file", [&](std::ostream& out) {
    for (std::size_t size : {1U, 65535U, 65536U, 65537U, 3U, 200000U, 0U, 131072U}) {
      std::string part(size, 'x');
      for (std::size_t i = 0; i < size; ++i) part[i] = static_cast<char>(i * 31 + size);
      out.write(part.data(), static_cast<std::streamsize>(part.size()));
      out.put('|');
      expected += part + '|';
    }
  });
  EXPECT_EQ(read_text(folder / "file"), expected);
}

// A program that links the library may have a locale of its own.
TEST(WriteFileAtomically, DoesNotDependOnTheGlobalLocale) {
  struct Grouped : std::numpunct<char> {
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };
  const TemporaryFolder folder;
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Grouped));
  write_file_atomically(folder / "a", [](std::ostream& out) { out << 1234567; });
  std::locale::global(before);
  EXPECT_EQ(read_text(folder / "a"), "1234567");
}

TEST(WriteFileAtomically, AFailedWriterLeavesTheOldFileAndNothingElse) {
  const TemporaryFolder folder;
  const auto path = folder / "file";
  write_text(path, "old");
  const auto failing = [](std::ostream& out) {
    out << std::string(100000, 'n');
    throw std::runtime_error("no more");
  };
  EXPECT_EQ(message_of<std::runtime_error>([&] { write_file_atomically(path, failing); }),
            "no more");
  EXPECT_EQ(read_text(path), "old");
  EXPECT_EQ(folder.entries(), 1);

  const auto bad = [](std::ostream& out) { out.setstate(std::ios::failbit); };
  EXPECT_THAT(message_of<Error>([&] { write_file_atomically(path, bad); }),
              StartsWith(path.string() + ": cannot write"));
  EXPECT_EQ(read_text(path), "old");
  EXPECT_EQ(folder.entries(), 1);
}

TEST(WriteFileAtomically, TheOldFileIsThereUntilTheNewOneIsWhole) {
  const TemporaryFolder folder;
  const auto path = folder / "file";
  write_text(path, "old");
  write_file_atomically(path, [&](std::ostream& out) {
    out << std::string(100000, 'n') << std::flush;
    EXPECT_EQ(read_text(path), "old");
  });
  EXPECT_EQ(read_text(path).size(), 100000U);
}

TEST(WriteFileAtomically, ReportsAFullDevice) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "no /dev/full";
  const std::string message = message_of<Error>(
      [] { write_file_atomically("/dev/full", [](std::ostream& out) { out << "x"; }); });
  EXPECT_EQ(message, "/dev/full: cannot write: No space left on device");
}

TEST(WriteFileAtomically, DevicesStayDevices) {
  write_file_atomically("/dev/null", [](std::ostream& out) { out << "x"; });
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

// Standard output goes to a file until the end of the scope.
class Redirected {
 public:
  explicit Redirected(const std::filesystem::path& path)
      : kept_(::dup(STDOUT_FILENO)), file_(::open(path.c_str(), O_WRONLY | O_APPEND)) {
    std::fflush(stdout);
    ::dup2(file_, STDOUT_FILENO);
  }
  ~Redirected() {
    ::dup2(kept_, STDOUT_FILENO);
    ::close(kept_);
    ::close(file_);
  }
  Redirected(const Redirected&) = delete;
  Redirected& operator=(const Redirected&) = delete;

 private:
  int kept_, file_;
};

// As `-o /dev/stdout >> all` asks; the name of that file means the file.
TEST(WriteFileAtomically, OurStandardOutputIsAddedTo) {
  if (::access("/dev/stdout", F_OK) != 0) GTEST_SKIP() << "no /dev/stdout";
  const TemporaryFolder folder;
  write_text(folder / "all", "before ");
  {
    const Redirected output(folder / "all");
    write_file_atomically("/dev/stdout", [](std::ostream& out) { out << "after"; });
  }
  EXPECT_EQ(read_text(folder / "all"), "before after");
  {
    const Redirected output(folder / "all");
    write_file_atomically(folder / "all", [](std::ostream& out) { out << "new"; });
  }
  EXPECT_EQ(read_text(folder / "all"), "new");
}

TEST(WriteFileAtomically, AProtectedFileStays) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "kept";
  write_text(path, "old");
  ASSERT_EQ(::chmod(folder.path().c_str(), 0777), 0);
  ASSERT_EQ(::chmod(path.c_str(), 0444), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr uid_t kNobody = 65534;  // root may write everywhere
    if (::geteuid() == 0 && ::setresuid(kNobody, kNobody, kNobody) != 0) ::_exit(2);
    try {
      write_file_atomically(path, [](std::ostream& out) { out << "new"; });
    } catch (const Error&) {
      ::_exit(0);
    }
    ::_exit(1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(read_text(path), "old");
}

TEST(AbsolutePath, LeavesWhatLinksDecide) {
  EXPECT_EQ(absolute_path("/a/./link/../b"), "/a/link/../b");
  EXPECT_EQ(absolute_path("x"), std::filesystem::current_path() / "x");
}

TEST(WriteFileAtomically, ASymbolicLinkStays) {
  const TemporaryFolder folder;
  write_text(folder / "target", "old");
  std::filesystem::create_symlink("target", folder / "link");
  write_file_atomically(folder / "link", [](std::ostream& out) { out << "new"; });
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(read_text(folder / "target"), "new");
}

TEST(WriteFileAtomically, ALinkToNothingStaysAndLinksInACircleAreAnError) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "below");
  std::filesystem::create_symlink("below/target", folder / "link");
  write_file_atomically(folder / "link", [](std::ostream& out) { out << "new"; });
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "link"));
  EXPECT_EQ(read_text(folder / "below/target"), "new");
  std::filesystem::create_symlink("b", folder / "a");
  std::filesystem::create_symlink("a", folder / "b");
  EXPECT_THAT(message_of<Error>([&] {
                write_file_atomically(folder / "a", [](std::ostream& out) { out << "new"; });
              }),
              HasSubstr("circles"));
  EXPECT_TRUE(std::filesystem::is_symlink(folder / "a"));
}

TEST(WriteFileAtomically, PermissionsStay) {
  const TemporaryFolder folder;
  write_text(folder / "file", "old");
  using std::filesystem::perms;
  std::filesystem::permissions(folder / "file", perms::owner_read | perms::owner_write);
  write_file_atomically(folder / "file", [](std::ostream& out) { out << "new"; });
  EXPECT_EQ(std::filesystem::status(folder / "file").permissions(),
            perms::owner_read | perms::owner_write);
}

TEST(WriteFileAtomically, NamesAMissingFolderAndAFolderInTheWay) {
  const TemporaryFolder folder;
  const auto write = [](const std::filesystem::path& path) {
    return message_of<Error>([&] { write_file_atomically(path, [](std::ostream&) {}); });
  };
  EXPECT_EQ(write(folder / "none/file"),
            (folder / "none/file").string() + ": cannot create: No such file or directory");
  EXPECT_THAT(write(folder.path()), HasSubstr("is a folder, expected a file"));
}

TEST(AppendLine, AddsLinesAndEndsATornOne) {
  const TemporaryFolder folder;
  const auto path = folder / "metrics.jsonl";
  append_line(path, "{\"epoch\":0}");
  append_line(path, "{\"epoch\":1}");
  EXPECT_EQ(read_text(path), "{\"epoch\":0}\n{\"epoch\":1}\n");
  write_text(path, "whole\nto");
  append_line(path, "next");
  EXPECT_EQ(read_text(path), "whole\nto\nnext\n");
}

TEST(AppendLine, NamesTheFile) {
  EXPECT_EQ(message_of<Error>([] { append_line("/nonexistent/file", "x"); }),
            "/nonexistent/file: cannot open: No such file or directory");
}

TEST(AppendBytes, AddsThemAsTheyAre) {
  const TemporaryFolder folder;
  const auto path = folder / "records";
  append_bytes(path, std::string_view("a\0b", 3));
  append_bytes(path, "");
  append_bytes(path, "\nc");
  EXPECT_EQ(read_text(path), std::string("a\0b\nc", 5));
}

TEST(FolderLock, OneAtATime) {
  const TemporaryFolder folder;
  {
    FolderLock lock(folder.path());
    EXPECT_EQ(message_of<Error>([&] { FolderLock{folder.path()}; }),
              folder.path().string() +
                  ": is in use by another process; wait until it ends or name another folder");
    FolderLock moved = std::move(lock);
    EXPECT_THROW(FolderLock{folder.path()}, Error);
  }
  EXPECT_NO_THROW(FolderLock{folder.path()});
}

// Forks a process that calls `work` with what says that it is ready and waits, and kills it there;
// `meanwhile` runs before that.
template <typename Work, typename Meanwhile>
void kill_while_it(const Work& work, const Meanwhile& meanwhile) {
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    work([&] {
      if (::write(ready[1], "x", 1) != 1) ::_exit(1);
      for (;;) ::pause();
    });
    ::_exit(1);
  }
  ::close(ready[1]);
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  meanwhile();
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  ::close(ready[0]);
}

TEST(FolderLock, AProcessThatIsKilledLetsGo) {
  const TemporaryFolder folder;
  kill_while_it(
      [&](const auto& wait) {
        const FolderLock lock(folder.path());
        wait();
      },
      [&] { EXPECT_THROW(FolderLock{folder.path()}, Error); });
  EXPECT_NO_THROW(FolderLock{folder.path()});
}

TEST(FolderLock, RemovesWhatKilledProcessesLeft) {
  const TemporaryFolder folder;
  const auto names = [&] {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      found.push_back(entry.path().filename().string());
    }
    return found;
  };
  kill_while_it(
      [&](const auto& wait) {
        write_file_atomically(folder / "model", [&](std::ostream&) { wait(); });
      },
      [&] {
        const FolderLock lock(folder.path());
        EXPECT_THAT(names(), UnorderedElementsAre(StartsWith(".model.tmp-"), ".lock"))
            << "its process is alive";
      });
  EXPECT_THAT(names(), SizeIs(2));
  const std::vector<std::string> kept = {
      "model.tmp-9-0", ".tmp-9-0",      ".tmp-notes",         ".model.tmp-9",
      ".model.tmp-9-", ".model.tmp--0", ".model.tmp-9-0.txt", ".model.tmp-9-0-notes"};
  for (const std::string& name : kept) write_text(folder / name, "kept");
  std::vector<std::string> expected = kept;
  expected.push_back(".lock");
  const FolderLock lock(folder.path());
  EXPECT_THAT(names(), UnorderedElementsAreArray(expected));
}

TEST(FolderLock, NamesAMissingFolder) {
  EXPECT_THAT(message_of<Error>([] { FolderLock{"/nonexistent"}; }),
              StartsWith("/nonexistent/.lock: cannot lock the folder: "));
}

}  // namespace
}  // namespace ferplus
