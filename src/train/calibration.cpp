#include <algorithm>
#include <cassert>
#include <cmath>
#include <string>

#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/data/statistics.h>
#include <ferplus/nn/session.h>
#include <ferplus/train/calibration.h>
#include <ferplus/train/evaluate.h>
#include <ferplus/train/origins.h>

namespace ferplus {
namespace {

// Derivative of the summed cross-entropy with respect to b = 1/T: Σ (p − t)·z. It rises with b.
double slope(std::span<const Logits> logits, std::span<const Target> targets, double temperature) {
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const LogProbabilities log_p = log_softmax(tempered(logits[i], temperature));
    for (std::size_t k = 0; k < kClasses; ++k) {
      sum += (std::exp(log_p[k]) - static_cast<double>(targets[i][k])) *
             static_cast<double>(logits[i][k]);
    }
  }
  return sum;
}

}  // namespace

std::optional<double> fit_temperature(std::span<const Logits> logits,
                                      std::span<const Target> targets) {
  assert(logits.size() == targets.size());
  // Bisection in log T: at a low T the slope is positive, at a high one negative.
  if (!(slope(logits, targets, kLeastTemperature) > 0) ||
      !(slope(logits, targets, kMostTemperature) < 0)) {
    return std::nullopt;
  }
  double low = std::log(kLeastTemperature), high = std::log(kMostTemperature);
  constexpr int kHalvings = 40;  // of log(400): T to twelve digits
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (low + high) / 2;
    (slope(logits, targets, std::exp(middle)) > 0 ? low : high) = middle;
  }
  return std::exp((low + high) / 2);
}

std::vector<std::size_t> calibration_samples(const Dataset& dataset, const Model& model,
                                             Split split, std::size_t count) {
  const std::vector<std::size_t> twins = samples_with_train_twin(dataset, split);
  std::optional<std::vector<std::size_t>> untrained;
  if (split == Split::train) untrained = untrained_samples(dataset, model.metadata);
  std::vector<std::size_t> samples;
  for (std::size_t i = dataset.samples.size(); i-- > 0;) {
    const Sample& sample = dataset.samples[i];
    if (sample.split != split || !vote_shares(sample.votes)) continue;
    if (std::binary_search(twins.begin(), twins.end(), i)) continue;
    if (untrained && !std::binary_search(untrained->begin(), untrained->end(), i)) continue;
    samples.push_back(i);
    if (samples.size() == count) break;
  }
  if (samples.empty() || samples.size() < count) {
    throw Error(concat(dataset.source, ": split ", split_name(split), " has ", samples.size(),
                       " images to calibrate on",
                       count > 0 ? concat(", not ", count) : std::string(),
                       untrained ? " (the model, or one that its run began with, was trained on "
                                   "the others: hold some out with train --hold-out N)"
                                 : ""));
  }
  std::reverse(samples.begin(), samples.end());
  return samples;
}

std::optional<Calibration> calibrate(const Dataset& dataset, std::span<const std::size_t> samples,
                                     const Model& model, const Progress& progress) {
  constexpr Index kBatch = 32;
  const PreparedModel prepared(model.network, model.parameters);
  Session session(prepared, kBatch);
  std::vector<Logits> logits = predict_samples(
      dataset, samples, model.preprocessing(), session,
      [&](Index batch) { return session.forward(batch, prepared); }, progress);
  std::vector<Target> targets;
  for (const std::size_t i : samples) targets.push_back(*vote_shares(dataset.samples[i].votes));

  const std::optional<double> temperature = fit_temperature(logits, targets);
  if (!temperature) return std::nullopt;
  Calibration result{.temperature = *temperature,
                     .split = dataset.samples[samples.front()].split,
                     .images = samples.size()};
  result.cross_entropy_before = agree(logits, targets).cross_entropy;
  for (Logits& row : logits) row = tempered(row, result.temperature);
  result.cross_entropy = agree(logits, targets).cross_entropy;
  return result;
}

nlohmann::ordered_json to_json(const Calibration& calibration) {
  return {{"temperature", calibration.temperature},
          {"split", split_name(calibration.split)},
          {"images", calibration.images},
          {"cross_entropy_before", calibration.cross_entropy_before},
          {"cross_entropy", calibration.cross_entropy}};
}

void write_calibration(const std::filesystem::path& path, const Model& model,
                       const Calibration& calibration) {
  update_metadata(path, model.metadata,
                  {{"temperature", nlohmann::json(calibration.temperature).dump()},
                   {"calibration", to_json(calibration).dump()}});
}

std::optional<Split> calibration_split(const std::map<std::string, std::string>& metadata) {
  const auto found = metadata.find("calibration");
  if (found == metadata.end()) return std::nullopt;
  try {
    return split_from_name(
        nlohmann::json::parse(found->second).at("split").get_ref<const std::string&>());
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace ferplus
