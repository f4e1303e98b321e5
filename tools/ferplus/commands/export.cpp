#include <cstdio>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ferplus/interop/onnx.h>

#include "commands.h"
#include "general_options.h"
#include "help.h"
#include "model_options.h"
#include "table.h"
#include "validators.h"

namespace ferplus::tool {
namespace {

struct Options {
  std::filesystem::path model, output;
  std::string layout = "modern";
  bool softmax = false, json = false;
  GeneralOptions general;
};

int run(const Options& options) {
  apply(options.general);
  const Model model = load_model(options.model);
  const OnnxExportReport report =
      export_onnx(options.output, model,
                  {.layout = onnx_layout_from_name(options.layout), .softmax = options.softmax});
  const std::string preprocessing(preprocessing_name(model.preprocessing()));
  std::string text;
  if (options.json) {
    text = nlohmann::ordered_json{{"model", options.model.string()},
                                  {"output", options.output.string()},
                                  {"layout", options.layout},
                                  {"softmax", options.softmax},
                                  {"preprocessing", preprocessing},
                                  {"nodes", report.nodes},
                                  {"bytes", report.bytes},
                                  {"compared_images", report.compared_images},
                                  {"largest_logit_difference", report.largest_difference}}
               .dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +
           '\n';
  } else if (!options.general.quiet) {
    text = fmt::format(
        "{}: {} nodes, {} bytes, preprocessing {}\n"
        "read back and run on {} random inputs: logits differ by at most {:.2g}\n",
        options.output.string(), report.nodes, grouped(report.bytes), preprocessing,
        report.compared_images, report.largest_difference);
  }
  std::fwrite(text.data(), 1, text.size(), stdout);
  return kExitSuccess;
}

}  // namespace

Run setup_export(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  set_help(
      app,
      {.usage = "--model M -o FILE.onnx [--layout modern|zoo] [--softmax]",
       .details =
           "Writes a model as ONNX, with batch-norm folded into the weights; preprocessing, "
           "classes and training go into its metadata. Before the file appears it is imported "
           "again and both networks are run and compared.\n"
           "Layout modern: opset 17, any batch, input \"input\" Nx1x64x64, output \"logits\" Nx8. "
           "Layout zoo: the graph of the ONNX model zoo's emotion-ferplus-8, for programs written "
           "for it; for vgg13 and vgg13_bn trained with --preprocessing raw.\n"
           "A model of preprocessing raw becomes a graph that takes gray 0 to 255 and normalises "
           "it itself; one of preprocessing ferplus takes faces that are equalised and normalised "
           "already.",
       .example = "ferplus export --model runs/first/best.safetensors -o ferplus.onnx --softmax\n"
                  "ferplus export --model runs/raw/best.safetensors -o emotion.onnx --layout zoo"});
  add_model_option(app, options->model);
  app.add_option("-o,--output", options->output, "The file to write")
      ->required()
      ->type_name("FILE.onnx")
      ->group("Output");
  app.add_option("--layout", options->layout, "modern or zoo")
      ->type_name("NAME")
      ->check(one_of("layout", {"modern", "zoo"}))
      ->capture_default_str()
      ->group("Output");
  app.add_flag("--softmax", options->softmax,
               "Let the graph end in probabilities instead of logits (layout modern)")
      ->group("Output");
  app.add_flag("--json", options->json, "Print the report as JSON")->group("Output");
  add_general_options(app, options->general);
  return [options] { return run(*options); };
}

}  // namespace ferplus::tool
