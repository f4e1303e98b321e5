#include "serve/http_modelhub.h"

#include <cstdio>
#include <ctime>

#include <ferplus/core/error.h>
#include <ferplus/io/image.h>

namespace ferplus::serve {
namespace {

using nlohmann::ordered_json;

constexpr const char* kOutputName = "emotion probabilities";
constexpr const char* kOutputType = "label_list";
constexpr const char* kOutputDescription =
    "Shares of ten taggers' votes on the expression that the face appears to show, in class order.";

std::string metadata(const Model& model, const std::string& key) {
  const auto found = model.metadata.find(key);
  return found == model.metadata.end() ? "" : found->second;
}

ordered_json publication() {
  return {
      {"title",
       "Training Deep Networks for Facial Expression Recognition with Crowd-Sourced Label "
       "Distribution"},
      {"source", "Proceedings of the 18th ACM International Conference on Multimodal Interaction"},
      {"year", 2016},
      {"authors", "Emad Barsoum, Cha Zhang, Cristian Canton Ferrer, Zhengyou Zhang"},
      {"email", ""},
      {"abstract",
       "Ten taggers vote on each face of FER2013, and a VGG13 is trained on the votes in four "
       "ways: "
       "the majority, several labels, a label drawn from the votes, their distribution. (A "
       "summary; "
       "the abstract is at the address below.)"},
      {"url", "https://arxiv.org/abs/1608.01041"},
      {"google_scholar", "https://scholar.google.com/scholar?q=arXiv+1608.01041"},
      {"bibtex",
       "@inproceedings{BarsoumICMI2016, title={Training Deep Networks for Facial Expression "
       "Recognition with Crowd-Sourced Label Distribution}, author={Barsoum, Emad and Zhang, Cha "
       "and "
       "Canton Ferrer, Cristian and Zhang, Zhengyou}, booktitle={ACM International Conference on "
       "Multimodal Interaction (ICMI)}, year={2016}}"}};
}

ordered_json input_output() {
  const ordered_json side = {{"min", 1}, {"max", kMaxImageSide}};
  return {
      {"input",
       {{"format",
         jpeg_available() ? ordered_json{"image/png", "image/jpeg"} : ordered_json{"image/png"}},
        {"dim_limits", ordered_json::array({side, side})}}},
      {"output",
       ordered_json::array(
           {{{"name", kOutputName}, {"type", kOutputType}, {"description", kOutputDescription}}})}};
}

std::string architecture(const Model& model) {
  std::string text = "Convolutional network";
  const std::string network = metadata(model, "network");
  if (!network.empty()) text += " " + network;
  return concat(text, ", ", model.network.parameter_count(), " weights");
}

}  // namespace

ModelIdentity identify(const Model& model) {
  ModelIdentity identity{metadata(model, "content_hash"), "ferplus"};
  if (identity.id.empty()) {
    TensorSet tensors;
    tensors.add(model.network, model.parameters);
    identity.id = tensors.content_hash();
  }
  const std::string network = metadata(model, "network");
  if (!network.empty()) identity.name += " " + network;
  return identity;
}

ordered_json modelhub_config(const Model& model, const ModelIdentity& identity) {
  const std::string mode = metadata(model, "mode"), recipe = metadata(model, "recipe");
  const bool trained = !mode.empty();  // by ferplus; an imported one does not say how
  return {
      {"id", identity.id},
      {"meta",
       {{"name", identity.name},
        {"application_area", "Facial expressions"},
        {"task", "Classification"},
        {"task_extended", "Apparent expression of a face, as the votes of ten taggers"},
        {"data_type", "Image/Photo"},
        {"data_source", trained ? "Faces with ten votes each, in the formats of FER2013 and FER+: "
                                  "https://github.com/microsoft/FERPlus"
                                : "unknown"}}},
      {"publication", publication()},
      {"model",
       {{"description",
         "Estimates from a picture of a face how ten people would vote on the expression that it "
         "appears to show. It does not say what the person feels. Not for emotions of people at "
         "work or in education (AI Act, Article 5(1)(f)), nor for decisions about a person."},
        {"provenance", trained ? concat("Trained by ferplus, mode ", mode, ", recipe ", recipe)
                               : std::string("Imported; where it was trained is unknown")},
        {"architecture", architecture(model)},
        {"learning_type", "Supervised"},
        {"format", "safetensors"},
        {"io", input_output()}}},
      {"modelhub", {{"engine", "ferplus"}}}};
}

ordered_json modelhub_legal(bool drawn_samples) {
  return {
      {"modelhub_license", "This server is ferplus, under the MIT licence."},
      {"modelhub_acknowledgements",
       "Votes: FER+ (Barsoum, Zhang, Canton Ferrer, Zhang 2016). Images: FER2013 (Goodfellow et "
       "al. "
       "2013). The interface is that of ModelHub."},
      {"model_license",
       "Weights that come with ferplus: the MIT licence, as far as the makers of ferplus hold "
       "rights "
       "in them; the rights in FER2013's images are not established. Other weights: ask whoever "
       "runs this server."},
      {"sample_data_license", drawn_samples
                                  ? "Drawn by ferplus, under the MIT licence; no model of "
                                    "photographs has learnt from such."
                                  : "Pictures of whoever runs this server."}};
}

ordered_json modelhub_prediction(const ModelIdentity& identity, const Probabilities& probabilities,
                                 double seconds, std::chrono::system_clock::time_point now) {
  ordered_json labels;
  for (std::size_t k = 0; k < probabilities.size(); ++k) {
    labels.push_back({{"label", kClassNames[k]}, {"probability", probabilities[k]}});
  }
  return {{"output", ordered_json::array({{{"prediction", labels},
                                           {"shape", ordered_json::array({kClasses})},
                                           {"type", kOutputType},
                                           {"name", kOutputName},
                                           {"description", kOutputDescription}}})},
          {"timestamp", modelhub_timestamp(now)},
          {"processing_time", seconds},
          {"model", {{"id", identity.id}, {"name", identity.name}}}};
}

std::string modelhub_timestamp(std::chrono::system_clock::time_point when) {
  const auto second = std::chrono::floor<std::chrono::seconds>(when);
  const auto micro = std::chrono::duration_cast<std::chrono::microseconds>(when - second).count();
  const std::time_t time = std::chrono::system_clock::to_time_t(second);
  std::tm utc{};
  gmtime_r(&time, &utc);
  char text[64];
  const std::size_t length = std::strftime(text, sizeof text, "%Y-%m-%d-%H-%M-%S", &utc);
  std::snprintf(text + length, sizeof text - length, "-%06lld", static_cast<long long>(micro));
  return text;
}

}  // namespace ferplus::serve
