#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/core/names.h>
#include <ferplus/io/file.h>
#include <ferplus/nn/model_file.h>
#include <ferplus/train/run_config.h>

#include "core/json_text.h"

namespace ferplus {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::string_view kRunFormat = "ferplus-run-1";

// The keys of config.json beside its format, in the order in which they are written.
template <class Config, class Visit>
void for_each_setting(Config& config, const Visit& visit) {
  visit("network", config.network);
  visit("mode", config.mode);
  visit("preprocessing", config.preprocessing);
  visit("seed", config.seed);
  visit("drop_leaks", config.drop_leaks);
  visit("hold_out", config.hold_out);
  visit("limit", config.limit);
  visit("algorithm", config.convolution.algorithm);
  visit("algorithms", config.convolution.tuned);
  visit("fer", config.fer);
  visit("ferplus", config.ferplus);
  visit("folders", config.folders);
  visit("from", config.from);
  visit("recipe", config.recipe);
}

ordered_json written(LabelMode mode) { return label_mode(mode).name; }
ordered_json written(Preprocessing preprocessing) { return preprocessing_name(preprocessing); }
ordered_json written(const Recipe& recipe) { return to_json(recipe); }
ordered_json written(const std::string& text) { return text; }
ordered_json written(std::uint64_t count) { return count; }
ordered_json written(bool truth) { return truth; }
ordered_json written(const std::vector<TunedConv>& rows) {
  ordered_json list = ordered_json::array();
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

void read(const json& value, const std::string& key, std::string& text) {
  if (!value.is_string()) throw UsageError(concat(key, ": expected text, got ", quoted(value)));
  text = value.get<std::string>();
}

void read(const json& value, const std::string& key, std::uint64_t& count) {
  if (!value.is_number_unsigned()) {
    throw UsageError(concat(key, ": expected a whole number from 0, got ", quoted(value)));
  }
  count = value.get<std::uint64_t>();
}

void read(const json& value, const std::string& key, bool& truth) {
  if (!value.is_boolean()) {
    throw UsageError(concat(key, ": expected true or false, got ", quoted(value)));
  }
  truth = value.get<bool>();
}

void read(const json& value, const std::string& key, LabelMode& mode) {
  std::string name;
  read(value, key, name);
  mode = label_mode(name).mode;
}

void read(const json& value, const std::string& key, Preprocessing& preprocessing) {
  std::string name;
  read(value, key, name);
  preprocessing = preprocessing_from_name(name);
}

void read(const json& value, const std::string& /*key*/, Recipe& recipe) {
  update_from_json(recipe, value);
}

void read(const json& value, const std::string& key, Index& size) {
  constexpr std::uint64_t kLargest = 1 << 20;
  std::uint64_t count = 0;
  read(value, key, count);
  if (count < 1 || count > kLargest) {
    throw UsageError(concat(key, ": expected 1 to ", kLargest, ", got ", count));
  }
  size = static_cast<Index>(count);
}

void read(const json& object, const std::string& list, TunedConv& row) {
  constexpr std::array kKeys = {"pass",        "height",       "width",
                                "in_channels", "out_channels", "algorithm"};
  const bool whole = object.is_object() && object.size() == kKeys.size() &&
                     std::ranges::all_of(kKeys, [&](auto* key) { return object.contains(key); });
  if (!whole) {
    throw UsageError(concat(list, ": expected objects of pass, height, width, in_channels, ",
                            "out_channels and algorithm, got ", quoted(object)));
  }
  std::string pass;
  read(object.at("pass"), "pass", pass);
  row.pass = conv_pass_from_name(pass);
  read(object.at("height"), "height", row.height);
  read(object.at("width"), "width", row.width);
  read(object.at("in_channels"), "in_channels", row.in_channels);
  read(object.at("out_channels"), "out_channels", row.out_channels);
  read(object.at("algorithm"), "algorithm", row.algorithm);
}

void read(const json& list, const std::string& key, std::vector<TunedConv>& rows) {
  constexpr std::size_t kMostRows = 10000;
  if (!list.is_array() || list.size() > kMostRows) {
    throw UsageError(concat(key, ": expected a list of at most ", kMostRows, " objects"));
  }
  rows.clear();
  for (const json& object : list) read(object, key, rows.emplace_back());
}

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
  const ordered_json mine = to_json(a), other = to_json(b);
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

ordered_json to_json(const RunConfig& config) {
  ordered_json object = {{"format", kRunFormat}};
  for_each_setting(config,
                   [&](const char* key, const auto& member) { object[key] = written(member); });
  return object;
}

void update_from_json(RunConfig& config, const json& object) {
  if (!object.is_object()) throw UsageError("a configuration must be a JSON object");
  for (const auto& [key, value] : object.items()) {
    std::vector<std::string_view> keys = {"format"};
    bool known = false;
    for_each_setting(config, [&, &name = key, &given = value](const char* setting, auto& member) {
      keys.push_back(setting);
      if (name != setting) return;
      known = true;
      read(given, name, member);
    });
    if (known) continue;
    if (key != "format") throw UsageError(unknown_name("key", key, keys));
    if (value != kRunFormat) {
      throw UsageError(concat("format: expected \"", kRunFormat, "\", got ", quoted(value)));
    }
  }
}

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

std::map<std::string, std::string> to_metadata(const RunConfig& config) {
  std::map<std::string, std::string> metadata = {
      {"mode", std::string(label_mode(config.mode).name)},
      {"model_options", to_metadata(model_options(config.recipe))},
      {"preprocessing", std::string(preprocessing_name(config.preprocessing))},
      {"recipe", to_json(config.recipe).dump()},
      {"seed", std::to_string(config.seed)},
      {"drop_leaks", config.drop_leaks ? "true" : "false"},
      {"hold_out", std::to_string(config.hold_out)},
      {"limit", std::to_string(config.limit)}};
  if (!config.from.empty()) {
    metadata["from"] = std::filesystem::path(config.from).filename().string();
  }
  return metadata;
}

RunConfig run_config_from_metadata(const std::map<std::string, std::string>& metadata) {
  RunConfig config;
  config.mode = label_mode(metadata.at("mode")).mode;
  config.preprocessing = preprocessing_from_name(metadata.at("preprocessing"));
  // As to_metadata writes them, and JSON spells them the same.
  for (const char* key : {"seed", "drop_leaks", "hold_out", "limit"}) {
    update_from_json(config, {{key, json::parse(metadata.at(key))}});
  }
  if (const auto from = metadata.find("from"); from != metadata.end()) config.from = from->second;
  return config;
}

ModelOptions model_options(const Recipe& recipe) {
  return {.conv_dropout = recipe.conv_dropout,
          .dense_dropout = recipe.dense_dropout,
          .batch_norm_momentum = recipe.batch_norm_momentum};
}

Network build_network(const RunConfig& config) {
  return build_model(config.network, model_options(config.recipe));
}

}  // namespace ferplus
