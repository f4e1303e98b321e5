#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/sink.h>

#include <ferplus/core/error.h>
#include <ferplus/train/trainer.h>

#include "commands.h"
#include "data_options.h"
#include "general_options.h"
#include "help.h"
#include "interrupt.h"
#include "logging.h"
#include "model_options.h"
#include "progress.h"
#include "table.h"
#include "validators.h"

namespace ferplus::tool {
namespace {

namespace fs = std::filesystem;

// What the command line says; empty strings were not given.
struct Options {
  DataOptions data;
  fs::path run, config, from;
  std::string mode, network, recipe, preprocessing;
  std::optional<std::uint64_t> seed, limit;
  std::vector<std::optional<std::string>> fields;  // one per recipe_fields()
  bool resume = false;
  int stop_after = 0;
  std::int64_t checkpoint_every = 0;
  GeneralOptions general;
};

bool has_data(const DataOptions& data) {
  return !data.fer.empty() || !data.ferplus.empty() || !data.folders.empty();
}

std::string absolute_text(const fs::path& path) {
  return path.empty() ? std::string() : fs::absolute(path).lexically_normal().string();
}

// Defaults, then the file of --config or of the run to resume, then the options.
RunConfig configuration(const Options& options) {
  RunConfig config;
  if (options.resume) {
    if (!fs::exists(options.run / "config.json")) {
      throw Error(concat(options.run.string(), " holds no run to resume: it has no config.json"));
    }
    read_config(options.run / "config.json", config);
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
  for (std::size_t i = 0; i < options.fields.size(); ++i) {
    if (options.fields[i]) set_field(config.recipe, recipe_fields()[i], *options.fields[i]);
  }
  if (has_data(options.data)) {
    config.fer = absolute_text(options.data.fer);
    config.ferplus = absolute_text(options.data.ferplus);
    config.folders = absolute_text(options.data.folders);
  }
  return config;
}

class Listener final : public TrainListener {
 public:
  explicit Listener(const Options& options) : options_(options) {}

  void on_start(const StartReport& start) override {
    // Only now is the folder this process's own.
    log_ = make_logger({.quiet = options_.general.quiet,
                        .file = options_.run / "train.log",
                        .append = options_.resume});
    log_->info("{}: {} parameters; {} training and {} public images, {} steps an epoch",
               start.network, grouped(start.parameters),
               grouped(static_cast<std::uint64_t>(start.train_images)),
               grouped(static_cast<std::uint64_t>(start.public_images)), start.steps_per_epoch);
    epoch_images_ = static_cast<std::uint64_t>(start.train_images);
    const auto already = static_cast<std::uint64_t>(start.epoch) * epoch_images_ +
                         static_cast<std::uint64_t>(start.images);
    if (already > 0) log_->info("resuming in epoch {} of {}", start.epoch + 1, start.epochs);
    const int last =
        options_.stop_after > 0 ? std::min(options_.stop_after, start.epochs) : start.epochs;
    bar_.emplace(ProgressBar::Options{.total = static_cast<std::uint64_t>(last) * epoch_images_,
                                      .already = already,
                                      .quiet = options_.general.quiet});
  }

  void on_message(const std::string& message) override { log_->warn(message); }

  void on_step(const StepReport& step) override {
    bar_->set_label(fmt::format("epoch {}/{}", step.epoch + 1, step.epochs));
    done_ = static_cast<std::uint64_t>(step.epoch) * epoch_images_ +
            static_cast<std::uint64_t>(step.images);
    bar_->update(done_, fmt::format("loss {:.4f}  accuracy {}", step.mean_loss,
                                    percent(step.mean_accuracy)));
  }

  void on_evaluation(std::size_t done, std::size_t total) override {
    bar_->update(done_, fmt::format("evaluating {}/{}", done, total));
  }

  void on_epoch(const EpochMetrics& metrics, bool best) override {
    log_->info(
        "epoch {}: training loss {:.4f}, accuracy {}; public loss {:.4f}, accuracy {}{}; learning "
        "rate {:.5f}; {:.1f} images/s, {}",
        metrics.epoch + 1, metrics.train_loss, percent(metrics.train_accuracy), metrics.public_loss,
        percent(metrics.public_accuracy), best ? " (best)" : "", metrics.learning_rate,
        metrics.images_per_second, duration_text(metrics.seconds));
  }

  bool stop_requested() override { return interrupt_flag().load(); }

  // Takes the bar away before the last lines.
  void finish() { bar_.reset(); }
  // The reason why a run ended belongs into its log; the console hears it from main.
  void log_failure(const std::string& reason) {
    bar_.reset();
    if (log_) {
      log_->sinks().back()->log(spdlog::details::log_msg(log_->name(), spdlog::level::err, reason));
      log_->flush();
    }
  }
  spdlog::logger& log() { return *log_; }

 private:
  const Options& options_;
  std::shared_ptr<spdlog::logger> log_;
  std::optional<ProgressBar> bar_;
  std::uint64_t epoch_images_ = 0, done_ = 0;
};

int run(const Options& options) {
  apply(options.general);
  const RunConfig config = configuration(options);
  validate(config.recipe);
  const DataOptions data{config.fer, config.ferplus, config.folders};
  if (!has_data(data)) throw UsageError(concat("train needs data: ", kDataUsage));
  const Dataset dataset = load(data);
  install_interrupt_handlers();
  Listener listener(options);
  const TrainResult result = [&] {
    try {
      return train(dataset, config,
                   {.folder = options.run,
                    .resume = options.resume,
                    .stop_after = options.stop_after,
                    .checkpoint_every = options.checkpoint_every},
                   listener);
    } catch (const std::exception& error) {
      listener.log_failure(error.what());
      throw;
    }
  }();
  listener.finish();
  if (result.interrupted) {
    listener.log().warn("interrupted and saved; go on with: ferplus train --resume -o {}",
                        options.run.string());
    return interrupt_exit_code();
  }
  if (result.best_epoch >= 0) {
    listener.log().info("best public accuracy {} in epoch {}: {}",
                        percent(result.best_public_accuracy), result.best_epoch + 1,
                        (options.run / "best.safetensors").string());
  }
  if (result.private_accuracy) {
    listener.log().info("private accuracy of that model: {}", percent(*result.private_accuracy));
  }
  return kExitSuccess;
}

void add_recipe_options(CLI::App& app, std::vector<std::optional<std::string>>& values) {
  values.resize(recipe_fields().size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const RecipeField& field = recipe_fields()[i];
    std::string name(field.name);
    std::replace(name.begin(), name.end(), '_', '-');
    app.add_option("--" + name, values[i], std::string(field.help))
        ->type_name(std::holds_alternative<std::string Recipe::*>(field.member) ? "NAME"
                    : std::holds_alternative<bool Recipe::*>(field.member)      ? "true|false"
                                                                                : "N")
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
           "train.log, best.safetensors, last.safetensors, summary.json. The same settings, "
           "data and CPU type give the same bits, for any number of threads and interruptions. "
           "Ctrl-C finishes the step, saves and exits; --resume goes on.\n"
           "Fewer --epochs compress the recipe's schedule in proportion; --stop-after ends "
           "early without. --resume --epochs N extends a run: the schedule is then spread over "
           "N epochs.",
       .example = "ferplus train --fer fer2013.csv --ferplus fer2013new.csv -m crossentropy "
                  "-o runs/first\n"
                  "ferplus train -d faces -m majority --network vgg13_bn --recipe one_cycle "
                  "--epochs 3 -o runs/quick\n"
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
  app.add_flag("--resume", options->resume, "Go on with the run in RUN")
      ->excludes("--config")
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
  add_recipe_options(app, options->fields);
  add_general_options(app, options->general);
  return [options] { return run(*options); };
}

}  // namespace ferplus::tool
