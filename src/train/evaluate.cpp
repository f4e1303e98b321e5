#include <algorithm>

#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/core/names.h>
#include <ferplus/data/batch.h>
#include <ferplus/data/statistics.h>
#include <ferplus/train/evaluate.h>

namespace ferplus {
namespace {

// The class of an image under a protocol, or nothing if the protocol leaves it out.
std::optional<int> true_class(const Votes& votes, Protocol protocol) {
  if (protocol == Protocol::paper) {
    const auto target = label_mode(LabelMode::majority).target(votes);
    if (!target) return std::nullopt;
    return argmax(*target);
  }
  const auto most = std::max_element(votes.begin(), votes.begin() + kClasses);
  if (*most == 0) return std::nullopt;
  return static_cast<int>(most - votes.begin());
}

}  // namespace

Protocol protocol_from_name(std::string_view name) {
  if (name == "paper") return Protocol::paper;
  if (name == "argmax") return Protocol::argmax;
  throw UsageError(unknown_name("protocol", name, {"paper", "argmax"}));
}

std::vector<Logits> predict_samples(const Dataset& dataset, std::span<const std::size_t> samples,
                                    Preprocessing preprocessing, Session& session,
                                    const Forward& forward, const Progress& progress) {
  Selection selection;
  selection.samples.assign(samples.begin(), samples.end());
  selection.targets.resize(samples.size());
  const DatasetFaces faces(dataset);
  BatchOptions options = BatchOptions::evaluation(session.max_batch());
  options.preprocessing = preprocessing;
  BatchLoader loader(faces, std::move(selection), options);
  Buffer<float> unused(static_cast<std::size_t>(session.max_batch() * kClasses));
  const TensorView targets{unused.data(), {session.max_batch(), kClasses}};

  std::vector<Logits> logits;
  logits.reserve(samples.size());
  for (Index batch = 0; batch < loader.batches(); ++batch) {
    const Index images = loader.batch_images(batch);
    loader.load(0, batch, session.input(images), targets);
    const ConstTensorView output = forward(images);
    for (Index n = 0; n < images; ++n) {
      std::copy_n(output.image(n), kClasses, logits.emplace_back().begin());
    }
    if (progress) progress(logits.size(), samples.size());
  }
  return logits;
}

Evaluation evaluate(const Dataset& dataset, const PreparedModel& model,
                    const EvaluateOptions& options, const Progress& progress) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < dataset.samples.size(); ++i) {
    if (dataset.samples[i].split == options.split) all.push_back(i);
  }
  if (options.without_twins) {
    const std::vector<std::size_t> twins = samples_with_train_twin(dataset, options.split);
    std::erase_if(all,
                  [&](std::size_t i) { return std::binary_search(twins.begin(), twins.end(), i); });
  }
  // Left out: what neither the protocol nor the vote distribution needs.
  const LabelModeInfo& distribution = label_mode(LabelMode::crossentropy);
  std::erase_if(all, [&](std::size_t i) {
    const Votes& votes = dataset.samples[i].votes;
    return !true_class(votes, options.protocol) && !distribution.target(votes);
  });
  if (all.empty()) {
    throw Error(concat("split ", split_name(options.split), " of ", dataset.source,
                       " has no image to evaluate"));
  }
  Session session(model.network(), options.batch, Phase::inference);
  const std::vector<Logits> logits = predict_samples(
      dataset, all, options.preprocessing, session,
      [&](Index batch) { return session.forward(batch, model); }, progress);

  Evaluation result;
  result.options = options;
  std::vector<Logits> distribution_logits;
  std::vector<Target> distribution_targets;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Votes& votes = dataset.samples[all[i]].votes;
    if (const auto truth = true_class(votes, options.protocol)) {
      result.samples.push_back(all[i]);
      result.classes.push_back(*truth);
      result.logits.push_back(logits[i]);
    }
    if (const auto target = distribution.target(votes)) {
      distribution_logits.push_back(logits[i]);
      distribution_targets.push_back(*target);
    }
  }
  if (result.samples.empty()) {
    throw Error(concat("split ", split_name(options.split), " of ", dataset.source,
                       " has no image that the protocol counts"));
  }
  result.classification = classify(result.logits, result.classes);
  result.agreement = agree(distribution_logits, distribution_targets);
  return result;
}

nlohmann::ordered_json to_json(const Evaluation& evaluation) {
  const Classification& c = evaluation.classification;
  nlohmann::ordered_json json = {
      {"split", split_name(evaluation.options.split)},
      {"protocol", evaluation.options.protocol == Protocol::paper ? "paper" : "argmax"},
      {"without_twins", evaluation.options.without_twins},
      {"images", c.images},
      {"accuracy", c.accuracy},
      {"macro_f1", c.macro_f1},
      {"expected_calibration_error", c.expected_calibration_error},
      {"cross_entropy", evaluation.agreement.cross_entropy},
      {"kl_divergence", evaluation.agreement.kl_divergence},
      {"distribution_images", evaluation.agreement.images}};
  for (std::size_t k = 0; k < kClasses; ++k) {
    json["per_class"][std::string(kClassNames[k])] = {{"precision", c.classes[k].precision},
                                                      {"recall", c.classes[k].recall},
                                                      {"f1", c.classes[k].f1},
                                                      {"support", c.classes[k].support}};
  }
  json["confusion"] = c.confusion;
  return json;
}

}  // namespace ferplus
