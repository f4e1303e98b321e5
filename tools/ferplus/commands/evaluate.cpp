#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/core/text.h>
#include <ferplus/data/csv.h>
#include <ferplus/io/file.h>
#include <ferplus/nn/model_file.h>
#include <ferplus/train/error_report.h>
#include <ferplus/train/evaluate.h>
#include <ferplus/train/robustness.h>

#include "commands.h"
#include "compute_options.h"
#include "data_options.h"
#include "evaluation_text.h"
#include "general_options.h"
#include "help.h"
#include "model_options.h"
#include "output.h"
#include "progress.h"
#include "table.h"
#include "validators.h"

namespace ferplus::tool {
namespace {

struct Options {
  DataOptions data;
  std::vector<std::filesystem::path> models;
  std::filesystem::path json, predictions, errors;
  std::string split, protocol = "paper", augmentation = "none";
  bool without_twins = false, robustness = false, force = false;
  ComputeOptions compute;
  GeneralOptions general;
};

// The models one by one and, of several, their ensemble at the end.
std::vector<NamedEvaluation> evaluate_all(const Dataset& dataset, const std::vector<Model>& models,
                                          const Options& options) {
  const EvaluateOptions evaluate_options{
      .split = split_from_name(options.split),
      .protocol = protocol_from_name(options.protocol),
      .without_twins = options.without_twins,
      .augmentation = augmentation_from_name(options.augmentation)};
  const Precision precision = precision_from_name(options.compute.precision);
  std::vector<Evaluation> members;
  for (const Model& model : models) {
    const PreparedModel prepared(model.network, model.parameters, precision);
    ProgressBar bar(
        {.label = options.models.size() == 1
                      ? "evaluating"
                      : fmt::format("evaluating {}/{}", members.size() + 1, options.models.size()),
         .quiet = options.general.quiet});
    members.push_back(evaluate(dataset, prepared, for_model(evaluate_options, model),
                               [&](std::size_t done, std::size_t total) {
                                 bar.set_total(total);
                                 bar.update(done);
                               }));
  }
  std::vector<NamedEvaluation> named;
  for (std::size_t i = 0; i < members.size(); ++i) {
    named.push_back({options.models[i].string(), members[i]});
  }
  if (members.size() > 1) named.push_back({"ensemble", ensemble(dataset, members)});
  return named;
}

std::optional<Comparison> compare_two(const std::vector<NamedEvaluation>& named) {
  constexpr std::size_t kTwoAndTheirEnsemble = 3;
  if (named.size() != kTwoAndTheirEnsemble) return std::nullopt;
  return compare(named[0].evaluation.classes, named[0].evaluation.predictions,
                 named[1].evaluation.predictions);
}

std::vector<CorruptedAccuracy> robustness_of(const Dataset& dataset, const Model& model,
                                             const Evaluation& clean, const Options& options) {
  const PreparedModel prepared(model.network, model.parameters, clean.precision);
  ProgressBar bar({.label = "corrupting", .quiet = options.general.quiet});
  return robustness(dataset, prepared, clean, [&](std::size_t done, std::size_t total) {
    bar.set_total(total);
    bar.update(done);
  });
}

// One model's figures stand at the top; those of several in "models" and "ensemble".
nlohmann::ordered_json to_json(const std::string& source,
                               const std::vector<NamedEvaluation>& named) {
  nlohmann::ordered_json json = {{"data", source}};
  for (const auto& [name, evaluation] : named) {
    nlohmann::ordered_json figures = {{"model", name}};
    figures.update(ferplus::to_json(evaluation));
    if (named.size() == 1) {
      json.update(figures);
    } else if (&evaluation == &named.back().evaluation) {
      json["ensemble"] = ferplus::to_json(evaluation);
    } else {
      json["models"].push_back(std::move(figures));
    }
  }
  if (const auto comparison = compare_two(named)) {
    json["comparison"] = ferplus::to_json(*comparison);
  }
  return json;
}

std::string to_text(const std::vector<NamedEvaluation>& named) {
  const Evaluation& last = named.back().evaluation;
  const std::string conditions = conditions_text(last);
  if (named.size() == 1) {
    return fmt::format("{}, {}\n\n{}", harmless(named[0].name), conditions, evaluation_text(last));
  }
  std::string text = fmt::format("{}, {} images\n\n{}\n", conditions, grouped(last.samples.size()),
                                 models_text(named));
  if (const auto comparison = compare_two(named)) text += comparison_text(*comparison) + '\n';
  return text + "The ensemble:\n\n" + evaluation_text(last);
}

void write_predictions(const std::filesystem::path& path, const Dataset& dataset,
                       const Evaluation& evaluation) {
  write_output(path, [&](std::ostream& out) {
    out << "row,image,class,predicted";
    for (std::string_view name : kClassNames) out << ',' << name;
    out << '\n';
    for (std::size_t i = 0; i < evaluation.samples.size(); ++i) {
      const Sample& sample = dataset.samples[evaluation.samples[i]];
      const auto truth = static_cast<std::size_t>(evaluation.classes[i]);
      const auto predicted = static_cast<std::size_t>(evaluation.predictions[i]);
      out << sample.row << ',' << csv_field(sample.name) << ',' << kClassNames[truth] << ','
          << kClassNames[predicted];
      for (float p : evaluation.probabilities(i)) out << ',' << fmt::format("{}", p);
      out << '\n';
    }
  });
}

int run(Options options) {
  apply(options.general);
  apply(options.compute);
  check(options.data);
  if (options.force && options.errors.empty()) {
    throw UsageError("--force is for --errors, which is not given");
  }
  if (options.robustness && options.models.size() > 1) {
    throw UsageError("--robustness looks at one model at a time");
  }
  if (options.models.empty()) options.models = {given_or_bundled({}, options.general)};
  std::vector<std::filesystem::path> inputs = options.models;
  inputs.insert(inputs.end(), {options.data.fer, options.data.ferplus, options.data.folders});
  check_outputs({options.json, options.predictions}, inputs);
  if (!options.errors.empty()) check_error_folder(options.errors, options.force);
  std::vector<Model> models;
  for (const auto& path : options.models) models.push_back(load_model(path));
  const Dataset dataset = load(options.data);
  const std::vector<NamedEvaluation> named = evaluate_all(dataset, models, options);
  std::vector<CorruptedAccuracy> worse;
  if (options.robustness) {
    worse = robustness_of(dataset, models.front(), named.front().evaluation, options);
  }
  // First, so that a file that cannot be written costs no figure.
  const Evaluation& last = named.back().evaluation;
  std::string text = to_text(named);
  if (options.robustness) text += '\n' + robustness_text(last, worse);
  // Standard output is for one of them.
  if (options.json != kStandardOutput && options.predictions != kStandardOutput) print(text);
  if (!options.errors.empty()) write_error_report(dataset, last, options.errors, options.force);
  if (!options.json.empty()) {
    nlohmann::ordered_json json = to_json(dataset.source, named);
    if (options.robustness) json["robustness"] = ferplus::to_json(worse);
    write_output(options.json, [&](std::ostream& out) {
      out << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    });
  }
  if (!options.predictions.empty()) write_predictions(options.predictions, dataset, last);
  return kExitSuccess;
}

}  // namespace

Run setup_evaluate(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  set_help(
      app,
      {.usage = fmt::format("[--model M …] {} --split SPLIT", kDataUsage),
       .details =
           "Protocol paper counts the images with a majority class after outliers are removed, as "
           "Barsoum et al. do; protocol argmax counts all images with a vote for one of the eight "
           "classes, against the class with most raw votes. Intervals are Wilson's at 95 %: the "
           "chance of test images, not of the seed.\n"
           "Cross-entropy, KL divergence and misplaced votes compare the network's probabilities "
           "with the shares of the votes for the eight classes. The calibration errors compare its "
           "confidence with how often it is right, and with the share of the votes that its "
           "prediction has; the temperature of ferplus calibrate mends the second. A tagger drawn "
           "at random from an image's votes is compared with the network, with the plurality of "
           "the other taggers (ties count in part), and with the most voted class.\n"
           "Several models are averaged by their probabilities; two are also compared by an exact "
           "McNemar test.",
       .example = "ferplus evaluate --model runs/first/best.safetensors -d faces --split public "
                  "--json public.json\n"
                  "ferplus evaluate --model a.safetensors --model b.safetensors -d faces "
                  "--split public --tta flip --errors mistakes"});
  add_models_option(app, options->models);
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
               "Leave out images that training has too, pixel for pixel, from all figures")
      ->group("What to count");
  app.add_option("--tta", options->augmentation,
                 "Average the probabilities of several views of a face: none, flip (and its mirror "
                 "image) or 10crop (corners and centre of a 72x72 warp, and their mirror images)")
      ->type_name("VIEWS")
      ->check(one_of("augmentation", {"none", "flip", "10crop"}))
      ->capture_default_str()
      ->group("What to count");
  app.add_flag(
         "--robustness", options->robustness,
         "Evaluate again on worse pictures: blurred, turned, dark, bright, flat, noisy, partly "
         "covered, small")
      ->group("What to count");
  app.add_option("--json", options->json,
                 "Write all figures to FILE, - for standard output in place of the tables")
      ->type_name("FILE")
      ->group("Output");
  app.add_option(
         "--predictions", options->predictions,
         "Write class and probabilities of every image to FILE, - for standard output; of several "
         "models those of the ensemble")
      ->type_name("FILE.csv")
      ->group("Output");
  app.add_option(
         "--errors", options->errors,
         "Write images.csv, with votes, prediction and confidence of every image, and a sheet of "
         "the faces per confusion to DIR, the most confident mistakes first; of several "
         "models those of the ensemble")
      ->type_name("DIR")
      ->group("Output");
  app.add_flag("--force", options->force, "Replace a report in the DIR of --errors")
      ->group("Output");
  add_compute_options(app, options->compute);
  add_general_options(app, options->general);
  return [options] { return run(*options); };
}

}  // namespace ferplus::tool
