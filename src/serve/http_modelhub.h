// The documents of ModelHub's API (modelhub-engine), by which its programs know a model.
#pragma once

#include <chrono>
#include <string>

#include <nlohmann/json.hpp>

#include <ferplus/nn/predictor.h>

namespace ferplus::serve {

// Fingerprint of the weights, and what to call them.
std::string model_id(const Model& model);
std::string model_name(const Model& model);

// config.json: id, meta, publication, model (with its "io"), modelhub.
nlohmann::ordered_json modelhub_config(const Model& model);
// Licences and acknowledgements, as text.
nlohmann::ordered_json modelhub_legal(bool own_samples);
// The answer to a prediction: probabilities in class order.
nlohmann::ordered_json modelhub_prediction(const Model& model, const Probabilities& probabilities,
                                           double seconds,
                                           std::chrono::system_clock::time_point now);

// "%Y-%m-%d-%H-%M-%S-%f", UTC.
std::string modelhub_timestamp(std::chrono::system_clock::time_point when);

}  // namespace ferplus::serve
