#include <memory>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <ferplus/nn/model_file.h>
#include <ferplus/train/run_config.h>

#include "algorithm_report.h"
#include "commands.h"
#include "compute_options.h"
#include "general_options.h"
#include "help.h"
#include "model_options.h"
#include "output.h"
#include "table.h"
#include "validators.h"

namespace ferplus::tool {
namespace {

struct Options {
  std::filesystem::path model, config;
  std::string network;
  bool algorithms = false, json = false;
  ComputeOptions compute;
  GeneralOptions general;
};

std::size_t parameter_count(const Network& network, const Network::Entry& entry) {
  std::size_t count = 0;
  for (const auto& array :
       network.parameters().subspan(entry.first_parameter, entry.parameter_count)) {
    count += static_cast<std::size_t>(array.spec.shape.elements());
  }
  return count;
}

// "weight 64x1x3x3, bias 64", as in the file.
std::string shapes(const Network& network, const Network::Entry& entry) {
  std::string text;
  for (const auto& array :
       network.parameters().subspan(entry.first_parameter, entry.parameter_count)) {
    if (!text.empty()) text += ", ";
    text += array.spec.name.substr(entry.name.size() + 1) + ' ' +
            fmt::format("{}", fmt::join(file_shape(array.spec), "x"));
  }
  return text;
}

nlohmann::ordered_json to_json(const Model& model) {
  nlohmann::ordered_json json = {{"network", model.network.name()},
                                 {"parameters", model.network.parameter_count()},
                                 {"input", model.network.input().to_string()},
                                 {"output", model.network.output().to_string()},
                                 {"metadata", model.metadata}};
  for (const Network::Entry& entry : model.network.layers()) {
    json["layers"].push_back({{"name", entry.name},
                              {"layer", entry.layer->describe()},
                              {"output", entry.output.to_string()},
                              {"shapes", shapes(model.network, entry)},
                              {"parameters", parameter_count(model.network, entry)}});
  }
  return json;
}

std::string to_text(const Model& model) {
  Table layers({{"layer", Table::Align::left},
                {"what", Table::Align::left},
                {"output (N x H x W x C)"},
                {"parameters"},
                {"shapes in the file", Table::Align::left}});
  for (const Network::Entry& entry : model.network.layers()) {
    layers.add_row({entry.name, entry.layer->describe(), entry.output.to_string(),
                    grouped(parameter_count(model.network, entry)), shapes(model.network, entry)});
  }
  std::string text = fmt::format("{}: {} parameters, input {}\n\n{}", model.network.name(),
                                 grouped(model.network.parameter_count()),
                                 model.network.input().to_string(), layers.to_string());
  if (model.metadata.empty()) return text;
  Table metadata({{"metadata", Table::Align::left}, {"", Table::Align::left}});
  for (const auto& [key, value] : model.metadata) {
    metadata.add_row({key, value});
  }
  return text + '\n' + metadata.to_string();
}

Model untrained(const std::string& network_name) {
  Network network = build_model(network_name);
  Parameters parameters(network);
  return {std::move(network), std::move(parameters), {}};
}

// --config's convolutions count, unless --algorithm forces one.
Model model_of(const Options& options) {
  RunConfig config;
  if (!options.config.empty()) {
    read_config(options.config, config);
    validate(config);
    if (options.compute.algorithm == "auto") set_conv_selection(config.convolution);
  }
  if (!options.model.empty()) return load_model(options.model);
  if (!options.network.empty()) return untrained(options.network);
  if (options.algorithms) return untrained(config.network);
  return load_model(given_or_bundled({}, options.general));
}

int run(const Options& options) {
  apply(options.general);
  const Precision precision = apply(options.compute);
  const Model model = model_of(options);
  std::string text;
  if (options.algorithms) {
    text = options.json ? algorithms_json(model.network, precision).dump(2) + '\n'
                        : algorithms_text(model.network, precision);
  } else {
    text = options.json ? to_json(model).dump(2) + '\n' : to_text(model);
  }
  print(text);
  return kExitSuccess;
}

}  // namespace

Run setup_info(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  set_help(app,
           {.usage = "[MODEL | --network NAME] [--algorithms] [--json]",
            .details = "Shows a model's layers, shapes, parameters and metadata; with --algorithms "
                       "which convolution algorithm runs in which layer and pass, and why: by the "
                       "built-in table, or as --algorithm, --precision or a run's --config say.",
            .example = "ferplus info runs/first/best.safetensors\n"
                       "ferplus info --algorithms --network vgg13\n"
                       "ferplus info --algorithms --config runs/first/config.json --json"});
  CLI::Option* model = app.add_option("model,--model", options->model,
                                      "A model or a run's checkpoint [the bundled model]")
                           ->type_name("MODEL")
                           ->group("Input");
  app.add_option("--network", options->network, "An untrained network: " + network_list())
      ->type_name("NAME")
      ->check(one_of("network", network_names()))
      ->excludes(model)
      ->group("Input");
  CLI::Option* algorithms =
      app.add_flag("--algorithms", options->algorithms,
                   "Show convolution algorithms instead; without MODEL and --network, of vgg13")
          ->group("Output");
  app.add_option("--config", options->config, "The network and algorithms of a run's config.json")
      ->type_name("FILE")
      ->needs(algorithms)
      ->group("Input");
  app.add_flag("--json", options->json, "Print JSON, for programs")->group("Output");
  add_compute_options(app, options->compute);
  for (const char* name : {"--algorithm", "--precision"}) app.get_option(name)->needs(algorithms);
  add_general_options(app, options->general);
  return [options] { return run(*options); };
}

}  // namespace ferplus::tool
