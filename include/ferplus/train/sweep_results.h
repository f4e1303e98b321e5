// What came out of a sweep, from what its runs left on disk.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <ferplus/train/sweep.h>

namespace ferplus {

// What a run's folder says about it.
struct SweepResult {
  SweepRun run;
  bool finished = false;
  int epochs = 0;       // done
  double minutes = 0;   // of training, without evaluation
  int best_epoch = -1;  // by public accuracy, the first of equals; -1: none yet
  double public_accuracy = 0;
  std::optional<double> private_accuracy{};  // of the best epoch
  std::string failure{};                     // why it ended, if it did not finish; for the caller
};

// Reads the run's folder within `folder`; a run that has not begun is all zeros. Throws Error: a
// damaged file, or a run there with other settings than run.config (but for where its data is).
SweepResult read_result(const std::filesystem::path& folder, const SweepRun& run);

// Why runs had failed when the folder's summary.json was written, by name. What cannot be read of
// it is left out: the rest of it is in the runs' own folders.
std::map<std::string, std::string> recorded_failures(const std::filesystem::path& folder);

// Mean and sample standard deviation of a figure over a group's finished runs.
struct Spread {
  std::size_t count = 0;
  double mean = 0;
  std::optional<double> deviation{};  // of two or more
};
Spread spread(const std::vector<double>& values);

// The seeds of one network, recipe and mode.
struct SweepGroup {
  std::string network, recipe, mode;
  std::size_t runs = 0;  // asked for; spreads are over those that have finished
  Spread public_accuracy{}, private_accuracy{}, best_epoch{}, epochs{}, minutes{};
};
// In the order in which they first occur.
std::vector<SweepGroup> group_results(const std::vector<SweepResult>& results);

// {"groups": […], "runs": […]}.
nlohmann::ordered_json sweep_json(const std::vector<SweepResult>& results);
// A Markdown table of the groups, accuracies in per cent, and below it a line for each run that
// failed.
std::string sweep_markdown(const std::vector<SweepResult>& results);

}  // namespace ferplus
