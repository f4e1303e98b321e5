// A training run is a folder. Here: its files by what they hold, and whether a folder holds a run.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

namespace ferplus {

struct RunFolder {
  std::filesystem::path path;

  // What was asked for; `train --config` repeats it (run_config.h).
  std::filesystem::path config() const { return path / "config.json"; }
  // One JSON object per epoch (EpochMetrics, run_record.h).
  std::filesystem::path metrics() const { return path / "metrics.jsonl"; }
  // What was said.
  std::filesystem::path log() const { return path / "train.log"; }
  // Everything that resuming needs (TrainingState, checkpoint.h).
  std::filesystem::path checkpoint() const { return path / "last.safetensors"; }
  // The model of the epoch with the best public accuracy, the first of equals.
  std::filesystem::path best_model() const { return path / "best.safetensors"; }
  // The curves for TensorBoard, if asked for (tensorboard.h), which reads files with "tfevents" in
  // their name.
  std::filesystem::path events() const { return path / "events.out.tfevents.ferplus"; }
  // Where the time went, if that was asked for (Profile, profile.h).
  std::filesystem::path profile() const { return path / "profile.json"; }
  // Written at the end (RunSummary, run_record.h).
  std::filesystem::path summary() const { return path / "summary.json"; }

  bool holds_run() const;  // its config.json
};

// Whether a run's folder has a file of this name to itself.
bool is_file_of_run(std::string_view name);

// Throws Error if the folder holds none.
void require_run(const RunFolder& folder);
// Throws Error if the folder holds one already, or what is left of one.
void refuse_existing_run(const RunFolder& folder);

// The folder itself if it is a run's, else the runs' folders in it (of a sweep), by name. Throws
// Error if there are none.
std::vector<std::filesystem::path> run_folders(const std::filesystem::path& folder);

}  // namespace ferplus
