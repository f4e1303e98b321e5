#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/core/names.h>
#include <ferplus/io/file.h>
#include <ferplus/nn/model_file.h>
#include <ferplus/train/run.h>

#include "core/json_text.h"

namespace ferplus {
namespace {

using nlohmann::json;

constexpr std::string_view kRunFormat = "ferplus-run-1";

std::string text_of(const json& value, const std::string& key) {
  if (!value.is_string()) throw UsageError(concat(key, ": expected text, got ", quoted(value)));
  return value.get<std::string>();
}

std::uint64_t count_of(const json& value, const std::string& key) {
  if (!value.is_number_unsigned()) {
    throw UsageError(concat(key, ": expected a whole number from 0, got ", quoted(value)));
  }
  return value.get<std::uint64_t>();
}

bool truth_of(const json& value, const std::string& key) {
  if (!value.is_boolean()) {
    throw UsageError(concat(key, ": expected true or false, got ", quoted(value)));
  }
  return value.get<bool>();
}

Index size_of(const json& value, const std::string& key) {
  constexpr std::uint64_t kLargest = 1 << 20;
  const std::uint64_t size = count_of(value, key);
  if (size < 1 || size > kLargest) {
    throw UsageError(concat(key, ": expected 1 to ", kLargest, ", got ", size));
  }
  return static_cast<Index>(size);
}

nlohmann::ordered_json to_json(const std::vector<TunedConv>& rows) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const TunedConv& row : rows) {
    list.push_back({{"pass", conv_pass_name(row.pass)},
                    {"height", row.height},
                    {"width", row.width},
                    {"in_channels", row.in_channels},
                    {"out_channels", row.out_channels},
                    {"algorithm", row.algorithm}});
  }
  return list;
}

TunedConv tuned_from(const json& object, const std::string& list) {
  constexpr std::array kKeys = {"pass",        "height",       "width",
                                "in_channels", "out_channels", "algorithm"};
  const bool whole = object.is_object() && object.size() == kKeys.size() &&
                     std::ranges::all_of(kKeys, [&](auto* key) { return object.contains(key); });
  if (!whole) {
    throw UsageError(concat(list, ": expected objects of pass, height, width, in_channels, ",
                            "out_channels and algorithm, got ", quoted(object)));
  }
  const auto size = [&](const std::string& key) { return size_of(object.at(key), key); };
  return {.pass = conv_pass_from_name(text_of(object.at("pass"), "pass")),
          .height = size("height"),
          .width = size("width"),
          .in_channels = size("in_channels"),
          .out_channels = size("out_channels"),
          .algorithm = text_of(object.at("algorithm"), "algorithm")};
}

std::vector<TunedConv> tuned_list_from(const json& list, const std::string& key) {
  constexpr std::size_t kMostRows = 10000;
  if (!list.is_array() || list.size() > kMostRows) {
    throw UsageError(concat(key, ": expected a list of at most ", kMostRows, " objects"));
  }
  std::vector<TunedConv> rows;
  for (const json& object : list) rows.push_back(tuned_from(object, key));
  return rows;
}

nlohmann::ordered_json to_json(const Position& p) {
  return {{"epoch", p.epoch},
          {"step", p.step},
          {"steps", p.steps},
          {"loss", p.loss},
          {"seconds", p.seconds},
          {"correct", p.correct},
          {"images", p.images},
          {"best_epoch", p.best_epoch},
          {"best_accuracy", p.best_accuracy},
          {"recent", p.recent}};
}

Position position_from(const json& object) {
  Position p;
  object.at("epoch").get_to(p.epoch);
  object.at("step").get_to(p.step);
  object.at("steps").get_to(p.steps);
  object.at("loss").get_to(p.loss);
  object.at("seconds").get_to(p.seconds);
  object.at("correct").get_to(p.correct);
  object.at("images").get_to(p.images);
  object.at("best_epoch").get_to(p.best_epoch);
  object.at("best_accuracy").get_to(p.best_accuracy);
  p.recent = object.value("recent", p.recent);
  if (p.recent.size() > kRecentSteps) throw Error("too many recent steps");
  if (p.epoch < 0 || p.step < 0 || p.steps < 0) throw Error("a position below zero");
  return p;
}

}  // namespace

void validate(const RunConfig& config) {
  validate(config.recipe);
  validate(config.convolution);
  if (config.convolution.algorithm != "auto" && !config.convolution.tuned.empty()) {
    throw UsageError(concat("algorithm ", config.convolution.algorithm,
                            " is forced, so that tuned algorithms would never run: keep one"));
  }
  const LabelModeInfo& mode = label_mode(config.mode);
  if (mode.loss == LossKind::cross_entropy) return;
  const auto refuse = [&](std::string_view field, double value) {
    if (value == 0) return;
    throw UsageError(concat(field, " is for targets that are distributions; those of mode ",
                            mode.name, " are not: set ", field, " to 0"));
  };
  refuse("label_smoothing", config.recipe.label_smoothing);
  refuse("class_balance", config.recipe.class_balance);
  refuse("mixup", config.recipe.mixup);
}

std::vector<std::string> differing_settings(RunConfig a, const RunConfig& b) {
  a.fer = b.fer;
  a.ferplus = b.ferplus;
  a.folders = b.folders;
  std::vector<std::string> names;
  const nlohmann::ordered_json mine = to_json(a), other = to_json(b);
  for (const auto& [name, value] : mine.items()) {
    if (value == other.at(name)) continue;
    if (name != "recipe") {
      names.push_back(name);
      continue;
    }
    for (const auto& [field, figure] : value.items()) {
      if (figure != other.at(name).at(field)) names.push_back(field);
    }
  }
  return names;
}

nlohmann::ordered_json to_json(const RunConfig& config) {
  return {{"format", kRunFormat},
          {"network", config.network},
          {"mode", label_mode(config.mode).name},
          {"preprocessing", preprocessing_name(config.preprocessing)},
          {"seed", config.seed},
          {"drop_leaks", config.drop_leaks},
          {"hold_out", config.hold_out},
          {"limit", config.limit},
          {"algorithm", config.convolution.algorithm},
          {"algorithms", to_json(config.convolution.tuned)},
          {"fer", config.fer},
          {"ferplus", config.ferplus},
          {"folders", config.folders},
          {"from", config.from},
          {"recipe", to_json(config.recipe)}};
}

void update_from_json(RunConfig& config, const json& object) {
  if (!object.is_object()) throw UsageError("a configuration must be a JSON object");
  for (const auto& [key, value] : object.items()) {
    if (key == "format") {
      if (value != kRunFormat) {
        throw UsageError(concat("format: expected \"", kRunFormat, "\", got ", quoted(value)));
      }
    } else if (key == "network") {
      config.network = text_of(value, key);
    } else if (key == "mode") {
      config.mode = label_mode(text_of(value, key)).mode;
    } else if (key == "preprocessing") {
      config.preprocessing = preprocessing_from_name(text_of(value, key));
    } else if (key == "seed") {
      config.seed = count_of(value, key);
    } else if (key == "drop_leaks") {
      config.drop_leaks = truth_of(value, key);
    } else if (key == "hold_out") {
      config.hold_out = count_of(value, key);
    } else if (key == "limit") {
      config.limit = count_of(value, key);
    } else if (key == "algorithm") {
      config.convolution.algorithm = text_of(value, key);
    } else if (key == "algorithms") {
      config.convolution.tuned = tuned_list_from(value, key);
    } else if (key == "fer") {
      config.fer = text_of(value, key);
    } else if (key == "ferplus") {
      config.ferplus = text_of(value, key);
    } else if (key == "folders") {
      config.folders = text_of(value, key);
    } else if (key == "from") {
      config.from = text_of(value, key);
    } else if (key == "recipe") {
      update_from_json(config.recipe, value);
    } else {
      throw UsageError(unknown_name(
          "key", key,
          {"format", "network", "mode", "preprocessing", "seed", "drop_leaks", "hold_out", "limit",
           "algorithm", "algorithms", "fer", "ferplus", "folders", "from", "recipe"}));
    }
  }
}

namespace {

void update_from_file(const std::filesystem::path& path, RunConfig& config, bool of_a_run) {
  const MappedFile file(path);
  try {
    const json object = json::parse(file.text());
    update_from_json(config, object);
    if (of_a_run && !object.contains("format")) {
      throw UsageError(concat("no run's: it lacks \"format\": \"", kRunFormat, "\""));
    }
  } catch (const json::exception& error) {
    throw file_error(path, 0, concat("not a configuration: ", error.what()));
  } catch (const UsageError& error) {
    throw UsageError(concat(path.string(), ": ", error.what()));
  }
}

}  // namespace

void read_config(const std::filesystem::path& path, RunConfig& config) {
  update_from_file(path, config, false);
}

RunConfig read_run_config(const std::filesystem::path& path) {
  RunConfig config;
  update_from_file(path, config, true);
  return config;
}

void write_config(const std::filesystem::path& path, const RunConfig& config) {
  std::string text;
  try {
    text = to_json(config).dump(2) + '\n';
  } catch (const json::exception&) {
    throw file_error(path, 0, "a data path is not UTF-8, so that JSON cannot hold it: rename it");
  }
  write_file_atomically(path, [&](std::ostream& out) { out << text; });
}

void refuse_existing_run(const std::filesystem::path& folder) {
  for (const char* name :
       {"config.json", "last.safetensors", "metrics.jsonl", "best.safetensors", "summary.json"}) {
    if (file_exists(folder / name)) {
      throw Error(concat(folder.string(), " already holds a run (", name,
                         "): resume it with --resume, or choose another folder"));
    }
  }
}

ModelOptions model_options(const Recipe& recipe) {
  return {.conv_dropout = recipe.conv_dropout,
          .dense_dropout = recipe.dense_dropout,
          .batch_norm_momentum = recipe.batch_norm_momentum};
}

Network build_network(const RunConfig& config) {
  return build_model(config.network, model_options(config.recipe));
}

Checkpoint::Checkpoint(const Network& network, const RunConfig& config)
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

const Parameters& evaluated_parameters(Checkpoint& checkpoint) {
  return checkpoint.average ? checkpoint.average->average() : checkpoint.parameters;
}

double Position::recent_loss() const {
  double sum = 0, count = 0;
  for (const auto& [step_loss, step_images] : recent) {
    sum += step_loss;
    count += static_cast<double>(step_images);
  }
  return sum / count;
}

void save_checkpoint(const std::filesystem::path& path, const Network& network,
                     const RunConfig& config, Checkpoint& checkpoint) {
  TensorSet tensors;
  tensors.add(network, checkpoint.parameters);
  tensors.add(network, checkpoint.optimizer.velocity(), "velocity.", false);
  if (checkpoint.average) tensors.add(network, checkpoint.average->average(), "ema.");
  save_tensors(path, network, tensors,
               {{"mode", std::string(label_mode(config.mode).name)},
                {"model_options", to_metadata(model_options(config.recipe))},
                {"preprocessing", std::string(preprocessing_name(config.preprocessing))},
                {"data", checkpoint.data},
                {"config", to_json(config).dump()},
                {"position", to_json(checkpoint.position).dump()}});
}

void load_checkpoint(const std::filesystem::path& path, const Network& network,
                     Checkpoint& checkpoint) {
  const SafetensorsFile file(path);
  const std::string name = path.string();
  const auto position = file.metadata().find("position");
  if (position == file.metadata().end()) {
    throw file_error(path, 0, "not a run's checkpoint: it has no position to resume from");
  }
  try {
    checkpoint.position = position_from(json::parse(position->second));
  } catch (const std::exception& error) {
    throw file_error(path, 0, concat("its position is damaged: ", error.what()));
  }
  check_content(file, name);
  const auto data = file.metadata().find("data");
  if (data == file.metadata().end() || data->second != checkpoint.data) {
    throw file_error(path, 0,
                     "it was trained on other data (images or votes) than what is given now");
  }
  read_arrays(file, name, network, "", true, checkpoint.parameters);
  read_arrays(file, name, network, "velocity.", false, checkpoint.optimizer.velocity());
  if (checkpoint.average) {
    read_arrays(file, name, network, "ema.", true, checkpoint.average->average());
  }
}

}  // namespace ferplus
