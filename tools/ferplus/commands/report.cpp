#include <filesystem>
#include <memory>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/core/text.h>
#include <ferplus/io/file.h>
#include <ferplus/nn/model_file.h>
#include <ferplus/report/report.h>

#include "commands.h"
#include "compute_options.h"
#include "data_options.h"
#include "general_options.h"
#include "help.h"
#include "output.h"
#include "progress.h"
#include "validators.h"

namespace ferplus::tool {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::vector<fs::path> folders;
  DataOptions data;
  fs::path output, json;
  std::string model = "best.safetensors", split = "public", protocol = "paper";
  std::size_t mistakes = 24;
  bool curves_only = false;
  ComputeOptions compute;
  GeneralOptions general;
};

// The runs that the command line names, folders of runs opened.
std::vector<fs::path> named_runs(const std::vector<fs::path>& folders) {
  std::vector<fs::path> runs;
  std::set<fs::path> known;
  for (const fs::path& named : folders) {
    for (const fs::path& run : run_folders(named)) {
      if (!known.insert(fs::canonical(run)).second) {
        throw UsageError(concat(run.string(), " is given twice"));
      }
      runs.push_back(fs::absolute(run));
    }
  }
  return runs;
}

// The data set in use: that of the run before, as long as no other is asked for.
class DataSource {
 public:
  explicit DataSource(const DataOptions& given) : given_(given) {
    is_given_ = !given.fer.empty() || !given.ferplus.empty() || !given.folders.empty();
    if (is_given_) check(given);
  }

  // What the command line names is to be there and sound for all runs.
  void load_given() {
    if (is_given_) static_cast<void>(of({}));
  }
  // What the command line names, else what the run was trained on, if that is still there.
  const Dataset* of(const RunConfig& config) {
    const DataOptions wanted = is_given_ ? given_ : data_of(config);
    if (!is_given_ && !is_there(wanted)) return nullptr;
    const std::string key = concat(wanted.fer, '\n', wanted.ferplus, '\n', wanted.folders);
    if (!loaded_ || key != loaded_key_) {
      loaded_.reset();  // two at once would need twice the memory
      loaded_ = load(wanted);
      loaded_key_ = key;
    }
    return &*loaded_;
  }

 private:
  static bool is_there(const DataOptions& data) {
    std::error_code ignored;  // what cannot be looked for is not there
    if (!data.folders.empty()) return fs::exists(data.folders, ignored);
    return !data.fer.empty() && fs::exists(data.fer, ignored) && fs::exists(data.ferplus, ignored);
  }

  DataOptions given_;
  bool is_given_ = false;
  std::optional<Dataset> loaded_;
  std::string loaded_key_;
};

ModelReport evaluated(const Options& options, const Dataset& dataset, const fs::path& file,
                      const std::string& label) {
  const Model model = load_model(file);
  const EvaluateOptions evaluate_options = for_model(
      {.split = split_from_name(options.split), .protocol = protocol_from_name(options.protocol)},
      model);
  const PreparedModel prepared(model.network, model.parameters,
                               precision_from_name(options.compute.precision));
  ProgressBar bar({.label = label, .quiet = options.general.quiet});
  return model_report(dataset, options.model,
                      evaluate(dataset, prepared, evaluate_options,
                               [&](std::size_t done, std::size_t total) {
                                 bar.set_total(total);
                                 bar.update(done);
                               }),
                      options.mistakes);
}

// The run's model on the data, or why it was not evaluated.
void add_model(const Options& options, DataSource& source, const std::string& label,
               RunReport& run) {
  const fs::path file = run.record.folder / options.model;
  if (options.curves_only) {
    run.without_model = "The model was not evaluated, as --curves-only asked.";
    return;
  }
  if (!file_exists(file)) {
    run.without_model = fmt::format("There is no {} in {}, so no model was evaluated.",
                                    options.model, run.record.folder.string());
    return;
  }
  try {
    const Dataset* dataset = source.of(run.record.config);
    if (dataset == nullptr) {
      run.without_model = fmt::format(
          "The data that config.json names is not here, so {0} was not evaluated. To have it "
          "evaluated, say where the data is: ferplus report {1} --fer fer2013.csv --ferplus "
          "fer2013new.csv -o {2}",
          options.model, run.record.folder.string(), options.output.string());
      return;
    }
    run.model = evaluated(options, *dataset, file, label);
  } catch (const Error& error) {
    run.without_model = fmt::format("The model was not evaluated: {}.", error.what());
  }
}

Report make_report(const Options& options) {
  if (fs::path(options.model).has_parent_path()) {
    throw UsageError(concat("--model is the name of a file in each run's folder, as ",
                            "best.safetensors and last.safetensors: '", options.model,
                            "' is a path"));
  }
  const std::vector<fs::path> folders = named_runs(options.folders);
  const std::vector<std::string> names = run_names(folders);
  std::vector<fs::path> inputs = {options.data.fer, options.data.ferplus, options.data.folders};
  Report report;
  for (std::size_t i = 0; i < folders.size(); ++i) {
    report.runs.push_back({.name = names[i],
                           .record = read_run({folders[i]}),
                           .model = std::nullopt,
                           .without_model = {}});
    const RunConfig& config = report.runs.back().record.config;
    inputs.insert(inputs.end(),
                  {folders[i] / options.model, config.fer, config.ferplus, config.folders});
  }
  check_outputs({options.output, options.json}, inputs);
  DataSource source(options.data);
  if (!options.curves_only) source.load_given();
  for (std::size_t i = 0; i < folders.size(); ++i) {
    const std::string label =
        folders.size() == 1 ? "evaluating" : fmt::format("evaluating {}/{}", i + 1, folders.size());
    add_model(options, source, label, report.runs[i]);
  }
  return report;
}

int run(const Options& options) {
  apply(options.general);
  apply(options.compute);
  const Report report = make_report(options);
  if (!options.json.empty()) {
    write_output(options.json, [&](std::ostream& out) {
      out << to_json(report).dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
    });
  }
  write_output(options.output, [&](std::ostream& out) { out << to_html(report); });
  const bool is_on_standard_output =
      options.output == kStandardOutput || options.json == kStandardOutput;
  if (options.general.quiet || is_on_standard_output) return kExitSuccess;
  const std::size_t count = report.runs.size();
  std::string text =
      fmt::format("wrote {}: {} run{}\n", options.output.string(), count, count == 1 ? "" : "s");
  if (!options.curves_only) {
    for (const RunReport& run : report.runs) {
      if (!run.model) text += harmless(fmt::format("{}: {}", run.name, run.without_model)) + '\n';
    }
  }
  print(text);
  return kExitSuccess;
}

}  // namespace

Run setup_report(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  set_help(
      app,
      {.usage = fmt::format("RUN… -o report.html [{}]", kDataUsage),
       .details =
           "Writes one HTML page that needs nothing else: settings and where runs differ in them, "
           "learning curves over each other, and for each run what its model does on the split: "
           "confusion matrix, precision, recall and F1, reliability, votes against predictions, "
           "accuracy with and without training's twins, the most confident mistakes as pictures. "
           "A RUN is a folder that train made, or a folder of such, as sweep makes it; runs may be "
           "under way.\n"
           "The data is what --fer and --ferplus or -d name, else that of config.json, if it is "
           "still there. Without data, or without the model's file, the page has the curves and "
           "says what is missing.",
       .example = "ferplus report runs/first -o report.html\n"
                  "ferplus report runs/first runs/second --fer fer2013.csv --ferplus "
                  "fer2013new.csv -o report.html --json report.json\n"
                  "ferplus report runs/paper --curves-only -o paper.html"});
  app.add_option("runs", options->folders, "Folders of runs, or of sweeps")
      ->required()
      ->type_name("RUN");
  app.add_option("-o,--output", options->output, "The page, - for standard output")
      ->required()
      ->type_name("FILE.html")
      ->group("Output");
  app.add_option("--json", options->json, "Write the same figures to FILE, - for standard output")
      ->type_name("FILE")
      ->group("Output");
  app.add_option("--mistakes", options->mistakes, "Pictures of the N most confident mistakes")
      ->type_name("N")
      ->check(whole_number(0, 1000))
      ->capture_default_str()
      ->group("Output");
  add_data_options(app, options->data);
  app.add_option("--model", options->model, "The model's file in each run's folder")
      ->type_name("NAME")
      ->capture_default_str()
      ->group("What to evaluate");
  app.add_option("--split", options->split, "public, private or train")
      ->type_name("SPLIT")
      ->check(one_of("split", {"public", "private", "train"}))
      ->capture_default_str()
      ->group("What to evaluate");
  app.add_option("--protocol", options->protocol, "paper or argmax, as of ferplus evaluate")
      ->type_name("NAME")
      ->check(one_of("protocol", {"paper", "argmax"}))
      ->capture_default_str()
      ->group("What to evaluate");
  app.add_flag("--curves-only", options->curves_only, "Evaluate nothing")
      ->group("What to evaluate");
  add_compute_options(app, options->compute);
  add_general_options(app, options->general);
  return [options] { return run(*options); };
}

}  // namespace ferplus::tool
