#include <cstdio>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ferplus/data/csv.h>
#include <ferplus/io/file.h>
#include <ferplus/nn/model_file.h>
#include <ferplus/nn/predictor.h>
#include <ferplus/train/evaluate.h>

#include "commands.h"
#include "data_options.h"
#include "general_options.h"
#include "help.h"
#include "model_options.h"
#include "progress.h"
#include "table.h"
#include "validators.h"

namespace ferplus::tool {
namespace {

struct Options {
  DataOptions data;
  std::filesystem::path model, json, predictions;
  std::string split, protocol = "paper";
  bool without_twins = false;
  GeneralOptions general;
};

std::string summary(const Evaluation& evaluation) {
  const Classification& c = evaluation.classification;
  Table totals({{"", Table::Align::left}, {""}});
  totals.add_row({"accuracy", percent(c.accuracy)});
  totals.add_row({"images", grouped(c.images)});
  totals.add_row({"macro F1", fmt::format("{:.4f}", c.macro_f1)});
  totals.add_row({"expected calibration error", percent(c.expected_calibration_error)});
  totals.add_row(
      {"cross-entropy to the votes", fmt::format("{:.4f}", evaluation.agreement.cross_entropy)});
  totals.add_row(
      {"KL divergence to the votes", fmt::format("{:.4f}", evaluation.agreement.kl_divergence)});
  return totals.to_string();
}

std::string class_table(const Classification& c) {
  Table table({{"class", Table::Align::left}, {"precision"}, {"recall"}, {"F1"}, {"support"}});
  for (std::size_t k = 0; k < kClasses; ++k) {
    const ClassMetrics& m = c.classes[k];
    table.add_row({std::string(kClassNames[k]), percent(m.precision), percent(m.recall),
                   fmt::format("{:.4f}", m.f1), grouped(m.support)});
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

void write_predictions(const std::filesystem::path& path, const Dataset& dataset,
                       const Evaluation& evaluation) {
  write_file_atomically(path, [&](std::ostream& out) {
    out << "row,image,class,predicted";
    for (std::string_view name : kClassNames) out << ',' << name;
    out << '\n';
    for (std::size_t i = 0; i < evaluation.samples.size(); ++i) {
      const Sample& sample = dataset.samples[evaluation.samples[i]];
      const auto truth = static_cast<std::size_t>(evaluation.classes[i]);
      const auto predicted = static_cast<std::size_t>(argmax(evaluation.logits[i]));
      out << sample.row << ',' << csv_field(sample.name) << ',' << kClassNames[truth] << ','
          << kClassNames[predicted];
      for (float p : softmax(evaluation.logits[i])) out << ',' << fmt::format("{}", p);
      out << '\n';
    }
  });
}

int run(const Options& options) {
  apply(options.general);
  check(options.data);
  EvaluateOptions evaluate_options{.split = split_from_name(options.split),
                                   .protocol = protocol_from_name(options.protocol),
                                   .without_twins = options.without_twins};
  const Model model = load_model(options.model);
  evaluate_options.preprocessing = model.preprocessing();
  const Dataset dataset = load(options.data);
  const PreparedModel prepared(model.network, model.parameters);
  Evaluation evaluation;
  {
    ProgressBar bar({.label = "evaluating", .quiet = options.general.quiet});
    evaluation =
        evaluate(dataset, prepared, evaluate_options, [&](std::size_t done, std::size_t total) {
          bar.set_total(total);
          bar.update(done);
        });
  }
  if (!options.json.empty()) {
    nlohmann::ordered_json json = {{"model", options.model.string()}, {"data", dataset.source}};
    json.update(to_json(evaluation));
    write_file_atomically(options.json, [&](std::ostream& out) {
      out << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    });
  }
  if (!options.predictions.empty()) write_predictions(options.predictions, dataset, evaluation);
  const std::string text = fmt::format(
      "{}, {} split, protocol {}{}\n\n{}\n{}\n{}", options.model.string(), options.split,
      options.protocol, options.without_twins ? ", without twins of training images" : "",
      summary(evaluation), class_table(evaluation.classification),
      confusion_table(evaluation.classification));
  std::fwrite(text.data(), 1, text.size(), stdout);
  return kExitSuccess;
}

}  // namespace

Run setup_evaluate(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  set_help(app, {.usage = fmt::format("--model M {} --split SPLIT", kDataUsage),
                 .details =
                     "Protocol paper counts the images with a majority class after outliers are "
                     "removed, as Barsoum et al. do; protocol argmax counts all images with a vote "
                     "for one of the eight classes, against the class with most raw votes. "
                     "Cross-entropy and KL divergence compare the network's probabilities with the "
                     "votes' distribution (mode crossentropy).",
                 .example = "ferplus evaluate --model runs/first/best.safetensors -d faces "
                            "--split public --json public.json"});
  add_model_option(app, options->model);
  add_data_options(app, options->data);
  app.add_option("--split", options->split, "public, private or train")
      ->required()
      ->type_name("SPLIT")
      ->check(one_of("split", {"public", "private", "train"}))
      ->group("What to count");
  app.add_option("--protocol", options->protocol, "paper or argmax")
      ->type_name("NAME")
      ->check(one_of("protocol", {"paper", "argmax"}))
      ->capture_default_str()
      ->group("What to count");
  app.add_flag("--without-twins", options->without_twins,
               "Leave out images that training has too, pixel for pixel")
      ->group("What to count");
  app.add_option("--json", options->json, "Write all figures to FILE")
      ->type_name("FILE")
      ->group("Output");
  app.add_option("--predictions", options->predictions,
                 "Write class and probabilities of every image to FILE")
      ->type_name("FILE.csv")
      ->group("Output");
  add_general_options(app, options->general);
  return [options] { return run(*options); };
}

}  // namespace ferplus::tool
