// Options that every command that works has.
#pragma once

#include <CLI/CLI.hpp>

namespace ferplus::tool {

struct GeneralOptions {
  int threads = 0;  // 0: one per processor
  bool quiet = false;
};

// --threads and -q,--quiet. `options` must outlive the parsing.
void add_general_options(CLI::App& app, GeneralOptions& options);

// Sets the number of threads. To be called first in a command's Run.
void apply(const GeneralOptions& options);

}  // namespace ferplus::tool
