#include <algorithm>
#include <cassert>
#include <cmath>

#include <ferplus/core/error.h>
#include <ferplus/core/names.h>
#include <ferplus/core/parallel.h>
#include <ferplus/data/statistics.h>
#include <ferplus/train/calibration.h>
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

bool has_training_images(const Dataset& dataset) {
  return std::ranges::any_of(dataset.samples,
                             [](const Sample& sample) { return sample.split == Split::train; });
}

// Images that the protocol or the distribution of votes needs.
std::vector<std::size_t> needed_samples(const Dataset& dataset, const EvaluateOptions& options) {
  if (options.without_twins && !has_training_images(dataset)) {
    throw Error(concat(dataset.source,
                       " has no training split: which images have a twin in it cannot be known"));
  }
  const std::vector<std::size_t> twins = options.without_twins
                                             ? samples_with_train_twin(dataset, options.split)
                                             : std::vector<std::size_t>{};
  std::vector<std::size_t> needed;
  for (std::size_t i = 0; i < dataset.samples.size(); ++i) {
    const Sample& sample = dataset.samples[i];
    if (sample.split != options.split) continue;
    if (std::binary_search(twins.begin(), twins.end(), i)) continue;
    if (true_class(sample.votes, options.protocol) || vote_shares(sample.votes)) {
      needed.push_back(i);
    }
  }
  if (needed.empty()) {
    throw Error(concat("split ", split_name(options.split), " of ", dataset.source,
                       " has no image to evaluate"));
  }
  return needed;
}

void check_finite(const Dataset& dataset, std::span<const std::size_t> samples,
                  std::span<const Logits> logits) {
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (std::ranges::all_of(logits[i], [](float v) { return std::isfinite(v); })) continue;
    throw Error(concat("the model's answer to ", dataset.samples[samples[i]].name,
                       " is no number: its training diverged, or its file is damaged"));
  }
}

// Averaged over the views.
std::vector<Logits> predict_views(const Dataset& dataset, std::span<const std::size_t> samples,
                                  const PreparedModel& model, const EvaluateOptions& options,
                                  const Progress& progress) {
  Session session(model, options.batch);
  const std::span<const Distortion> all_views = views(options.augmentation);
  std::vector<std::vector<Logits>> by_view;
  for (const Distortion& view : all_views) {
    const std::size_t before = by_view.size() * samples.size();
    by_view.push_back(predict_samples(
        dataset, samples, options.preprocessing, session,
        [&](Index batch) { return session.forward(batch, model); },
        [&](std::size_t done, std::size_t total) {
          if (progress) progress(before + done, all_views.size() * total);
        },
        view));
  }
  std::vector<Logits> averaged(samples.size()), members(by_view.size());
  for (std::size_t i = 0; i < samples.size(); ++i) {
    for (std::size_t view = 0; view < by_view.size(); ++view) members[view] = by_view[view][i];
    averaged[i] = average(members);
  }
  return averaged;
}

Classification classify_without_twins(const Dataset& dataset, const Evaluation& evaluation) {
  const std::vector<std::size_t> twins = samples_with_train_twin(dataset, evaluation.options.split);
  std::vector<Logits> logits;
  std::vector<int> classes;
  for (std::size_t i = 0; i < evaluation.samples.size(); ++i) {
    if (std::binary_search(twins.begin(), twins.end(), evaluation.samples[i])) continue;
    logits.push_back(evaluation.logits[i]);
    classes.push_back(evaluation.classes[i]);
  }
  return classify(logits, classes);
}

ProbabilityMetrics probability_metrics(const Dataset& dataset, const Evaluation& evaluation,
                                       double temperature) {
  std::vector<Logits> logits;
  for (const Logits& row : evaluation.logits) logits.push_back(tempered(row, temperature));
  ProbabilityMetrics result;
  result.reliability = classify(logits, evaluation.classes).reliability;

  std::vector<Target> shares;
  logits.clear();
  for (std::size_t i = 0; i < evaluation.vote_samples.size(); ++i) {
    shares.push_back(*vote_shares(dataset.samples[evaluation.vote_samples[i]].votes));
    logits.push_back(tempered(evaluation.vote_logits[i], temperature));
  }
  result.agreement = agree(logits, shares);
  return result;
}

// All figures, from samples, classes and logits.
void measure(const Dataset& dataset, Evaluation& evaluation) {
  std::vector<Votes> votes;
  evaluation.predictions.clear();
  for (std::size_t i = 0; i < evaluation.samples.size(); ++i) {
    votes.push_back(dataset.samples[evaluation.samples[i]].votes);
    evaluation.predictions.push_back(argmax(evaluation.logits[i]));
  }
  evaluation.classification = classify(evaluation.logits, evaluation.classes);
  if (evaluation.options.split != Split::train && has_training_images(dataset)) {
    evaluation.twin_free = classify_without_twins(dataset, evaluation);
  }
  evaluation.taggers = agree_with_taggers(votes, evaluation.predictions);
  evaluation.raw = probability_metrics(dataset, evaluation, 1);
  evaluation.calibrated.reset();
  if (evaluation.options.temperature) {
    evaluation.calibrated =
        probability_metrics(dataset, evaluation, *evaluation.options.temperature);
  }
}

std::vector<Logits> average_rows(std::span<const Evaluation> members,
                                 std::vector<Logits> Evaluation::*rows) {
  std::vector<Logits> averaged, row(members.size());
  for (std::size_t i = 0; i < (members.front().*rows).size(); ++i) {
    for (std::size_t m = 0; m < members.size(); ++m) row[m] = (members[m].*rows)[i];
    averaged.push_back(average(row));
  }
  return averaged;
}

}  // namespace

Protocol protocol_from_name(std::string_view name) {
  if (name == "paper") return Protocol::paper;
  if (name == "argmax") return Protocol::argmax;
  throw UsageError(unknown_name("protocol", name, {"paper", "argmax"}));
}

std::string_view protocol_name(Protocol protocol) {
  return protocol == Protocol::paper ? "paper" : "argmax";
}

EvaluateOptions for_model(EvaluateOptions options, const Model& model) {
  options.preprocessing = model.preprocessing();
  options.temperature.reset();
  if (model.metadata.contains("temperature")) options.temperature = model.temperature();
  options.temperature_split = calibration_split(model.metadata);
  return options;
}

std::vector<Logits> predict_samples(const Dataset& dataset, std::span<const std::size_t> samples,
                                    Preprocessing preprocessing, Session& session,
                                    const Forward& forward, const Progress& progress,
                                    const Distortion& view) {
  std::vector<Logits> logits;
  logits.reserve(samples.size());
  while (logits.size() < samples.size()) {
    const auto remaining = samples.subspan(logits.size());
    const Index images = std::min(session.max_batch(), static_cast<Index>(remaining.size()));
    const TensorView input = session.input(images);
    parallel_for(images, [&](Index n) {
      const Sample& sample = dataset.samples[remaining[static_cast<std::size_t>(n)]];
      make_input(dataset.image(sample), sample.face, view, preprocessing,
                 {input.image(n), kInputPixels});
    });
    const ConstTensorView output = forward(images);
    for (Index n = 0; n < images; ++n) {
      std::copy_n(output.image(n), kClasses, logits.emplace_back().begin());
    }
    if (progress) progress(logits.size(), samples.size());
  }
  return logits;
}

Probabilities Evaluation::probabilities(std::size_t image) const {
  return softmax(tempered(logits[image], options.temperature.value_or(1)));
}

float Evaluation::confidence(std::size_t image) const {
  return probabilities(image)[static_cast<std::size_t>(predictions[image])];
}

Evaluation evaluate(const Dataset& dataset, const PreparedModel& model,
                    const EvaluateOptions& options, const Progress& progress) {
  const std::vector<std::size_t> needed = needed_samples(dataset, options);
  const std::vector<Logits> logits = predict_views(dataset, needed, model, options, progress);
  check_finite(dataset, needed, logits);
  Evaluation result;
  result.options = options;
  result.precision = model.precision();
  for (std::size_t i = 0; i < needed.size(); ++i) {
    const Votes& votes = dataset.samples[needed[i]].votes;
    if (const auto truth = true_class(votes, options.protocol)) {
      result.samples.push_back(needed[i]);
      result.classes.push_back(*truth);
      result.logits.push_back(logits[i]);
    }
    if (vote_shares(votes)) {
      result.vote_samples.push_back(needed[i]);
      result.vote_logits.push_back(logits[i]);
    }
  }
  if (result.samples.empty()) {
    throw Error(concat("split ", split_name(options.split), " of ", dataset.source,
                       " has no image that the protocol counts"));
  }
  measure(dataset, result);
  return result;
}

Evaluation ensemble(const Dataset& dataset, std::span<const Evaluation> members) {
  assert(!members.empty());
  Evaluation result = members.front();
  result.options.temperature.reset();
  result.options.temperature_split.reset();
  result.logits = average_rows(members, &Evaluation::logits);
  result.vote_logits = average_rows(members, &Evaluation::vote_logits);
  measure(dataset, result);
  return result;
}

}  // namespace ferplus
