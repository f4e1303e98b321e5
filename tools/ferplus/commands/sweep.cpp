#include <exception>
#include <filesystem>
#include <memory>
#include <new>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spdlog/logger.h>

#include <ferplus/core/error.h>
#include <ferplus/io/file.h>
#include <ferplus/train/run_folder.h>
#include <ferplus/train/sweep_results.h>

#include "commands.h"
#include "data_options.h"
#include "general_options.h"
#include "help.h"
#include "interrupt.h"
#include "logging.h"
#include "output.h"
#include "train_console.h"

namespace ferplus::tool {
namespace {

namespace fs = std::filesystem;

struct Options {
  DataOptions data;
  fs::path config, folder;
  bool summary_only = false, json = false;
  GeneralOptions general;
};

using Results = std::vector<SweepResult>;

std::string json_text(const Results& results) {
  return sweep_json(results).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
}

void write_summary(const fs::path& folder, const Results& results) {
  write_file_atomically(folder / "summary.md",
                        [&](std::ostream& out) { out << sweep_markdown(results); });
  write_file_atomically(folder / "summary.json",
                        [&](std::ostream& out) { out << json_text(results); });
}

// One recipe that diverges must not keep the others from a night's work.
SweepResult failed(const fs::path& folder, const SweepRun& run, const std::string& reason) {
  SweepResult result{.run = run};
  try {
    result = read_result(folder, run);
  } catch (const Error&) {
    // Damaged: what it did is not known.
  }
  result.failure = reason;
  return result;
}

// Trains what has not finished, in order. False: interrupted.
bool train_all(const Options& options, Results& results) {
  const auto log = make_logger({.quiet = options.general.quiet});
  const Dataset dataset = load(data_of(results.front().run.config));
  install_interrupt_handlers();
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i].finished) continue;
    const SweepRun run = results[i].run;
    log->info("run {} of {}: {}", i + 1, results.size(), run.name);
    const fs::path folder = options.folder / run.name;
    bool interrupted = false;
    try {
      interrupted = train_on_console(dataset, run.config,
                                     {.folder = folder, .resume = RunFolder{folder}.holds_run()},
                                     options.general.quiet, "the same command")
                        .interrupted;
      results[i] = read_result(options.folder, run);
    } catch (const std::bad_alloc&) {
      results[i] = failed(options.folder, run, "out of memory");
    } catch (const std::exception& error) {
      results[i] = failed(options.folder, run, error.what());
    }
    if (!results[i].failure.empty()) log->warn("{} failed: {}", run.name, results[i].failure);
    write_summary(options.folder, results);
    if (interrupted) return false;
  }
  return true;
}

int run(const Options& options) {
  apply(options.general);
  std::vector<SweepRun> runs = read_sweep(options.config);
  if (options.summary_only && !fs::exists(options.folder)) {
    throw Error(concat(options.folder.string(), " does not exist: there is no sweep to sum up"));
  }
  if (RunFolder{options.folder}.holds_run()) {
    throw Error(
        concat(options.folder.string(),
               " is the folder of a run: a sweep needs one of its own, with its runs in it"));
  }
  make_folder(options.folder);
  const FolderLock lock(options.folder);
  Results results;
  const auto failures = recorded_failures(options.folder);
  bool all_finished = true;
  for (SweepRun& run : runs) {
    set_data(run.config, options.data);
    results.push_back(read_result(options.folder, run));
    const auto failure = failures.find(results.back().run.name);
    if (failure != failures.end() && !results.back().finished) {
      results.back().failure = failure->second;
    }
    all_finished = all_finished && results.back().finished;
  }
  if (!options.summary_only && !all_finished && !train_all(options, results)) {
    return interrupt_exit_code();
  }
  write_summary(options.folder, results);
  const std::string text = options.json ? json_text(results) : sweep_markdown(results);
  print(text);
  for (const SweepResult& result : results) {
    if (!result.failure.empty()) return kExitFailure;
  }
  return kExitSuccess;
}

}  // namespace

Run setup_sweep(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  set_help(
      app,
      {.usage = fmt::format("CONFIG.json -o DIR [{}]", kDataUsage),
       .details =
           "Trains every network with every recipe in every mode from every seed that CONFIG.json "
           "lists, in that order, each in its folder DIR/<network>-<recipe>-<mode>-s<seed>, and "
           "writes the means and standard deviations over seeds to DIR/summary.md and "
           "DIR/summary.json: public accuracy in the best epoch, private accuracy of the same "
           "model if that split is there, epochs, minutes of training. Runs that have finished "
           "are left alone. Ctrl-C saves and exits; the same command goes on. A run that fails "
           "is reported and left behind.\n"
           "CONFIG.json has the lists modes, seeds, recipes and networks (vgg13 if missing). A "
           "recipe is a name or an object: its name, the recipe that it comes from and the "
           "hyperparameters that differ, as config.json of a run spells them. drop_leaks, "
           "hold_out and limit hold for all runs. fer and ferplus, or folders, may say where the "
           "data is, relative to the file.",
       .example =
           "ferplus sweep data/sweeps/paper.json --fer fer2013.csv --ferplus "
           "fer2013new.csv -o runs/paper\n"
           "ferplus sweep flips.json -d faces -o runs/flips\n"
           "\n"
           "flips.json:\n"
           "{\"networks\": [\"vgg13_bn\"], \"modes\": [\"crossentropy\"], \"seeds\": [1, 2],\n"
           " \"recipes\": [\"one_cycle\", {\"name\": \"alternate\", \"from\": \"one_cycle\",\n"
           "                             \"alternate_flip\": true}]}"});
  app.add_option("config", options->config, "What to train")->required()->type_name("CONFIG.json");
  add_data_options(app, options->data);
  app.add_option("-o,--output", options->folder, "Folder of the sweep")
      ->required()
      ->type_name("DIR");
  app.add_flag("--summary-only", options->summary_only, "Train nothing, sum up what is there");
  app.add_flag("--json", options->json, "Print the summary as JSON instead of Markdown");
  add_general_options(app, options->general);
  return [options] { return run(*options); };
}

}  // namespace ferplus::tool
