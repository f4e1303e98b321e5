#include <algorithm>
#include <cstdio>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ferplus/io/png.h>
#include <ferplus/nn/predictor.h>

#include "commands.h"
#include "general_options.h"
#include "help.h"
#include "model_options.h"
#include "table.h"

namespace ferplus::tool {
namespace {

struct Options {
  std::filesystem::path model;
  std::vector<std::filesystem::path> images;
  bool json = false;
  GeneralOptions general;
};

// Classes, most probable first; equals in class order.
std::vector<std::size_t> ranked(const Probabilities& probabilities) {
  std::vector<std::size_t> order(kClasses);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return probabilities[a] > probabilities[b];
  });
  return order;
}

nlohmann::ordered_json to_json(const std::string& image, const Probabilities& probabilities) {
  nlohmann::ordered_json json = {{"image", image},
                                 {"predictions", nlohmann::ordered_json::array()}};
  for (std::size_t k : ranked(probabilities)) {
    json["predictions"].push_back({{"label", kClassNames[k]}, {"probability", probabilities[k]}});
  }
  return json;
}

int run(const Options& options) {
  apply(options.general);
  Predictor predictor(load_model(options.model));
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  Table table({{"image", Table::Align::left},
               {"expression", Table::Align::left},
               {"probability"},
               {"next", Table::Align::left},
               {"probability"}});
  for (const auto& path : options.images) {
    const GrayImage image = read_png(path);
    const Probabilities probabilities =
        predictor.predict({image.pixels.data(), image.width, image.height});
    if (options.json) {
      json.push_back(to_json(path.string(), probabilities));
      continue;
    }
    const auto order = ranked(probabilities);
    const auto cell = [&](std::size_t k) {
      return fmt::format("{:.1f} %", 100 * probabilities[k]);
    };
    table.add_row({path.string(), std::string(kClassNames[order[0]]), cell(order[0]),
                   std::string(kClassNames[order[1]]), cell(order[1])});
  }
  const std::string text =
      options.json ? json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + '\n'
                   : table.to_string();
  std::fwrite(text.data(), 1, text.size(), stdout);
  return kExitSuccess;
}

}  // namespace

Run setup_predict(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  set_help(app,
           {.usage = "--model M IMAGE.png… [--json]",
            .details = "Each image is one face that fills the picture, as in FER2013. The "
                       "answer is how ten taggers would have voted on the apparent expression, "
                       "not what a person feels.",
            .example = "ferplus predict --model runs/first/best.safetensors face.png --json"});
  add_model_option(app, options->model);
  app.add_option("images", options->images, "Faces, as PNG files")
      ->required()
      ->type_name("IMAGE.png")
      ->group("Input");
  app.add_flag("--json", options->json, "Print all eight probabilities as JSON")->group("Output");
  add_general_options(app, options->general);
  return [options] { return run(*options); };
}

}  // namespace ferplus::tool
