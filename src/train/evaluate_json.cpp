// Evaluations as JSON.
#include <array>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include <ferplus/train/evaluate.h>

namespace ferplus {
namespace {

using nlohmann::ordered_json;

ordered_json to_json(const Interval& interval) { return {interval.low, interval.high}; }

// Per bin images, mean confidence and share of hits.
ordered_json to_json(const Reliability& reliability) {
  ordered_json bins = ordered_json::array();
  for (const Reliability::Bin& bin : reliability.bins) {
    const auto images = static_cast<double>(bin.images);
    ordered_json row = {{"images", bin.images}, {"confidence", nullptr}, {"accuracy", nullptr}};
    if (bin.images > 0)
      row.update({{"confidence", bin.confidence / images}, {"accuracy", bin.hits / images}});
    bins.push_back(std::move(row));
  }
  return bins;
}

ordered_json by_class(const std::array<double, kClasses>& values) {
  ordered_json object;
  for (std::size_t k = 0; k < kClasses; ++k) object[std::string(kClassNames[k])] = values[k];
  return object;
}

ordered_json to_json(const ProbabilityMetrics& metrics) {
  return {{"expected_calibration_error", metrics.reliability.error()},
          {"votes_calibration_error", metrics.agreement.reliability.error()},
          {"cross_entropy", metrics.agreement.cross_entropy},
          {"kl_divergence", metrics.agreement.kl_divergence},
          {"misplaced_votes", metrics.agreement.misplaced_votes},
          {"mean_probabilities", by_class(metrics.agreement.mean_probabilities)},
          {"reliability", to_json(metrics.reliability)}};
}

}  // namespace

ordered_json to_json(const Evaluation& evaluation) {
  const Classification& c = evaluation.classification;
  ordered_json json = {{"split", split_name(evaluation.options.split)},
                       {"protocol", protocol_name(evaluation.options.protocol)},
                       {"without_twins", evaluation.options.without_twins},
                       {"tta", augmentation_name(evaluation.options.augmentation)},
                       {"precision", precision_name(evaluation.precision)},
                       {"images", c.images},
                       {"accuracy", c.accuracy},
                       {"accuracy_interval", to_json(c.accuracy_interval)},
                       {"interval", "Wilson, 95 %"},
                       {"twin_free", nullptr},
                       {"macro_f1", c.macro_f1}};
  if (const auto& twin_free = evaluation.twin_free) {
    json["twin_free"] = {{"images", twin_free->images},
                         {"accuracy", twin_free->accuracy},
                         {"accuracy_interval", to_json(twin_free->accuracy_interval)},
                         {"macro_f1", twin_free->macro_f1}};
  }
  json["taggers"] = {{"images", evaluation.taggers.images},
                     {"left_out_tagger_with_rest", evaluation.taggers.people},
                     {"model_with_tagger", evaluation.taggers.model},
                     {"best_with_tagger", evaluation.taggers.best}};
  json.update(to_json(evaluation.raw));
  json["mean_votes"] = by_class(evaluation.raw.agreement.mean_votes);
  json["distribution_images"] = evaluation.raw.agreement.images;
  json["temperature"] = nullptr;
  json["temperature_split"] = nullptr;
  json["calibrated"] = nullptr;
  if (evaluation.calibrated) {
    json["temperature"] = *evaluation.options.temperature;
    if (const auto& split = evaluation.options.temperature_split) {
      json["temperature_split"] = split_name(*split);
    }
    json["calibrated"] = to_json(*evaluation.calibrated);
  }
  for (std::size_t k = 0; k < kClasses; ++k) {
    const ClassMetrics& metrics = c.classes[k];
    json["per_class"][std::string(kClassNames[k])] = {
        {"precision", metrics.precision},
        {"precision_interval", to_json(metrics.precision_interval)},
        {"recall", metrics.recall},
        {"recall_interval", to_json(metrics.recall_interval)},
        {"f1", metrics.f1},
        {"support", metrics.support},
        {"predicted", metrics.predicted}};
  }
  json["confusion"] = c.confusion;
  return json;
}

ordered_json to_json(const Comparison& comparison) {
  return {{"both_right", comparison.both},
          {"only_first_right", comparison.only_first},
          {"only_second_right", comparison.only_second},
          {"neither_right", comparison.neither},
          {"p_value", comparison.p_value},
          {"test", "McNemar, exact, two-sided"}};
}

}  // namespace ferplus
