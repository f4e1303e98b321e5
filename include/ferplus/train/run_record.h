// A training run is a folder:
//   config.json        what was asked for; `train --config` repeats it
//   metrics.jsonl      one JSON object per epoch (EpochMetrics)
//   train.log          what was said
//   last.safetensors   everything that resuming needs (TrainingState, checkpoint.h)
//   best.safetensors   the model of the epoch with the best public accuracy, the first of equals
//   events.out.tfevents.ferplus   the curves for TensorBoard (tensorboard.h), if asked for
//   profile.json       where the time went (Profile), if that was asked for
//   summary.json       written at the end: best epoch, its public and, if there, private accuracy,
//                      both in the precision of the recipe
// Here: its rows and its summary, read and cut back, and whether a folder holds a run.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <ferplus/train/run_config.h>

namespace ferplus {

// One row of metrics.jsonl. Losses are means over images. train_*: in training, with dropout, on
// distorted faces, against the targets as the recipe presents them (smoothed, weighed, mixed);
// train_accuracy is the share of images whose largest logit is of a class with the largest target
// (multi_target: of any admitted class). public_*: majority targets, averaged weights if the recipe
// averages.
struct EpochMetrics {
  int epoch = 0;  // counted from 0
  double train_loss = 0, train_accuracy = 0;
  // Of the epoch's last kRecentSteps steps (checkpoint.h); nothing in files of older versions.
  std::optional<double> final_train_loss{};
  double public_loss = 0, public_accuracy = 0;
  double learning_rate = 0;                   // of the epoch's first step
  double seconds = 0, images_per_second = 0;  // training alone
  // The clock after the evaluation, in seconds since 1970 UTC; nothing in files of older versions.
  std::optional<double> wall_time{};
};
nlohmann::ordered_json to_json(const EpochMetrics& metrics);

// The rows of a metrics.jsonl. A last line without its newline, cut off by a crash, is left out:
// resuming does the epoch again. Throws Error that names file and line: no JSON object, a figure
// that is missing, no number or out of its range (shares 0 to 1, seconds from 0), an epoch that is
// not the line's, more lines than a run can have.
std::vector<EpochMetrics> read_metrics(const std::filesystem::path& path);
// Keeps the first `epochs` lines of a metrics.jsonl, which may be missing if that is none. Throws
// Error if there are fewer; a last line without its newline is none here either.
void cut_metrics(const std::filesystem::path& path, int epochs);

// summary.json.
struct RunSummary {
  int epochs = 0;  // done
  bool finished = false;
  int best_epoch = 0;  // counted from 0
  double public_accuracy = 0;
  std::optional<double> private_accuracy{};
};
nlohmann::ordered_json to_json(const RunSummary& summary);

struct RunRecord {
  std::filesystem::path folder;
  RunConfig config;
  std::vector<EpochMetrics> epochs;  // done
  // Of these epochs; nothing if the run was interrupted, is under way or has been extended since.
  std::optional<RunSummary> summary;

  bool finished() const { return summary && summary->finished; }
  // By public accuracy, the first of equals; null if no epoch is done.
  const EpochMetrics* best() const;
  double seconds() const;  // of training, without evaluation
};

// Whether a run's folder has a file of this name to itself.
bool is_file_of_run(std::string_view name);

// Throws Error if the folder holds a run already.
void refuse_existing_run(const std::filesystem::path& folder);

// Reads config.json, metrics.jsonl and summary.json; the last two may be missing. Throws Error that
// names the file.
RunRecord read_run(const std::filesystem::path& folder);

// The folder itself if it is a run's, else the runs' folders in it (of a sweep), by name. Throws
// Error if there are none.
std::vector<std::filesystem::path> run_folders(const std::filesystem::path& folder);

}  // namespace ferplus
