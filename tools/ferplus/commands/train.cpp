#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <ferplus/core/error.h>
#include <ferplus/nn/tuning.h>
#include <ferplus/train/run_folder.h>
#include <ferplus/train/tensorboard.h>
#include <ferplus/train/trainer.h>

#include "commands.h"
#include "compute_options.h"
#include "data_options.h"
#include "general_options.h"
#include "help.h"
#include "interrupt.h"
#include "model_options.h"
#include "progress.h"
#include "train_console.h"
#include "validators.h"

namespace ferplus::tool {
namespace {

namespace fs = std::filesystem;

// What the command line says; empty strings were not given.
struct Options {
  DataOptions data;
  fs::path run, config, from;
  std::string mode, network, recipe, preprocessing, algorithm;
  std::optional<std::uint64_t> seed, limit, hold_out;
  bool drop_leaks = false;
  std::vector<std::optional<std::string>> fields;  // one per recipe_fields()
  bool autotune = false, profile = false, tensorboard = false;
  bool resume = false;
  int stop_after = 0;
  std::int64_t checkpoint_every = 0;
  GeneralOptions general;
};

// Defaults, then the file of --config or of the run to resume, then the options.
RunConfig configuration(const Options& options) {
  RunConfig config;
  if (options.resume) {
    const RunFolder folder{options.run};
    require_run(folder);
    config = read_run_config(folder.config());
  } else if (!options.config.empty()) {
    read_config(options.config, config);
  } else if (options.mode.empty()) {
    throw UsageError(concat("train needs a mode: -m ", label_mode_list()));
  }
  if (!options.mode.empty()) config.mode = label_mode(options.mode).mode;
  if (!options.network.empty()) config.network = options.network;
  if (!options.preprocessing.empty()) {
    config.preprocessing = preprocessing_from_name(options.preprocessing);
  }
  if (!options.from.empty()) config.from = absolute_text(options.from);
  if (!options.recipe.empty()) config.recipe = find_recipe(options.recipe);
  if (options.seed) config.seed = *options.seed;
  if (options.limit) config.limit = *options.limit;
  if (options.hold_out) config.hold_out = *options.hold_out;
  if (options.drop_leaks) config.drop_leaks = true;
  for (std::size_t i = 0; i < options.fields.size(); ++i) {
    if (options.fields[i]) set_field(config.recipe, recipe_fields()[i], *options.fields[i]);
  }
  if (!options.algorithm.empty()) config.convolution = {.algorithm = options.algorithm};
  set_data(config, options.data);
  return config;
}

// The run's choice of algorithms, by measurement.
ConvSelection autotuned(const RunConfig& config, bool quiet) {
  constexpr Index kLargestBatch = 32;  // beyond, the order of the algorithms stays
  ProgressBar bar({.label = "measuring convolutions", .unit = "passes", .quiet = quiet});
  return {.tuned = tune_convolutions(build_network(config),
                                     std::min<Index>(config.recipe.batch, kLargestBatch),
                                     [&](std::size_t done, std::size_t total) {
                                       bar.set_total(total);
                                       bar.update(done);
                                     })};
}

int run(const Options& options) {
  apply(options.general);
  RunConfig config = configuration(options);
  validate(config);
  if (options.tensorboard) require_tensorboard();
  if (!options.resume) refuse_existing_run({options.run});
  const Dataset dataset = load(data_of(config));
  if (options.autotune) config.convolution = autotuned(config, options.general.quiet);
  install_interrupt_handlers();
  const TrainResult result = train_on_console(
      dataset, config,
      {.folder = options.run,
       .resume = options.resume,
       .stop_after = options.stop_after,
       .checkpoint_every = options.checkpoint_every,
       .profile = options.profile,
       .tensorboard = options.tensorboard},
      options.general.quiet,
      fmt::format("ferplus train --resume{} -o {}", options.tensorboard ? " --tensorboard" : "",
                  options.run.string()));
  return result.interrupted ? interrupt_exit_code() : kExitSuccess;
}

void add_recipe_options(CLI::App& app, std::vector<std::optional<std::string>>& values) {
  values.resize(recipe_fields().size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const RecipeField& field = recipe_fields()[i];
    std::string name(field.name);
    std::replace(name.begin(), name.end(), '_', '-');
    const bool is_text = std::holds_alternative<std::string Recipe::*>(field.member);
    const bool is_truth = std::holds_alternative<bool Recipe::*>(field.member);
    std::string help(field.help);
    if (!is_text && !is_truth) help += fmt::format(" ({} to {})", field.minimum, field.maximum);
    app.add_option("--" + name, values[i], help)
        ->type_name(is_truth                ? "true|false"
                    : !is_text              ? "N"
                    : field.choices.empty() ? "LIST"
                                            : "NAME")
        ->group("Recipe, each over that of --recipe");
  }
}

}  // namespace

Run setup_train(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  set_help(
      app,
      {.usage = fmt::format("{} -m MODE -o RUN [--network vgg13] [--recipe paper]", kDataUsage),
       .details =
           "Trains on the training split, evaluates on the public split after each epoch and "
           "keeps the best and the last state in the folder RUN: config.json, metrics.jsonl, "
           "train.log, best.safetensors, last.safetensors, summary.json. The same binary, "
           "settings, "
           "data and instruction set give the same bits, for any number of threads and "
           "interruptions. "
           "Ctrl-C finishes the step, saves and exits; --resume goes on.\n"
           "Fewer --epochs compress the recipe's schedule in proportion; --stop-after ends "
           "early without. --resume --epochs N extends a run: the schedule is then spread over "
           "N epochs.",
       .example = "ferplus train --fer fer2013.csv --ferplus fer2013new.csv -m crossentropy "
                  "-o runs/first\n"
                  "ferplus train -d faces -m majority --network vgg13_bn --recipe one_cycle "
                  "--epochs 3 --tensorboard -o runs/quick\n"
                  "ferplus train --resume -o runs/first"});
  add_data_options(app, options->data);
  app.add_option("-o,--output", options->run, "Folder of the run")
      ->required()
      ->type_name("RUN")
      ->group("Run");
  app.add_option("-m,--mode", options->mode, "How votes become targets: " + label_mode_list())
      ->type_name("MODE")
      ->check(label_mode_name())
      ->group("Run");
  app.add_option("--network", options->network, "The network: " + network_list() + " [vgg13]")
      ->type_name("NAME")
      ->check(one_of("network", network_names()))
      ->group("Run");
  app.add_option("--preprocessing", options->preprocessing,
                 "What the network sees of a face: ferplus (equalised, plane removed) or raw "
                 "((gray - 127.5) / 255, as the ONNX model zoo's emotion_ferplus) [ferplus]")
      ->type_name("NAME")
      ->check(one_of("preprocessing", {"ferplus", "raw"}))
      ->group("Run");
  app.add_option("--recipe", options->recipe, "The hyperparameters: " + recipe_list() + " [paper]")
      ->type_name("NAME")
      ->check(one_of("recipe", recipe_names()))
      ->group("Run");
  app.add_option("--config", options->config, "Start from a config.json, as a run keeps it")
      ->type_name("FILE")
      ->group("Run");
  app.add_option("--from", options->from,
                 "Start from the weights of this model of the same network instead of drawn ones")
      ->type_name("MODEL")
      ->group("Run");
  app.add_option("--seed", options->seed, "Of all random draws [1]")
      ->type_name("S")
      ->check(whole_number(0, std::numeric_limits<std::int64_t>::max()))
      ->group("Run");
  app.add_option("--limit", options->limit, "Train on the first N images only")
      ->type_name("N")
      ->check(whole_number(1, 1000000000))
      ->group("Run");
  app.add_flag("--drop-leaks", options->drop_leaks,
               "Leave out training images that equal one of the public or private split")
      ->group("Run");
  app.add_option("--hold-out", options->hold_out,
                 "Keep N training images, drawn by the seed, out of training")
      ->type_name("N")
      ->check(whole_number(0, 1000000000))
      ->group("Run");
  CLI::Option* algorithm = add_algorithm_option(app, options->algorithm, "Run");
  app.add_flag("--resume", options->resume, "Go on with the run in RUN")
      ->excludes("--config")
      ->group("Run");
  app.add_flag("--autotune", options->autotune,
               "Measure first which algorithms are the fastest on this machine; config.json keeps "
               "them, so that resuming or repeating the run measures nothing and gives the same "
               "bits")
      ->excludes(algorithm)
      ->excludes("--resume")
      ->group("Run");
  app.add_option("--stop-after", options->stop_after, "End after epoch N of the run")
      ->type_name("N")
      ->check(whole_number(1, 100000))
      ->group("Run");
  app.add_option("--checkpoint-every", options->checkpoint_every,
                 "Also save last.safetensors after every so many steps")
      ->type_name("STEPS")
      ->check(whole_number(1, 1000000000))
      ->group("Run");
  app.add_flag("--profile", options->profile,
               "At the end, interrupted or not, print the time by layer and pass, and write it to "
               "profile.json")
      ->group("Run");
  app.add_flag("--tensorboard", options->tensorboard,
               fmt::format("Write loss, accuracy, learning rate and speed of every epoch to {} "
                           "too, which TensorBoard reads; with --resume, of the earlier epochs as "
                           "well",
                           RunFolder{"RUN"}.events().string()))
      ->group("Run");
  add_recipe_options(app, options->fields);
  add_general_options(app, options->general);
  return [options] { return run(*options); };
}

}  // namespace ferplus::tool
