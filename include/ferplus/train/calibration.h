// Temperature scaling (Guo et al. 2017): one number per model that makes its probabilities those of
// the taggers' votes. It changes no prediction: the order of the logits stays.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <ferplus/core/progress.h>
#include <ferplus/data/dataset.h>
#include <ferplus/nn/model_file.h>
#include <ferplus/train/metrics.h>

namespace ferplus {

// Temperatures are sought between these.
inline constexpr double kLeastTemperature = 0.05, kMostTemperature = 20;

// The temperature T that minimises the mean cross-entropy between targets and softmax(logits/T). As
// a function of 1/T it is convex, with one minimum. Nothing if the minimum is not between
// kLeastTemperature and kMostTemperature: a network that has learnt nothing yet, rows that it knows
// by heart, logits that are no numbers. REQUIRES: spans of equal size.
std::optional<double> fit_temperature(std::span<const Logits> logits,
                                      std::span<const Target> targets);

struct Calibration {
  double temperature = 1;
  Split split = Split::train;
  std::size_t images = 0;                              // that it was fitted on
  double cross_entropy_before = 0, cross_entropy = 0;  // to their votes, in nats
};

// The rows to calibrate on: the last `count` (0: all) images of `split` whose votes have a
// distribution (vote_shares, train/metrics.h), without those that equal a training image pixel for
// pixel; of the training split, those that `model` was not trained on as far as its metadata say.
// Throws Error if there are none or fewer than `count`, or as untrained_samples does
// (train/origins.h).
std::vector<std::size_t> calibration_samples(const Dataset& dataset, const Model& model,
                                             Split split, std::size_t count);

// Fits the temperature of `model`, whose own is not used, on these samples of one split, at least
// one. Nothing where fit_temperature has none.
std::optional<Calibration> calibrate(const Dataset& dataset, std::span<const std::size_t> samples,
                                     const Model& model, const Progress& progress = {});

nlohmann::ordered_json to_json(const Calibration& calibration);

// Writes it into the metadata of the file that `model` was loaded from, atomically: "temperature",
// and where it comes from as JSON in "calibration". An earlier one is replaced. Throws Error if the
// file holds another model by now (update_metadata).
void write_calibration(const std::filesystem::path& path, const Model& model,
                       const Calibration& calibration);

// The split that the temperature in these metadata was fitted on, if they say so.
std::optional<Split> calibration_split(const std::map<std::string, std::string>& metadata);

}  // namespace ferplus
