// The training loop: CSV → batch → forward → loss → backward → step → metrics.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include <ferplus/data/dataset.h>
#include <ferplus/train/profile.h>
#include <ferplus/train/run_record.h>

namespace ferplus {

// How a run is driven; none of this changes its bits.
struct TrainOptions {
  std::filesystem::path folder;       // of the run; made if missing
  bool resume = false;                // go on from last.safetensors
  int stop_after = 0;                 // end after so many epochs of the run; 0: the recipe's
  std::int64_t checkpoint_every = 0;  // steps; 0: after each epoch only
  bool profile = false;               // write profile.json at the end, interrupted or not
  bool tensorboard = false;           // write RunFolder::events(), of all epochs of the run
};

// What a listener hears once the run's folder is ready and before the first step.
struct StartReport {
  std::string network;
  std::size_t parameters = 0;
  std::int64_t train_images = 0, public_images = 0;
  std::optional<std::size_t> leaks;  // images left out, with drop_leaks
  std::size_t held_out = 0;          // images
  std::int64_t steps_per_epoch = 0;
  int epochs = 0;
  int epoch = 0;            // where the run stands; after resuming not 0
  std::int64_t images = 0;  // of that epoch that are done
};

// What a listener hears after each step; means are over the epoch so far.
struct StepReport {
  int epoch = 0, epochs = 0;
  std::int64_t step = 0, steps_per_epoch = 0;  // step of the epoch, from 1
  std::int64_t images = 0, epoch_images = 0;   // done, in all
  double loss = 0, mean_loss = 0, mean_accuracy = 0, learning_rate = 0;
};

// Told what happens, from the thread that trains. What it throws ends the training and reaches the
// caller of train(); the folder then holds the last checkpoint.
class TrainListener {
 public:
  virtual ~TrainListener() = default;
  virtual void on_start(const StartReport& /*report*/) {}
  virtual void on_message(const std::string& /*message*/) {}
  virtual void on_step(const StepReport& /*report*/) {}
  virtual void on_evaluation(std::size_t /*done*/, std::size_t /*total*/) {}
  virtual void on_epoch(const EpochMetrics& /*metrics*/, bool /*best*/) {}
  // At the end, with TrainOptions::profile: of the steps of this call.
  virtual void on_profile(const Profile& /*profile*/) {}
  // Asked after each step and each evaluated batch; true: save and return.
  virtual bool stop_requested() { return false; }
};

struct TrainResult : RunSummary {
  bool interrupted = false;  // by the listener; resume to go on
};

// Trains `config` on the training split of `dataset` in options.folder, evaluating on its public
// split after each epoch. The same config, data and ISA give the same bits for any number of
// threads and any number of interruptions. While it runs, config.convolution is the
// conv_selection() of the process: no other thread may run sessions then, and those made outside
// throw in the listener if it differs from theirs (nn/session.h).
//
// A new run refuses a folder that holds one. A resumed run must have the folder's config.json but
// for recipe.epochs, which may grow or shrink: the schedule is then that of the new number of
// epochs, and the steps done count as the first part of it.
//
// Throws Error: data without the needed splits, a folder in use by another process, a checkpoint
// that is missing, damaged, of another network or of other training or public images or votes, a
// loss that is not finite (naming step, layer and rows), weights that are not, options.tensorboard
// in a build without. The folder then still holds the last checkpoint.
TrainResult train(const Dataset& dataset, const RunConfig& config, const TrainOptions& options,
                  TrainListener& listener);

}  // namespace ferplus
