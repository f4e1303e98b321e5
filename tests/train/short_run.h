// Short runs of vgg_mini on synthetic faces, and what their folders hold.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/data/synth.h>
#include <ferplus/io/safetensors.h>
#include <ferplus/train/trainer.h>

#include "support/temporary_folder.h"

namespace ferplus {

// 160 rows: some 128 training, 16 public and 16 private ones.
inline const Dataset& faces() {
  static const Dataset kDataset = synthesize({.count = 160, .seed = 31});
  return kDataset;
}

// Three epochs of three steps, the last of them short, with everything that keeps state or draws:
// averaged weights, momentum, drawn labels, distortion, erasing, mixtures, dropout, a new order
// each epoch, images held out.
inline RunConfig short_run() {
  RunConfig config;
  config.network = "vgg_mini";
  config.mode = LabelMode::probability;
  config.seed = 7;
  config.limit = 20;
  config.recipe = find_recipe("one_cycle");
  config.recipe.epochs = 3;
  config.recipe.batch = 8;
  config.recipe.ema = 0.9;
  config.drop_leaks = true;
  config.hold_out = 30;
  config.recipe.alternate_flip = true;
  config.recipe.erase = 0.5;
  config.recipe.mixup = 0.3;
  config.recipe.label_smoothing = 0.05;
  config.recipe.class_balance = 0.5;
  return config;
}

// Without what makes a loss noisy.
inline RunConfig plain_run(LabelMode mode, int epochs) {
  RunConfig config = short_run();
  config.mode = mode;
  config.limit = 32;
  config.recipe.epochs = epochs;
  config.recipe.batch = 16;
  config.recipe.ema = 0;
  config.recipe.conv_dropout = config.recipe.dense_dropout = 0;
  config.recipe.distort = false;
  config.recipe.erase = config.recipe.mixup = 0;
  config.recipe.label_smoothing = config.recipe.class_balance = 0;
  return config;
}

// The third convolution of vgg_mini, which runs winograd4 if nothing else is asked for.
inline const TunedConv kTunedLayer{.pass = ConvPass::forward,
                                   .height = 32,
                                   .width = 32,
                                   .in_channels = 32,
                                   .out_channels = 32,
                                   .algorithm = "winograd2"};

// Remembers what it hears, and asks to stop after a number of steps of its own.
class Recorder : public TrainListener {
 public:
  explicit Recorder(std::size_t stop_after_steps = 0) : stop_after_steps_(stop_after_steps) {}

  void on_message(const std::string& message) override { messages.push_back(message); }
  void on_step(const StepReport& report) override {
    steps.push_back(report);
    if (during_step) during_step(steps.size());
  }
  void on_epoch(const EpochMetrics& metrics, bool best) override {
    epochs.push_back(metrics);
    best_flags.push_back(best);
  }
  void on_evaluation(std::size_t, std::size_t) override {
    ++evaluated_batches;
    if (during_evaluation) during_evaluation();
  }
  bool stop_requested() override {
    if (stop_after_evaluated_batches > 0) return evaluated_batches >= stop_after_evaluated_batches;
    return stop_after_steps_ > 0 && steps.size() >= stop_after_steps_;
  }

  std::vector<std::string> messages;
  std::vector<StepReport> steps;
  std::vector<EpochMetrics> epochs;
  std::vector<bool> best_flags;
  std::function<void(std::size_t steps)> during_step;
  std::function<void()> during_evaluation;
  std::size_t evaluated_batches = 0, stop_after_evaluated_batches = 0;

 private:
  std::size_t stop_after_steps_;
};

inline std::string error_of(const Dataset& dataset, const RunConfig& config,
                            const TrainOptions& options) {
  Recorder recorder;
  return message_of<Error>([&] { train(dataset, config, options, recorder); });
}

// Tensors and metadata of a file, without the clock's share.
inline std::map<std::string, std::string> file_contents(const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  std::map<std::string, std::string> contents;
  for (const auto& [name, tensor] : file.tensors()) {
    contents["tensor " + name] = {reinterpret_cast<const char*>(tensor.bytes.data()),
                                  tensor.bytes.size()};
  }
  for (const auto& [key, value] : file.metadata()) contents["metadata " + key] = value;
  const auto position = contents.find("metadata position");
  if (position != contents.end()) {
    nlohmann::json json = nlohmann::json::parse(position->second);
    json.erase("seconds");
    position->second = json.dump();
  }
  return contents;
}

// The lines of metrics.jsonl, without the clock's share.
inline std::vector<std::string> metrics_lines(const std::filesystem::path& folder) {
  std::istringstream text(read_text(folder / "metrics.jsonl"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(text, line);) {
    nlohmann::json json = nlohmann::json::parse(line);
    json.erase("seconds");
    json.erase("images_per_second");
    json.erase("wall_time");
    lines.push_back(json.dump());
  }
  return lines;
}

// The names of what differs between two runs; empty if none does.
inline std::vector<std::string> differences(const std::filesystem::path& a,
                                            const std::filesystem::path& b) {
  std::vector<std::string> result;
  for (const char* name : {"last.safetensors", "best.safetensors"}) {
    const auto left = file_contents(a / name), right = file_contents(b / name);
    if (left.size() != right.size()) result.push_back(std::string(name) + ": other entries");
    for (const auto& [key, value] : left) {
      const auto found = right.find(key);
      if (found == right.end() || found->second != value) {
        result.push_back(std::string(name) + ": " + key);
      }
    }
  }
  if (metrics_lines(a) != metrics_lines(b)) result.push_back("metrics.jsonl");
  if (read_text(a / "summary.json") != read_text(b / "summary.json")) {
    result.push_back("summary.json");
  }
  return result;
}

}  // namespace ferplus
