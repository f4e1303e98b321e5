// A training run is a folder:
//   config.json        what was asked for; `train --config` repeats it
//   metrics.jsonl      one JSON object per epoch (EpochMetrics, run_record.h)
//   train.log          what was said
//   last.safetensors   everything that resuming needs (Checkpoint)
//   best.safetensors   the model of the epoch with the best public accuracy, the first of equals
//   events.out.tfevents.ferplus   the curves for TensorBoard (tensorboard.h), if asked for
//   profile.json       where the time went (Profile), if that was asked for
//   summary.json       written at the end: best epoch, its public and, if there, private accuracy
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <ferplus/data/label_mode.h>
#include <ferplus/data/transform.h>
#include <ferplus/kernels/conv2d.h>
#include <ferplus/nn/models.h>
#include <ferplus/nn/network.h>
#include <ferplus/train/optimizer.h>
#include <ferplus/train/recipe.h>

namespace ferplus {

// Everything that decides a run's bits, and where its data was.
struct RunConfig {
  std::string network = "vgg13";
  LabelMode mode = LabelMode::majority;
  Preprocessing preprocessing = Preprocessing::ferplus;
  Recipe recipe{};
  std::uint64_t seed = 1;
  // Which of the images that the mode keeps are trained on: see training_set.h.
  bool drop_leaks = false;
  std::size_t hold_out = 0;
  std::size_t limit = 0;  // 0: all
  // Keys "algorithm" and "algorithms". Recorded, because other algorithms round differently.
  ConvSelection convolution{};
  std::string fer{}, ferplus{}, folders{};  // absolute paths; empty: not used
  std::string from{};  // absolute path of a model to start from; empty: weights are drawn
};

// Throws UsageError: the recipe is invalid, or it changes targets in a way that the mode's loss
// does not allow, or the convolution algorithms are unknown, impossible, or both forced and tuned.
void validate(const RunConfig& config);

// Settings in which the bits of two runs would differ, as config.json names them: all but where the
// data is.
std::vector<std::string> differing_settings(RunConfig a, const RunConfig& b);

nlohmann::ordered_json to_json(const RunConfig& config);
// Missing keys keep the value they have in `config`. Throws UsageError for unknown keys and bad
// values.
void update_from_json(RunConfig& config, const nlohmann::json& json);
// Throws Error that names the file if it is not such JSON.
void read_config(const std::filesystem::path& path, RunConfig& config);
// The config.json of a run; one without "format" is none. Throws Error likewise.
RunConfig read_run_config(const std::filesystem::path& path);
void write_config(const std::filesystem::path& path, const RunConfig& config);

// Throws Error if the folder holds a run already.
void refuse_existing_run(const std::filesystem::path& folder);

// Steps that EpochMetrics::final_train_loss looks back on.
inline constexpr std::size_t kRecentSteps = 50;

// Where a run stands: between two steps.
struct Position {
  int epoch = 0;           // the epoch that the next step belongs to
  std::int64_t step = 0;   // of that epoch, from 0
  std::int64_t steps = 0;  // optimizer steps of the whole run so far
  // Sums over the steps done of this epoch.
  double loss = 0, seconds = 0;
  std::int64_t correct = 0, images = 0;
  // Loss sum and images of each of the last kRecentSteps steps of this epoch, oldest first.
  std::vector<std::pair<double, std::int64_t>> recent;
  double recent_loss() const;  // mean over their images; REQUIRES: recent is not empty
  // Best epoch so far; -1: none yet.
  int best_epoch = -1;
  double best_accuracy = 0;
};

// What resuming needs beside the network's own values.
struct Checkpoint {
  Parameters parameters;
  Sgd optimizer;
  std::optional<WeightAverage> average;  // if the recipe averages
  Position position;
  std::string data;  // fingerprint of the training images and votes

  Checkpoint(const Network& network, const RunConfig& config);
};

// Atomic; the old checkpoint stays until the new one is whole.
void save_checkpoint(const std::filesystem::path& path, const Network& network,
                     const RunConfig& config, Checkpoint& checkpoint);
// Throws Error that names the file and what is missing, damaged, of another network, or trained on
// other data than checkpoint.data.
void load_checkpoint(const std::filesystem::path& path, const Network& network,
                     Checkpoint& checkpoint);

// The model that a run evaluates: its averaged weights, else its weights.
const Parameters& evaluated_parameters(Checkpoint& checkpoint);
ModelOptions model_options(const Recipe& recipe);
Network build_network(const RunConfig& config);

}  // namespace ferplus
