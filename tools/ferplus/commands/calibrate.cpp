#include <limits>
#include <memory>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/nn/model_file.h>
#include <ferplus/train/calibration.h>

#include "commands.h"
#include "data_options.h"
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
  std::filesystem::path model;
  std::string split;
  std::size_t rows = 0;
  bool json = false;
  GeneralOptions general;
};

int run(const Options& options) {
  apply(options.general);
  check(options.data);
  const Model model = load_model(options.model);
  const Dataset dataset = load(options.data);
  const auto samples =
      calibration_samples(dataset, model, split_from_name(options.split), options.rows);
  std::optional<Calibration> fitted;
  {
    ProgressBar bar(
        {.label = "calibrating", .total = samples.size(), .quiet = options.general.quiet});
    fitted = calibrate(dataset, samples, model,
                       [&](std::size_t done, std::size_t) { bar.update(done); });
  }
  if (!fitted) {
    throw Error(concat("no temperature between ", kLeastTemperature, " and ", kMostTemperature,
                       " brings ", options.model.string(),
                       " closest to the votes: calibrate a trained network, on images that it was "
                       "not trained on"));
  }
  const Calibration& calibration = *fitted;
  write_calibration(options.model, model, calibration);
  const std::string text =
      options.json
          ? to_json(calibration).dump(2) + '\n'
          : fmt::format(
                "{}: temperature {:.4f}, fitted on {} {} images: cross-entropy to their "
                "votes {:.4f}, before {:.4f}\n",
                options.model.string(), calibration.temperature, grouped(calibration.images),
                options.split, calibration.cross_entropy, calibration.cross_entropy_before);
  print(text);
  return kExitSuccess;
}

}  // namespace

Run setup_calibrate(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  set_help(
      app,
      {.usage = fmt::format("--model M {} --split SPLIT [--rows N]", kDataUsage),
       .details =
           "Fits one number, the temperature that the logits are divided by, so that the "
           "probabilities come closest to the shares of the votes, and writes it into the "
           "model's metadata. Predictions and accuracy stay as they are. Of the training split, "
           "images that the model was not trained on are taken: those of train --hold-out N, or "
           "past --limit N, as its metadata say; give the data that it was trained on. Of a run "
           "that "
           "began with a model (train --from), that one must not have seen them either, and must "
           "have been trained on the same data: else calibrate with --split public. Images "
           "that training has too, pixel for pixel, are left out.",
       .example = "ferplus train -d faces -m majority --hold-out 500 -o runs/held\n"
                  "ferplus calibrate --model runs/held/best.safetensors -d faces --split train"});
  app.add_option("--model", options->model, "The model to write to, RUN/best.safetensors say")
      ->required()
      ->type_name("FILE")
      ->group("Model");
  add_data_options(app, options->data);
  app.add_option("--split", options->split, "train or public")
      ->required()
      ->type_name("SPLIT")
      ->check(one_of("split", {"train", "public"}))
      ->group("What to fit on");
  app.add_option("--rows", options->rows, "The last N images of the split (default: all)")
      ->type_name("N")
      ->check(whole_number(1, std::numeric_limits<std::int32_t>::max()))
      ->group("What to fit on");
  app.add_flag("--json", options->json, "Print JSON, for programs")->group("Output");
  add_general_options(app, options->general);
  return [options] { return run(*options); };
}

}  // namespace ferplus::tool
