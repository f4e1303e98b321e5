// Which images a run trains on, and in which batches.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ferplus/data/batch.h>
#include <ferplus/data/selection.h>
#include <ferplus/train/run_config.h>

namespace ferplus {

struct TrainingSet {
  Selection training;
  // hold_out images that this run does not train on, as for a temperature. Identical copies of them
  // within the training split may be trained on.
  Selection held_out;
  std::optional<std::size_t> leaks;  // images left out, with drop_leaks
};

// From the training images of `dataset` that config.mode keeps: with drop_leaks without those that
// equal, pixel for pixel, an image of the public or private split as far as `dataset` has them;
// then config.hold_out at random aside (hold_out(), by config.seed); then the first config.limit of
// the rest. A function of dataset, mode, seed, drop_leaks, hold_out and limit, which config.json
// and the metadata of best.safetensors keep. Throws Error if nothing is left, UsageError if
// hold_out leaves nothing.
TrainingSet training_set(const Dataset& dataset, const RunConfig& config);

// Of draw keys, votes and pixels of these samples, in this order: other data give another text.
std::string fingerprint(const Dataset& dataset, std::span<const std::size_t> samples);

// What the recipe wants of a BatchLoader over those images.
BatchOptions training_batches(const RunConfig& config);

}  // namespace ferplus
