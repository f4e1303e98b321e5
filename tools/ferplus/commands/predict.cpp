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
#include "compute_options.h"
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
  ComputeOptions compute;
  GeneralOptions general;
};

constexpr int kTaggers = 10;

// Classes, most probable first; equals in class order.
std::vector<std::size_t> ranked(const Probabilities& probabilities) {
  std::vector<std::size_t> order(kClasses);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return probabilities[a] > probabilities[b];
  });
  return order;
}

// "6 happiness, 3 neutral, 1 sadness".
std::string votes_text(const Probabilities& probabilities) {
  const auto votes = expected_votes(probabilities, kTaggers);
  std::string text;
  for (std::size_t k : ranked(probabilities)) {
    if (votes[k] == 0) continue;
    if (!text.empty()) text += ", ";
    text += fmt::format("{} {}", votes[k], kClassNames[k]);
  }
  return text;
}

nlohmann::ordered_json to_json(const std::string& image, const Probabilities& probabilities) {
  const auto votes = expected_votes(probabilities, kTaggers);
  nlohmann::ordered_json json = {{"image", image},
                                 {"predictions", nlohmann::ordered_json::array()}};
  for (std::size_t k : ranked(probabilities)) {
    json["predictions"].push_back(
        {{"label", kClassNames[k]}, {"probability", probabilities[k]}, {"votes", votes[k]}});
  }
  return json;
}

int run(const Options& options) {
  apply(options.general);
  Predictor predictor(load_model(options.model), apply(options.compute));
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  Table table({{"image", Table::Align::left},
               {"expression", Table::Align::left},
               {"probability"},
               {"of ten taggers would say", Table::Align::left}});
  for (const auto& path : options.images) {
    const GrayImage image = read_png(path);
    const Probabilities probabilities =
        predictor.predict({image.pixels.data(), image.width, image.height});
    if (options.json) {
      json.push_back(to_json(path.string(), probabilities));
      continue;
    }
    const std::size_t first = ranked(probabilities).front();
    table.add_row({path.string(), std::string(kClassNames[first]),
                   fmt::format("{:.1f} %", 100 * probabilities[first]), votes_text(probabilities)});
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
                       "not what a person feels. Probabilities are those of the votes once "
                       "ferplus calibrate has seen the model.",
            .example = "ferplus predict --model runs/first/best.safetensors face.png --json"});
  add_model_option(app, options->model);
  app.add_option("images", options->images, "Faces, as PNG files")
      ->required()
      ->type_name("IMAGE.png")
      ->group("Input");
  app.add_flag("--json", options->json, "Print all eight probabilities and votes as JSON")
      ->group("Output");
  add_compute_options(app, options->compute);
  add_general_options(app, options->general);
  return [options] { return run(*options); };
}

}  // namespace ferplus::tool
