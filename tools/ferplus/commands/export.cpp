#include <memory>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/interop/onnx.h>
#include <ferplus/nn/export_model.h>

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
  std::filesystem::path model, output;
  std::string layout, weights;
  bool softmax = false, json = false, force = false;
  GeneralOptions general;
};

// What was written, for people and for programs.
struct Report {
  std::string kind;  // "ONNX, 52 nodes"
  std::size_t bytes = 0;
  int compared_images = 0;
  double largest_difference = 0;
  nlohmann::ordered_json details;
};

Report export_as_onnx(const Options& options, const Model& model) {
  if (!options.weights.empty()) {
    throw UsageError("--weights is for model files: name the output FILE.safetensors");
  }
  const std::string layout = options.layout.empty() ? "modern" : options.layout;
  const OnnxExportReport report = export_onnx(
      options.output, model, {.layout = onnx_layout_from_name(layout), .softmax = options.softmax});
  return {fmt::format("{} nodes", report.nodes),
          report.bytes,
          report.compared_images,
          report.largest_difference,
          {{"layout", layout}, {"softmax", options.softmax}, {"nodes", report.nodes}}};
}

Report export_as_model(const Options& options, const Model& model) {
  if (!options.layout.empty() || options.softmax) {
    throw UsageError("--layout and --softmax are for ONNX: name the output FILE.onnx");
  }
  const std::string weights = options.weights.empty() ? "f16" : options.weights;
  const ModelExportReport report =
      export_model(options.output, model, weight_type_from_name(weights));
  return {fmt::format("network {}, weights {}", report.network, weights),
          report.bytes,
          report.compared_images,
          report.largest_difference,
          {{"weights", weights}, {"network", report.network}}};
}

int run(const Options& options) {
  apply(options.general);
  const std::filesystem::path path = given_or_bundled(options.model, options.general);
  check_binary_output(options.output, {path});
  const bool is_model_file = options.output.extension() == kModelExtension;
  if (!is_model_file && options.output.extension() != kOnnxExtension) {
    throw UsageError(concat(options.output.string(), ": the name says what is written: end it in ",
                            kOnnxExtension, " or ", kModelExtension));
  }
  refuse_existing(options.output, options.force);
  const Model model = load_model(path);
  const Report report =
      is_model_file ? export_as_model(options, model) : export_as_onnx(options, model);
  const std::string preprocessing(preprocessing_name(model.preprocessing()));
  std::string text;
  if (options.json) {
    nlohmann::ordered_json json = {{"model", path.string()}, {"output", options.output.string()}};
    json.update(report.details);
    json.update({{"preprocessing", preprocessing},
                 {"bytes", report.bytes},
                 {"compared_images", report.compared_images},
                 {"largest_logit_difference", report.largest_difference}});
    text = json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n';
  } else if (!options.general.quiet) {
    text = fmt::format(
        "{}: {}, {} bytes, preprocessing {}\n"
        "run on {} random inputs: logits differ by at most {:.2g}\n",
        options.output.string(), report.kind, grouped(report.bytes), preprocessing,
        report.compared_images, report.largest_difference);
  }
  print(text);
  return kExitSuccess;
}

}  // namespace

Run setup_export(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  set_help(
      app,
      {.usage = "[--model M] -o (FILE.onnx [--layout modern|zoo] [--softmax] | "
                "FILE.safetensors [--weights f16|bf16|f32])",
       .details =
           "Writes a model to use elsewhere, with batch-norm folded into the weights, runs "
           "both networks and says how far apart they are; too far is an error. A name that ends "
           "in .safetensors gets a model file, one in .onnx ONNX.\n"
           "A model file keeps all metadata; its weights are rounded to 16 bits, biases are not: "
           "f16 has 11 bits of precision and holds values up to 65504, bf16 has 8 bits and the "
           "range of f32. Without batch-norm it is to predict with, not to train on.\n"
           "ONNX: preprocessing, classes and training go into the metadata. Layout modern: opset "
           "17, any batch, input \"input\" Nx1x64x64, "
           "output \"logits\" Nx8. Layout zoo: the graph of the ONNX model zoo's "
           "emotion-ferplus-8, for programs written for it; for vgg13 and vgg13_bn trained with "
           "--preprocessing raw. A model of preprocessing raw becomes a graph that takes gray 0 "
           "to 255 and normalises it itself; one of preprocessing ferplus takes faces that are "
           "equalised and normalised already.",
       .example = "ferplus export --model runs/first/best.safetensors -o ferplus.onnx --softmax\n"
                  "ferplus export --model runs/raw/best.safetensors -o emotion.onnx --layout zoo\n"
                  "ferplus export --model runs/first/best.safetensors -o small.safetensors"});
  add_model_option(app, options->model);
  app.add_option("-o,--output", options->output, "The file to write")
      ->required()
      ->type_name("FILE")
      ->group("Output");
  app.add_option("--layout", options->layout, "Of ONNX: modern or zoo [modern]")
      ->type_name("NAME")
      ->check(one_of("layout", {"modern", "zoo"}))
      ->group("Output");
  app.add_flag("--softmax", options->softmax,
               "Let the ONNX graph end in probabilities, at the temperature of a calibrated model, "
               "instead of logits (layout modern)")
      ->group("Output");
  app.add_option("--weights", options->weights, "Of a model file: f16, bf16 or f32 [f16]")
      ->type_name("NAME")
      ->check(one_of("type of weights", {"f16", "bf16", "f32"}))
      ->group("Output");
  app.add_flag("--force", options->force, "Replace FILE if it exists")->group("Output");
  app.add_flag("--json", options->json, "Print the report as JSON")->group("Output");
  add_general_options(app, options->general);
  return [options] { return run(*options); };
}

}  // namespace ferplus::tool
