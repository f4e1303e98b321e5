// The documents of ModelHub's API (modelhub-engine), by which its programs know a model.
#pragma once

#include <chrono>
#include <string>

#include <nlohmann/json.hpp>

#include <ferplus/nn/predictor.h>

namespace ferplus::serve {

struct ModelIdentity {
  std::string id;  // fingerprint of the weights
  std::string name;
};
// Of a file that came without a fingerprint it is computed.
ModelIdentity identify(const Model& model);

// config.json: id, meta, publication, model (with its "io"), modelhub.
nlohmann::ordered_json modelhub_config(const Model& model, const ModelIdentity& identity);
// Licences and acknowledgements, as text.
nlohmann::ordered_json modelhub_legal(bool drawn_samples);
// The answer to a prediction: probabilities in class order.
nlohmann::ordered_json modelhub_prediction(const ModelIdentity& identity,
                                           const Probabilities& probabilities, double seconds,
                                           std::chrono::system_clock::time_point now);

// "%Y-%m-%d-%H-%M-%S-%f", UTC.
std::string modelhub_timestamp(std::chrono::system_clock::time_point when);

}  // namespace ferplus::serve
