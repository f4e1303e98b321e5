#include <memory>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/interop/onnx.h>

#include "commands.h"
#include "general_options.h"
#include "help.h"
#include "model_options.h"
#include "output.h"
#include "table.h"
#include "validators.h"

namespace ferplus::tool {
namespace {

struct Options {
  std::filesystem::path input, output;
  std::string preprocessing;
  bool json = false, force = false;
  GeneralOptions general;
};

int run(const Options& options) {
  apply(options.general);
  check_binary_output(options.output, {options.input});
  if (options.output.extension() != kModelExtension) {
    throw UsageError(concat(options.output.string(), ": what is written is a model file: end its ",
                            "name in ", kModelExtension));
  }
  refuse_existing(options.output, options.force);
  OnnxImportOptions import_options;
  if (!options.preprocessing.empty()) {
    import_options.preprocessing = preprocessing_from_name(options.preprocessing);
  }
  const Model model = import_onnx(options.input, import_options);
  save_model(options.output, model.network, model.parameters, model.metadata);
  const std::string& preprocessing = model.metadata.at("preprocessing");
  std::string text;
  if (options.json) {
    text = nlohmann::ordered_json{{"input", options.input.string()},
                                  {"output", options.output.string()},
                                  {"network", model.network.name()},
                                  {"layers", model.network.layers().size()},
                                  {"parameters", model.network.parameter_count()},
                                  {"preprocessing", preprocessing}}
               .dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
           '\n';
  } else if (!options.general.quiet) {
    text = fmt::format("{}: network {}, {} layers, {} parameters, preprocessing {}\n",
                       options.output.string(), model.network.name(), model.network.layers().size(),
                       grouped(model.network.parameter_count()), preprocessing);
    if (preprocessing == kUnknownPreprocessing) {
      text +=
          "the file does not say what input it expects: predict and evaluate refuse the model "
          "until it is imported with --preprocessing (and --force, to replace it)\n";
    }
  }
  print(text);
  return kExitSuccess;
}

}  // namespace

Run setup_import(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  set_help(
      app,
      {.usage = "FILE.onnx -o MODEL.safetensors [--preprocessing ferplus|raw]",
       .details =
           "Reads an ONNX network that classifies a gray 64x64 face into the eight classes by a "
           "chain of convolutions, poolings, dense layers and what goes with them, in the layouts "
           "of PyTorch, Keras (tf2onnx) and CNTK, opsets 2 to 25. Anything else is an error that "
           "names the node.\n"
           "Files of other programs do not say what input they expect; --preprocessing does: raw "
           "is gray 0 to 255 (the ONNX model zoo's emotion-ferplus), ferplus is a face that is "
           "equalised and normalised as FER+ did.",
       .example = "ferplus import emotion-ferplus-8.onnx -o zoo.safetensors --preprocessing raw\n"
                  "ferplus predict --model zoo.safetensors face.png"});
  app.add_option("input", options->input, "The file to read")
      ->required()
      ->type_name("FILE.onnx")
      ->group("Input");
  app.add_option("--preprocessing", options->preprocessing,
                 "What the graph expects: ferplus or raw [what its metadata says]")
      ->type_name("NAME")
      ->check(one_of("preprocessing", {"ferplus", "raw"}))
      ->group("Input");
  app.add_option("-o,--output", options->output, "The model to write")
      ->required()
      ->type_name("MODEL.safetensors")
      ->group("Output");
  app.add_flag("--force", options->force, "Replace MODEL.safetensors if it exists")
      ->group("Output");
  app.add_flag("--json", options->json, "Print what was read as JSON")->group("Output");
  add_general_options(app, options->general);
  return [options] { return run(*options); };
}

}  // namespace ferplus::tool
