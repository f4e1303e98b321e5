// Log lines on the console, above a progress bar if there is one, and in a file.
#pragma once

#include <filesystem>
#include <memory>

#include <spdlog/logger.h>

#include "terminal.h"

namespace ferplus::tool {

struct LogOptions {
  bool quiet = false;            // on the console warnings and errors only; the file gets all
  std::filesystem::path file{};  // train.log of a run; empty: none
  bool append = false;           // keep what the file holds, for --resume
};

// The console gets plain lines ("warning: …" for warnings), the file the same with date and level,
// flushed line by line. Thread-safe. Throws Error if the file cannot be opened.
std::shared_ptr<spdlog::logger> make_logger(const LogOptions& options,
                                            Console& console = Console::standard_error());

}  // namespace ferplus::tool
