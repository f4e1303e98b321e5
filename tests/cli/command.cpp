#include "cli/command.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ferplus {
namespace {

void redirect(int descriptor, const std::string& path, int flags) {
  const int file = open(path.c_str(), flags, 0600);
  if (file < 0 || dup2(file, descriptor) < 0) _exit(126);
}

pid_t start(const std::vector<std::string>& arguments,
            const std::map<std::string, std::string>& environment, const std::string& out,
            const std::string& err, const std::string& in = "/dev/null") {
  std::vector<std::string> words = {FERPLUS_TOOL};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error("fork failed");
  if (child == 0) {
    for (const auto& [name, value] : environment) setenv(name.c_str(), value.c_str(), 1);
    redirect(STDIN_FILENO, in, O_RDONLY);
    redirect(STDOUT_FILENO, out, O_WRONLY | O_CREAT | O_TRUNC);
    redirect(STDERR_FILENO, err, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY);
    execv(pointers[0], pointers.data());
    _exit(127);
  }
  return child;
}

bool has_ended(pid_t child) {
  siginfo_t state{};
  return waitid(P_PID, static_cast<id_t>(child), &state, WEXITED | WNOHANG | WNOWAIT) != 0 ||
         state.si_pid != 0;
}

int wait_for(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, 0) != child) throw std::runtime_error("waitpid failed");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

CommandResult run_ferplus(const std::vector<std::string>& arguments,
                          const std::map<std::string, std::string>& environment,
                          const std::string& standard_input) {
  const TemporaryFolder folder;
  const std::string out = folder / "out", err = folder / "err";
  const pid_t child = start(arguments, environment, out, err, standard_input);
  CommandResult result;
  result.exit_code = wait_for(child);
  result.out = read_text(out);
  result.err = read_text(err);
  return result;
}

bool has_terminals() {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0) return false;
  const bool usable = grantpt(terminal) == 0 && unlockpt(terminal) == 0;
  close(terminal);
  return usable;
}

CommandResult run_ferplus_on_terminal(const std::vector<std::string>& arguments,
                                      const std::map<std::string, std::string>& environment) {
  const TemporaryFolder folder;
  const std::string out = folder / "out";
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0) {
    throw std::runtime_error("no pseudo-terminal");
  }
  const winsize size{.ws_row = 24, .ws_col = 100, .ws_xpixel = 0, .ws_ypixel = 0};
  ioctl(terminal, TIOCSWINSZ, &size);
  const std::string name = ptsname(terminal);
  // Open here too: while nobody has this end open, reading the other one fails.
  const int child_end = open(name.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  const pid_t child = start(arguments, environment, out, name);
  CommandResult result;
  std::array<char, 4096> buffer{};
  for (bool ended = false;;) {
    pollfd readable{.fd = terminal, .events = POLLIN, .revents = 0};
    if (poll(&readable, 1, 20) > 0) {
      const ssize_t count = read(terminal, buffer.data(), buffer.size());
      if (count > 0) result.err.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (ended) {
      break;
    }
    ended = has_ended(child);
  }
  close(child_end);
  close(terminal);
  result.exit_code = wait_for(child);
  result.out = read_text(out);
  return result;
}

CommandResult interrupt_ferplus(const std::vector<std::string>& arguments,
                                const std::filesystem::path& ready, int signal_number,
                                const std::string& standard_input) {
  const TemporaryFolder folder;
  const std::string out = folder / "out", err = folder / "err";
  const pid_t child = start(arguments, {}, out, err, standard_input);
  while (!std::filesystem::exists(ready) && !has_ended(child)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  kill(child, signal_number);
  CommandResult result;
  result.exit_code = wait_for(child);
  result.out = read_text(out);
  result.err = read_text(err);
  return result;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

void write_csvs(const std::filesystem::path& folder, const std::vector<Row>& rows) {
  std::ostringstream fer, ferplus;
  fer << "emotion,pixels,Usage\n";
  ferplus << "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,"
             "unknown,NF\n";
  for (const Row& row : rows) {
    fer << "0,";
    for (int pixel = 0; pixel < 48 * 48; ++pixel) fer << (pixel > 0 ? " " : "") << row.gray;
    fer << ',' << row.usage << '\n';
    ferplus << row.usage << ',' << row.name;
    for (const int votes : row.votes) ferplus << ',' << votes;
    ferplus << '\n';
  }
  write_text(folder / "fer2013.csv", fer.str());
  write_text(folder / "fer2013new.csv", ferplus.str());
}

// Row 1 has no majority; rows 2 and 5 have no image; row 3 is "unknown"; row 4 looks like row 0 and
// row 6 like row 1; rows 6 and 7 share a name.
const std::vector<Row>& known_rows() {
  static const std::vector<Row> rows = {
      {"Training", "a.png", {10, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 10},
      {"Training", "b.png", {0, 5, 5, 0, 0, 0, 0, 0, 0, 0}, 20},
      {"Training", "", {0, 0, 0, 0, 0, 0, 0, 0, 0, 10}, 0},
      {"Training", "c.png", {0, 0, 0, 0, 0, 0, 0, 0, 10, 0}, 30},
      {"PublicTest", "d.png", {0, 0, 0, 0, 7, 0, 3, 0, 0, 0}, 10},
      {"PublicTest", " ", {0, 0, 0, 0, 0, 0, 0, 0, 0, 10}, 0},
      {"PrivateTest", "e.png", {0, 0, 0, 9, 0, 1, 0, 0, 0, 0}, 20},
      {"PrivateTest", "e.png", {0, 0, 0, 0, 0, 0, 0, 10, 0, 0}, 40},
  };
  return rows;
}

}  // namespace ferplus
