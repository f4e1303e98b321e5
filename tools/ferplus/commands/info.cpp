#include <cstdio>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <ferplus/nn/model_file.h>

#include "commands.h"
#include "general_options.h"
#include "help.h"
#include "table.h"

namespace ferplus::tool {
namespace {

struct Options {
  std::filesystem::path model;
  bool json = false;
  GeneralOptions general;
};

std::size_t parameter_count(const Network& network, const Network::Step& step) {
  std::size_t count = 0;
  for (const auto& array :
       network.parameters().subspan(step.first_parameter, step.parameter_count)) {
    count += static_cast<std::size_t>(array.spec.shape.elements());
  }
  return count;
}

// "weight 64x1x3x3, bias 64", as in the file.
std::string shapes(const Network& network, const Network::Step& step) {
  std::string text;
  for (const auto& array :
       network.parameters().subspan(step.first_parameter, step.parameter_count)) {
    if (!text.empty()) text += ", ";
    text += array.spec.name.substr(step.name.size() + 1) + ' ' +
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
  for (const Network::Step& step : model.network.steps()) {
    json["layers"].push_back({{"name", step.name},
                              {"layer", step.layer->describe()},
                              {"output", step.output.to_string()},
                              {"shapes", shapes(model.network, step)},
                              {"parameters", parameter_count(model.network, step)}});
  }
  return json;
}

std::string to_text(const Model& model) {
  Table layers({{"layer", Table::Align::left},
                {"what", Table::Align::left},
                {"output (N x H x W x C)"},
                {"parameters"},
                {"shapes in the file", Table::Align::left}});
  for (const Network::Step& step : model.network.steps()) {
    layers.add_row({step.name, step.layer->describe(), step.output.to_string(),
                    grouped(parameter_count(model.network, step)), shapes(model.network, step)});
  }
  Table metadata({{"metadata", Table::Align::left}, {"", Table::Align::left}});
  for (const auto& [key, value] : model.metadata) metadata.add_row({key, value});
  return fmt::format("{}: {} parameters, input {}\n\n{}\n{}", model.network.name(),
                     grouped(model.network.parameter_count()), model.network.input().to_string(),
                     layers.to_string(), metadata.to_string());
}

int run(const Options& options) {
  apply(options.general);
  const Model model = load_model(options.model);
  const std::string text = options.json ? to_json(model).dump(2) + '\n' : to_text(model);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return kExitSuccess;
}

}  // namespace

Run setup_info(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  set_help(app, {.usage = "MODEL [--json]",
                 .details = "Shows a model's layers, shapes, parameters and metadata.",
                 .example = "ferplus info runs/first/best.safetensors"});
  app.add_option("model", options->model, "A model or a run's checkpoint")
      ->required()
      ->type_name("MODEL")
      ->group("Input");
  app.add_flag("--json", options->json, "Print JSON, for programs")->group("Output");
  add_general_options(app, options->general);
  return [options] { return run(*options); };
}

}  // namespace ferplus::tool
