// Evaluation of models on a split: one class per image, and the distribution of its votes.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <ferplus/core/progress.h>
#include <ferplus/data/dataset.h>
#include <ferplus/data/transform.h>
#include <ferplus/nn/model_file.h>
#include <ferplus/nn/probabilities.h>
#include <ferplus/nn/session.h>
#include <ferplus/train/ensemble.h>
#include <ferplus/train/metrics.h>
#include <ferplus/train/taggers.h>

namespace ferplus {

// paper: images that majority keeps, against their majority class. argmax: all images with a vote
// for one of the eight classes, against the first class with most votes.
enum class Protocol { paper, argmax };
Protocol protocol_from_name(std::string_view name);  // throws UsageError
std::string_view protocol_name(Protocol protocol);

// Runs a session on the first `batch` images of its input and returns the logits.
using Forward = std::function<ConstTensorView(Index batch)>;

// Logits of faces seen as `view` says, prepared as `preprocessing` says, one entry per sample, in
// order. `forward` runs `session`.
std::vector<Logits> predict_samples(const Dataset& dataset, std::span<const std::size_t> samples,
                                    Preprocessing preprocessing, Session& session,
                                    const Forward& forward, const Progress& progress = {},
                                    const Distortion& view = {});

struct EvaluateOptions {
  Split split = Split::public_test;
  Protocol protocol = Protocol::paper;
  bool without_twins = false;  // leave out images that also occur, pixel for pixel, in training
  Preprocessing preprocessing = Preprocessing::ferplus;  // what the model expects
  TestTimeAugmentation augmentation = TestTimeAugmentation::none;
  // Of the model (Model::temperature); nothing if it was never calibrated. Divides the logits that
  // views were averaged to.
  std::optional<double> temperature{};
  std::optional<Split> temperature_split{};  // that it was fitted on, if known
  Index batch = 32;

  // On the split evaluated: figures at the temperature then flatter the model.
  bool fitted_here() const { return temperature_split == split; }
};
// With what the model decides: preprocessing and temperature.
EvaluateOptions for_model(EvaluateOptions options, const Model& model);

// What depends on how sure a model is, not only on what it prefers. A temperature fits the votes:
// where taggers disagree it makes a model less sure than it is right about the majority, so the
// first figure may rise as the second falls.
struct ProbabilityMetrics {
  Reliability reliability;  // of being right
  Agreement agreement;      // with vote_shares, over all images that have them
};

struct Evaluation {
  EvaluateOptions options;
  Precision precision = Precision::fp32;  // that the model was prepared for
  std::vector<std::size_t> samples;       // that the protocol keeps, into Dataset::samples
  std::vector<int> classes;               // of each
  std::vector<Logits> logits;             // of each, averaged over views and models; not tempered
  std::vector<int> predictions;           // of each: argmax of the logits

  Classification classification;
  // Of the samples without a twin in training; nothing if the data have no training split, or if it
  // is the one evaluated.
  std::optional<Classification> twin_free;
  TaggerAgreement taggers;
  ProbabilityMetrics raw;
  std::optional<ProbabilityMetrics> calibrated;  // at options.temperature

  // Images whose votes are compared, in the same way: inputs of raw and calibrated.
  std::vector<std::size_t> vote_samples;
  std::vector<Logits> vote_logits;

  // Those that the model states: at its temperature if it has one.
  const ProbabilityMetrics& stated() const { return calibrated ? *calibrated : raw; }
  // softmax of logits[image], tempered if the model has a temperature.
  Probabilities probabilities(std::size_t image) const;
  float confidence(std::size_t image) const;  // the prediction's probability
};

// Throws Error if the split has no image to evaluate, if twins are to be left out and the data have
// no training split, or if an answer of the model is no number.
Evaluation evaluate(const Dataset& dataset, const PreparedModel& model,
                    const EvaluateOptions& options, const Progress& progress = {});

// The ensemble whose probabilities are the mean of its members' (raw ones: a temperature that fits
// a member does not fit the mean). REQUIRES: members, at least one, of this dataset with the same
// split, protocol and without_twins.
Evaluation ensemble(const Dataset& dataset, std::span<const Evaluation> members);

// As `evaluate --json` writes it.
nlohmann::ordered_json to_json(const Evaluation& evaluation);
nlohmann::ordered_json to_json(const Comparison& comparison);

}  // namespace ferplus
