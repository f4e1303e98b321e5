// What decides a run, and config.json, which holds it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <ferplus/data/label_mode.h>
#include <ferplus/data/transform.h>
#include <ferplus/kernels/conv2d.h>
#include <ferplus/nn/models.h>
#include <ferplus/nn/network.h>
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

// What the metadata of a run's models say of it, and of that what decides its training set (of
// `from` the file's name only), for which metadata that no run wrote throw std::exception.
std::map<std::string, std::string> to_metadata(const RunConfig& config);
RunConfig run_config_from_metadata(const std::map<std::string, std::string>& metadata);

ModelOptions model_options(const Recipe& recipe);
Network build_network(const RunConfig& config);

}  // namespace ferplus
