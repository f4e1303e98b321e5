// What a training run leaves to read: its epochs and its summary.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <ferplus/train/run_config.h>
#include <ferplus/train/run_folder.h>

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

// summary.json. Accuracies are those of the best model, in the precision of the recipe.
struct RunSummary {
  int epochs = 0;         // done
  bool finished = false;  // all epochs of the recipe are done
  int best_epoch = -1;    // counted from 0; -1: none yet
  double public_accuracy = 0;
  std::optional<double> private_accuracy{};  // if all epochs are done and the split is there
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

// Reads config.json, metrics.jsonl and summary.json; the last two may be missing. Throws Error that
// names the file.
RunRecord read_run(const RunFolder& folder);

}  // namespace ferplus
