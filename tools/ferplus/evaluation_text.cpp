#include "evaluation_text.h"

#include <vector>

#include <fmt/format.h>

#include "table.h"

namespace ferplus::tool {
namespace {

constexpr const char* kNotKnown = "not known";  // without a training split
constexpr const char* kInterval = "Wilson 95 %";

std::string figure(double value) { return fmt::format("{:.4f}", value); }

std::string accuracy_table(const Evaluation& evaluation) {
  Table table({{"", Table::Align::left}, {""}, {kInterval}, {"images"}});
  const auto add = [&](const char* name, const Classification& c) {
    table.add_row({name, percent(c.accuracy),
                   percents(c.accuracy_interval.low, c.accuracy_interval.high), grouped(c.images)});
  };
  add("accuracy", evaluation.classification);
  constexpr const char* kTwinFree = "without training's twins";
  if (evaluation.options.split == Split::train) {
    // All of its images are in training.
  } else if (!evaluation.twin_free) {
    table.add_row({kTwinFree, kNotKnown, "", ""});
  } else if (!evaluation.options.without_twins) {
    add(kTwinFree, *evaluation.twin_free);
  }
  table.add_row({"macro F1", figure(evaluation.classification.macro_f1), "", ""});
  return table.to_string();
}

std::string tagger_table(const TaggerAgreement& taggers) {
  Table table({{"one tagger, drawn at random, agrees", Table::Align::left}, {""}});
  table.add_row({"with the network", percent(taggers.model)});
  table.add_row({"with most of the other taggers", percent(taggers.people)});
  table.add_row({"with the best single answer", percent(taggers.best)});
  return table.to_string();
}

std::string probability_table(const Evaluation& evaluation) {
  std::vector<Table::Column> columns = {{"probabilities", Table::Align::left}, {"raw"}};
  if (evaluation.calibrated) {
    columns.push_back({fmt::format("temperature {:.3f}{}", *evaluation.options.temperature,
                                   evaluation.options.fitted_here() ? ", fitted here" : "")});
  }
  Table table(std::move(columns));
  const auto add = [&](const char* name, const auto& text) {
    std::vector<std::string> cells = {name, text(evaluation.raw)};
    if (evaluation.calibrated) cells.push_back(text(*evaluation.calibrated));
    table.add_row(std::move(cells));
  };
  using Metrics = ProbabilityMetrics;
  add("calibration error, being right",
      [](const Metrics& m) { return percent(m.reliability.error()); });
  add("calibration error, votes",
      [](const Metrics& m) { return percent(m.agreement.reliability.error()); });
  add("cross-entropy to the votes",
      [](const Metrics& m) { return figure(m.agreement.cross_entropy); });
  add("KL divergence to the votes",
      [](const Metrics& m) { return figure(m.agreement.kl_divergence); });
  add("votes misplaced, of ten",
      [](const Metrics& m) { return fmt::format("{:.2f}", m.agreement.misplaced_votes); });
  return table.to_string();
}

std::string class_table(const Classification& c) {
  Table table(
      {{"class", Table::Align::left}, {"precision"}, {"recall"}, {kInterval}, {"F1"}, {"support"}});
  for (std::size_t k = 0; k < kClasses; ++k) {
    const ClassMetrics& m = c.classes[k];
    table.add_row({std::string(kClassNames[k]), percent(m.precision), percent(m.recall),
                   percents(m.recall_interval.low, m.recall_interval.high), figure(m.f1),
                   grouped(m.support)});
  }
  return table.to_string();
}

std::string confusion_table(const Classification& c) {
  std::vector<Table::Column> columns = {{"votes \\ network", Table::Align::left}};
  for (std::string_view name : kClassNames) columns.push_back({std::string(name)});
  Table table(std::move(columns));
  for (std::size_t k = 0; k < kClasses; ++k) {
    std::vector<std::string> cells = {std::string(kClassNames[k])};
    for (std::size_t count : c.confusion[k]) cells.push_back(grouped(count));
    table.add_row(std::move(cells));
  }
  return table.to_string();
}

}  // namespace

std::string conditions_text(const Evaluation& evaluation) {
  const EvaluateOptions& options = evaluation.options;
  std::string text = fmt::format("{} split, protocol {}", split_name(options.split),
                                 protocol_name(options.protocol));
  if (options.without_twins) text += ", without twins of training images";
  if (options.augmentation != TestTimeAugmentation::none) {
    text += fmt::format(", averaged over {} views", views(options.augmentation).size());
  }
  if (evaluation.precision != Precision::fp32) {
    text += fmt::format(", {}", precision_name(evaluation.precision));
  }
  return text;
}

std::string evaluation_text(const Evaluation& evaluation) {
  return fmt::format("{}\n{}\n{}\n{}\n{}", accuracy_table(evaluation),
                     probability_table(evaluation), tagger_table(evaluation.taggers),
                     class_table(evaluation.classification),
                     confusion_table(evaluation.classification));
}

std::string models_text(std::span<const NamedEvaluation> models) {
  Table table({{"model", Table::Align::left},
               {"accuracy"},
               {kInterval},
               {"without twins"},
               {kInterval},
               {"macro F1"},
               {"cross-entropy"}});
  for (const auto& [name, evaluation] : models) {
    const Classification& c = evaluation.classification;
    const auto& twin_free = evaluation.twin_free;
    table.add_row(
        {name, percent(c.accuracy), percents(c.accuracy_interval.low, c.accuracy_interval.high),
         twin_free ? percent(twin_free->accuracy) : kNotKnown,
         twin_free ? percents(twin_free->accuracy_interval.low, twin_free->accuracy_interval.high)
                   : "",
         figure(c.macro_f1), figure(evaluation.raw.agreement.cross_entropy)});
  }
  return table.to_string();
}

std::string robustness_text(const Evaluation& clean, std::span<const CorruptedAccuracy> rows) {
  Table table({{"worse pictures", Table::Align::left},
               {"", Table::Align::left},
               {"accuracy"},
               {kInterval},
               {"points lost"}});
  std::string_view before;
  for (const auto& [corruption, c] : rows) {
    table.add_row({std::string(corruption->kind == before ? "" : corruption->kind),
                   std::string(corruption->level), percent(c.accuracy),
                   percents(c.accuracy_interval.low, c.accuracy_interval.high),
                   fmt::format("{:.2f}", 100 * (clean.classification.accuracy - c.accuracy))});
    before = corruption->kind;
  }
  return table.to_string();
}

std::string comparison_text(const Comparison& comparison) {
  return fmt::format(
      "Right: both {}, the first alone {}, the second alone {}, neither {}. Exact McNemar test: "
      "p = {:.3g}.\n",
      grouped(comparison.both), grouped(comparison.only_first), grouped(comparison.only_second),
      grouped(comparison.neither), comparison.p_value);
}

}  // namespace ferplus::tool
