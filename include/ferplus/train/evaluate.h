// Evaluation of a model on a split: undistorted faces, one class per image.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <ferplus/core/progress.h>
#include <ferplus/data/dataset.h>
#include <ferplus/data/transform.h>
#include <ferplus/nn/session.h>
#include <ferplus/train/metrics.h>

namespace ferplus {

// paper: images that majority keeps, against their majority class. argmax: all images with a vote
// for one of the eight classes, against the first class with most votes (REFERENCE section 4).
enum class Protocol { paper, argmax };
Protocol protocol_from_name(std::string_view name);  // throws UsageError

// Runs a session on the first `batch` images of its input and returns the logits.
using Forward = std::function<ConstTensorView(Index batch)>;

// Logits of undistorted faces, prepared as `preprocessing` says, one entry per sample, in order.
// `forward` runs `session`.
std::vector<Logits> predict_samples(const Dataset& dataset, std::span<const std::size_t> samples,
                                    Preprocessing preprocessing, Session& session,
                                    const Forward& forward, const Progress& progress = {});

struct EvaluateOptions {
  Split split = Split::public_test;
  Protocol protocol = Protocol::paper;
  bool without_twins = false;  // leave out images that also occur, byte for byte, in training
  Preprocessing preprocessing = Preprocessing::ferplus;  // what the model expects
  Index batch = 32;
};

struct Evaluation {
  EvaluateOptions options;
  std::vector<std::size_t> samples;  // that the protocol keeps, into Dataset::samples
  std::vector<int> classes;          // of each
  std::vector<Logits> logits;        // of each
  Classification classification;
  Agreement agreement;  // over the images that mode crossentropy keeps, with its targets
};

// Throws Error if the split has no image to evaluate.
Evaluation evaluate(const Dataset& dataset, const PreparedModel& model,
                    const EvaluateOptions& options, const Progress& progress = {});

// As `evaluate --json` writes it.
nlohmann::ordered_json to_json(const Evaluation& evaluation);

}  // namespace ferplus
