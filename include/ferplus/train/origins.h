// Which images a model has never been trained on, by what its metadata say of the runs that made
// it.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <ferplus/data/dataset.h>

namespace ferplus {

// The training images of `dataset` that no run which made the model of these metadata has trained
// on, in order: what each of them left aside (training_set.h: hold_out) or never came to (limit) of
// those that its mode keeps. Nothing if the metadata are not those of a run. Throws Error: they are
// damaged; `dataset` is not the data of the run, as far as they say; the run began with a model of
// other data, or with one that does not say what it was trained on.
std::optional<std::vector<std::size_t>> untrained_samples(
    const Dataset& dataset, const std::map<std::string, std::string>& metadata);

// For the metadata key "origins" of a run that begins with the model of these metadata: a JSON list
// of what decided the training sets of all runs before it. Empty if one of them is not known.
std::string origins_after(const std::map<std::string, std::string>& metadata);

}  // namespace ferplus
