// Where the faces come from: the two CSVs or the folders, the same for every command.
#pragma once

#include <filesystem>
#include <string>

#include <CLI/CLI.hpp>

#include <ferplus/data/dataset.h>
#include <ferplus/train/run_config.h>

namespace ferplus::tool {

// Usage line of these options.
inline constexpr const char* kDataUsage = "(--fer F --ferplus G | -d DIR)";

struct DataOptions {
  std::filesystem::path fer, ferplus;  // both, or
  std::filesystem::path folders;
};

// The absolute path in its plainest form; empty stays empty.
std::string absolute_text(const std::filesystem::path& path);

// A run's data: set_data puts options that were given, as absolute paths, in the place of what the
// configuration had; data_of hands it to load.
void set_data(RunConfig& config, const DataOptions& options);
DataOptions data_of(const RunConfig& config);

// --fer, --ferplus and -d,--data in a group of their own. `options` must outlive the parsing.
void add_data_options(CLI::App& app, DataOptions& options);

// --fer and --ferplus alone, both required, for commands that write folders.
void add_csv_options(CLI::App& app, DataOptions& options);

// Throws UsageError unless exactly one source is given, whole. For commands that have work to do
// before they load.
void check(const DataOptions& options);

// Loads after check(). Throws Error that names file and line.
Dataset load(const DataOptions& options);

}  // namespace ferplus::tool
