// Where a run stands, in memory and in last.safetensors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ferplus/nn/network.h>
#include <ferplus/train/optimizer.h>
#include <ferplus/train/run_config.h>

namespace ferplus {

// Steps that EpochMetrics::final_train_loss looks back on.
inline constexpr std::size_t kRecentSteps = 50;

// Of one step.
struct StepSums {
  double loss_sum = 0;
  std::int64_t correct = 0, images = 0;
  double seconds = 0;
};

// Where a run stands: between two steps.
struct Position {
  int epoch = 0;                // the epoch that the next step belongs to
  std::int64_t epoch_step = 0;  // that step's number in it, from 0
  std::int64_t run_steps = 0;   // done in the whole run
  // Sums over the steps done of this epoch.
  double loss_sum = 0, seconds = 0;
  std::int64_t correct = 0, images = 0;
  // Loss sum and images of each of the last kRecentSteps steps of this epoch, oldest first.
  std::vector<std::pair<double, std::int64_t>> recent;
  double recent_loss() const;  // mean over their images; REQUIRES: recent is not empty
  // Counts a step that was done. Allocates at the first one of a process at most.
  void add_step(const StepSums& step);
  void begin_next_epoch();
  // Best epoch so far; -1: none yet.
  int best_epoch = -1;
  double best_accuracy = 0;
};

// All that training changes from step to step.
struct TrainingState {
  Parameters parameters;
  Sgd optimizer;
  std::optional<WeightAverage> average;  // if the recipe averages
  Position position;
  // Fingerprints of the training and of the public images and their votes.
  std::string data, public_data;
  std::string origins;  // origins_after the model that it began with; empty: none, or not known

  TrainingState(const Network& network, const RunConfig& config);
};

// What a run's models say of it: to_metadata(config), `data` and, unless empty, `origins`.
std::map<std::string, std::string> to_metadata(const RunConfig& config, const TrainingState& state);

// Atomic; the old checkpoint stays until the new one is whole.
void save_checkpoint(const std::filesystem::path& path, const Network& network,
                     const RunConfig& config, const TrainingState& state);
// Throws Error that names the file and what is missing, damaged, of another network, or trained on
// other data than state.data, or measured on other than state.public_data, which older files do not
// know.
void load_checkpoint(const std::filesystem::path& path, const Network& network,
                     TrainingState& state);

// The model that a run evaluates: its averaged weights, else its weights.
const Parameters& evaluated_parameters(const TrainingState& state);

}  // namespace ferplus
