#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/nn/model_file.h>
#include <ferplus/train/checkpoint.h>

namespace ferplus {
namespace {

using nlohmann::json;

nlohmann::ordered_json to_json(const Position& p) {
  return {{"epoch", p.epoch},   {"step", p.epoch_step},       {"steps", p.run_steps},
          {"loss", p.loss_sum}, {"seconds", p.seconds},       {"correct", p.correct},
          {"images", p.images}, {"best_epoch", p.best_epoch}, {"best_accuracy", p.best_accuracy},
          {"recent", p.recent}};
}

Position position_from(const json& object) {
  Position p;
  object.at("epoch").get_to(p.epoch);
  object.at("step").get_to(p.epoch_step);
  object.at("steps").get_to(p.run_steps);
  object.at("loss").get_to(p.loss_sum);
  object.at("seconds").get_to(p.seconds);
  object.at("correct").get_to(p.correct);
  object.at("images").get_to(p.images);
  object.at("best_epoch").get_to(p.best_epoch);
  object.at("best_accuracy").get_to(p.best_accuracy);
  object.at("recent").get_to(p.recent);
  if (p.recent.size() > kRecentSteps) throw Error("too many recent steps");
  if (p.epoch < 0 || p.epoch_step < 0 || p.run_steps < 0) throw Error("a position below zero");
  return p;
}

}  // namespace

TrainingState::TrainingState(const Network& network, const RunConfig& config)
    : parameters(network),
      optimizer(network, {.momentum = config.recipe.momentum,
                          .unit_gain = config.recipe.unit_gain,
                          .nesterov = config.recipe.nesterov,
                          .weight_decay = config.recipe.weight_decay,
                          .batch = config.recipe.batch}) {
  if (config.recipe.ema > 0) average.emplace(network, config.recipe.ema);
  initialize(network, parameters, initialization_from_name(config.recipe.initialization),
             config.seed);
}

const Parameters& evaluated_parameters(const TrainingState& state) {
  return state.average ? state.average->average() : state.parameters;
}

void Position::add_step(const StepSums& step) {
  ++epoch_step;
  ++run_steps;
  loss_sum += step.loss_sum;
  correct += step.correct;
  images += step.images;
  seconds += step.seconds;
  recent.reserve(kRecentSteps);
  if (recent.size() == kRecentSteps) recent.erase(recent.begin());
  recent.emplace_back(step.loss_sum, step.images);
}

double Position::recent_loss() const {
  double sum = 0, count = 0;
  for (const auto& [step_loss, step_images] : recent) {
    sum += step_loss;
    count += static_cast<double>(step_images);
  }
  return sum / count;
}

void Position::begin_next_epoch() {
  ++epoch;
  epoch_step = correct = images = 0;
  loss_sum = seconds = 0;
  recent.clear();
}

std::map<std::string, std::string> to_metadata(const RunConfig& config,
                                               const TrainingState& state) {
  std::map<std::string, std::string> metadata = to_metadata(config);
  metadata["data"] = state.data;
  if (!state.origins.empty()) metadata["origins"] = state.origins;
  return metadata;
}

void save_checkpoint(const std::filesystem::path& path, const Network& network,
                     const RunConfig& config, const TrainingState& state) {
  TensorSet tensors;
  tensors.add(network, state.parameters);
  tensors.add(network, state.optimizer.velocity(), "velocity.", false);
  if (state.average) tensors.add(network, state.average->average(), "ema.");
  std::map<std::string, std::string> metadata = to_metadata(config, state);
  metadata["public_data"] = state.public_data;
  metadata["config"] = to_json(config).dump();
  metadata["position"] = to_json(state.position).dump();
  save_tensors(path, network, tensors, std::move(metadata));
}

void load_checkpoint(const std::filesystem::path& path, const Network& network,
                     TrainingState& state) {
  const SafetensorsFile file(path);
  const std::string name = path.string();
  const auto position = file.metadata().find("position");
  if (position == file.metadata().end()) {
    throw file_error(path, 0, "not a run's checkpoint: it has no position to resume from");
  }
  try {
    state.position = position_from(json::parse(position->second));
  } catch (const std::exception& error) {
    throw file_error(path, 0, concat("its position is damaged: ", error.what()));
  }
  check_content(file, name);
  const auto data = file.metadata().find("data");
  if (data == file.metadata().end() || data->second != state.data) {
    throw file_error(path, 0,
                     "it was trained on other data (images or votes) than what is given now");
  }
  const auto public_data = file.metadata().find("public_data");
  if (public_data != file.metadata().end() && public_data->second != state.public_data) {
    throw file_error(path, 0, "its run had other data (images or votes) in the public split");
  }
  const auto origins = file.metadata().find("origins");
  if (origins != file.metadata().end()) state.origins = origins->second;
  read_arrays(file, name, network, "", true, state.parameters);
  read_arrays(file, name, network, "velocity.", false, state.optimizer.velocity());
  if (state.average) {
    read_arrays(file, name, network, "ema.", true, state.average->average());
  }
}

}  // namespace ferplus
