#include <nlohmann/json.hpp>

#include <ferplus/train/robustness.h>

namespace ferplus {

std::vector<CorruptedAccuracy> robustness(const Dataset& dataset, const PreparedModel& model,
                                          const Evaluation& clean, const Progress& progress) {
  EvaluateOptions options = clean.options;
  options.without_twins = false;  // clean.samples are without already
  std::vector<CorruptedAccuracy> rows;
  for (const Corruption& corruption : corruptions()) {
    const Dataset worse = corrupted(dataset, clean.samples, corruption);
    const std::size_t before = rows.size();
    const Evaluation evaluation =
        evaluate(worse, model, options, [&](std::size_t done, std::size_t total) {
          if (progress) progress(before * total + done, corruptions().size() * total);
        });
    rows.push_back({&corruption, evaluation.classification});
  }
  return rows;
}

nlohmann::ordered_json to_json(std::span<const CorruptedAccuracy> rows) {
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const auto& [corruption, c] : rows) {
    json.push_back({{"corruption", corruption->kind},
                    {"level", corruption->level},
                    {"images", c.images},
                    {"accuracy", c.accuracy},
                    {"accuracy_interval", {c.accuracy_interval.low, c.accuracy_interval.high}},
                    {"macro_f1", c.macro_f1}});
  }
  return json;
}

}  // namespace ferplus
