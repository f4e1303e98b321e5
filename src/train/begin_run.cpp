#include "train/begin_run.h"

#include <ferplus/core/error.h>
#include <ferplus/io/file.h>
#include <ferplus/io/safetensors.h>
#include <ferplus/nn/model_file.h>
#include <ferplus/train/origins.h>
#include <ferplus/train/tensorboard.h>

namespace ferplus {
namespace {

// The weights and statistics of config.from instead of the drawn ones.
void start_from_model(const RunConfig& config, const Network& network, TrainingState& state) {
  if (config.from.empty()) return;
  Model model = load_model(config.from);
  if (model.network.name() != network.name()) {
    throw Error(concat(config.from, " is a ", model.network.name(), ": a run of ", network.name(),
                       " cannot start from it"));
  }
  if (model.preprocessing() != config.preprocessing) {
    throw Error(concat(config.from, " expects faces with the preprocessing ",
                       preprocessing_name(model.preprocessing()),
                       ": train it with --preprocessing ",
                       preprocessing_name(model.preprocessing())));
  }
  state.parameters = std::move(model.parameters);
  state.origins = origins_after(model.metadata);
}

// A crash between the writing of the best model and that of the checkpoint leaves a best model of
// an epoch that is still to be done. The same epoch makes it again; one at other rates need not.
void check_best_model(const RunFolder& folder, const Position& position) {
  const std::filesystem::path best = folder.best_model();
  if (!file_exists(best)) return;
  const auto metadata = SafetensorsFile(best).metadata();
  const auto epoch = metadata.find("epoch");
  if (epoch != metadata.end() && epoch->second == std::to_string(position.best_epoch)) return;
  throw Error(concat(best.string(), " is from an epoch that was not finished: resume the run once ",
                     "with the epochs it had, before they change"));
}

std::string resume(const RunFolder& folder, const RunConfig& config, const Network& network,
                   Index steps_per_epoch, TrainingState& state) {
  const RunConfig before = read_run_config(folder.config());
  const int epochs_before = before.recipe.epochs;
  RunConfig same = config;
  same.recipe.epochs = epochs_before;
  std::string differing;
  for (const std::string& name : differing_settings(same, before)) {
    differing += concat(differing.empty() ? "" : ", ", name);
  }
  if (!differing.empty()) {
    throw Error(concat("the settings differ from those in ", folder.config().string(), " (",
                       differing, "): a resumed run keeps its own; only epochs may change"));
  }
  if (file_exists(folder.checkpoint())) {
    load_checkpoint(folder.checkpoint(), network, state);
  } else if (file_exists(folder.metrics()) || file_exists(folder.best_model())) {
    throw Error(
        concat(folder.checkpoint().string(),
               " is missing, so there is nothing to resume from; what the run left is kept"));
  } else {
    start_from_model(config, network, state);
  }
  const Position& position = state.position;
  if (position.epoch_step > steps_per_epoch) {
    throw Error(concat(folder.checkpoint().string(), " stands at step ", position.epoch_step,
                       " of an epoch that has ", steps_per_epoch, ": other data than before?"));
  }
  if (config.recipe.epochs < position.epoch) {
    throw Error(concat("the run has done ", position.epoch, " epochs: it cannot be cut to ",
                       config.recipe.epochs));
  }
  if (config.recipe.epochs != epochs_before) check_best_model(folder, position);
  // Lines of epochs that the checkpoint does not have: a crash came between the two.
  cut_metrics(folder.metrics(), position.epoch);
  if (config.recipe.epochs == epochs_before) return {};
  return concat("the run now has ", config.recipe.epochs, " epochs instead of ", epochs_before,
                ": from epoch ", position.epoch + 1, " on, the learning rate is that of schedule '",
                config.recipe.schedule, "' spread over ", config.recipe.epochs,
                " epochs; the epochs done keep the rates that they had");
}

}  // namespace

std::string begin_run(const TrainOptions& options, const RunConfig& config, const Network& network,
                      Index steps_per_epoch, TrainingState& state) {
  const RunFolder folder{options.folder};
  std::string note;
  if (options.resume) {
    note = resume(folder, config, network, steps_per_epoch, state);
  } else {
    refuse_existing_run(folder);
    start_from_model(config, network, state);
  }
  if (options.tensorboard) {
    const std::filesystem::path metrics = folder.metrics();
    write_events(folder,
                 file_exists(metrics) ? read_metrics(metrics) : std::vector<EpochMetrics>{});
  }
  write_config(folder.config(), config);
  return note;
}

}  // namespace ferplus
