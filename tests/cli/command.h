// The built `ferplus` as a child process, and small data sets for it to work on.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "support/temporary_folder.h"

namespace ferplus {

struct CommandResult {
  int exit_code = -1;  // 128 + the signal's number if one ended it
  std::string out, err;
};

// Runs `ferplus` with these arguments and the tests' environment, changed by `environment`, until
// it ends. Neither output is a terminal. Standard input is that file.
CommandResult run_ferplus(const std::vector<std::string>& arguments,
                          const std::map<std::string, std::string>& environment = {},
                          const std::string& standard_input = "/dev/null");

// Whether this machine gives pseudo-terminals: a bare chroot without /dev/pts does not.
bool has_terminals();

// The same with standard error on a pseudo-terminal of 100 columns.
CommandResult run_ferplus_on_terminal(const std::vector<std::string>& arguments,
                                      const std::map<std::string, std::string>& environment = {});

// Starts `ferplus`, sends `signal_number` once `ready` exists, and waits for its end.
CommandResult interrupt_ferplus(const std::vector<std::string>& arguments,
                                const std::filesystem::path& ready, int signal_number,
                                const std::string& standard_input = "/dev/null");

std::vector<std::string> lines_of(const std::string& text);

struct Row {
  std::string usage, name;
  std::array<int, 10> votes{};
  int gray = 0;  // of all pixels
};

// fer2013.csv and fer2013new.csv in `folder`.
void write_csvs(const std::filesystem::path& folder, const std::vector<Row>& rows);

// Eight rows whose counts and targets are known by hand: see command.cpp.
const std::vector<Row>& known_rows();

}  // namespace ferplus
