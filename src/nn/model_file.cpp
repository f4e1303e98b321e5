#include <charconv>
#include <cmath>
#include <optional>

#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/core/hash.h>
#include <ferplus/data/label_mode.h>
#include <ferplus/nn/architecture.h>
#include <ferplus/nn/model_file.h>

#include "nn/stored_weights.h"

namespace ferplus {
namespace {

std::string class_list() {
  std::string list;
  for (std::string_view name : kClassNames) {
    if (!list.empty()) list += ',';
    list += name;
  }
  return list;
}

// The value of a key that must be there and, if `expected` is given, must have that value.
std::string required(const SafetensorsFile& file, const std::string& name, const char* key,
                     std::string_view expected = {}) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end()) {
    throw file_error(name, 0,
                     concat("no '", key, "' in the metadata: not a model that ferplus trained"));
  }
  if (!expected.empty() && found->second != expected) {
    throw file_error(
        name, 0,
        concat("its '", key, "' is '", found->second, "', this version reads '", expected, "'"));
  }
  return found->second;
}

// As to_metadata wrote them; the defaults where a file has none.
ModelOptions model_options(const SafetensorsFile& file) {
  ModelOptions options;
  const auto found = file.metadata().find("model_options");
  if (found == file.metadata().end()) return options;
  const auto json = nlohmann::json::parse(found->second);
  json.at("conv_dropout").get_to(options.conv_dropout);
  json.at("dense_dropout").get_to(options.dense_dropout);
  json.at("batch_norm_momentum").get_to(options.batch_norm_momentum);
  return options;
}

constexpr const char* kTemperature = "temperature";

// A whole text that is a number from 0.001 to 1000, or nothing.
std::optional<double> parse_temperature(const std::string& text) {
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || !(value >= 1e-3 && value <= 1e3)) return {};
  return value;
}

void check_variances(const Network& network, const Parameters& parameters,
                     const std::string& name) {
  for (const Network::Array& array : network.state()) {
    if (!array.spec.name.ends_with("running_var")) continue;
    const auto values = parameters.state().subspan(
        array.offset, static_cast<std::size_t>(array.spec.shape.elements()));
    if (std::ranges::any_of(values, [](float v) { return v < 0; })) {
      throw file_error(name, 0, concat("its ", array.spec.name, " has a negative variance"));
    }
  }
}

void check_temperature(const SafetensorsFile& file, const std::string& name) {
  const auto found = file.metadata().find(kTemperature);
  if (found == file.metadata().end() || parse_temperature(found->second)) return;
  throw file_error(
      name, 0,
      concat("its 'temperature' is '", found->second, "', not a number from 0.001 to 1000"));
}

// The network that the file names, or whose layers it lists.
Network network_of(const SafetensorsFile& file, const std::string& name) {
  const std::string network = required(file, name, "network");
  const auto layers = file.metadata().find("layers");
  if (is_model(network) || layers == file.metadata().end()) {
    return build_model(network, model_options(file));
  }
  std::size_t values = 0;
  for (const auto& [tensor_name, tensor] : file.tensors()) {
    values += tensor.bytes.size() / dtype_bytes(tensor.type);
  }
  try {
    return network_from_layer_list(network, {1, kInputSide, kInputSide, 1}, layers->second, values);
  } catch (const Error& error) {
    throw file_error(name, 0, concat("its 'layers' are damaged: ", error.what()));
  }
}

}  // namespace

double Model::temperature() const {
  const auto found = metadata.find(kTemperature);
  if (found == metadata.end()) return 1;
  const auto value = parse_temperature(found->second);
  if (!value)
    throw Error(concat("temperature '", found->second, "' is not a number from 0.001 to 1000"));
  return *value;
}

Preprocessing Model::preprocessing() const {
  const std::string& name = metadata.at("preprocessing");
  if (name == kUnknownPreprocessing) {
    throw Error(
        "the model does not say what preprocessing it expects: import it again with "
        "--preprocessing ferplus (faces normalised as in training here) or raw (gray 0 to 255)");
  }
  return preprocessing_from_name(name);
}

std::string to_metadata(const ModelOptions& options) {
  return nlohmann::ordered_json{{"conv_dropout", options.conv_dropout},
                                {"dense_dropout", options.dense_dropout},
                                {"batch_norm_momentum", options.batch_norm_momentum}}
      .dump();
}

void TensorSet::add(const Network& network, const Parameters& values, const std::string& prefix,
                    bool with_state, DType weights) {
  const auto add_array = [&](const Network::Array& array, const float* memory) {
    const auto count = static_cast<std::size_t>(array.spec.shape.elements());
    Buffer<std::byte> bytes(count * sizeof(float));
    auto* const floats = reinterpret_cast<float*>(bytes.data());
    to_file_layout(array.spec, memory + array.offset, floats);
    const std::string name = prefix + array.spec.name;
    const DType type = array.spec.shape.rank() > 1 ? weights : DType::f32;
    if (type != DType::f32) bytes = encode_weights({floats, count}, type, name);
    tensors_[name] = {type, file_shape(array.spec), storage_.emplace_back(std::move(bytes)).span()};
  };
  for (const Network::Array& array : network.parameters()) {
    add_array(array, values.values().data());
  }
  if (!with_state) return;
  for (const Network::Array& array : network.state()) add_array(array, values.state().data());
}

std::string TensorSet::content_hash() const { return ferplus::content_hash(tensors_); }

std::string content_hash(const std::map<std::string, StoredTensor>& tensors) {
  Fingerprint fingerprint;
  for (const auto& [name, tensor] : tensors) {
    fingerprint.update(name);
    fingerprint.update(tensor.bytes);
  }
  return fingerprint.text();
}

void check_content(const SafetensorsFile& file, const std::string& file_name) {
  if (required(file, file_name, "content_hash") != content_hash(file.tensors())) {
    throw file_error(file_name, 0,
                     "its content does not have the hash it was written with: damaged");
  }
}

void read_arrays(const SafetensorsFile& file, const std::string& file_name, const Network& network,
                 const std::string& prefix, bool with_state, Parameters& values) {
  const auto read_array = [&](const Network::Array& array, float* memory) {
    const std::string name = prefix + array.spec.name;
    const StoredTensor* tensor = file.find(name);
    if (tensor == nullptr) {
      throw file_error(file_name, 0,
                       concat("tensor '", name, "' of network ", network.name(), " is missing"));
    }
    if (!is_weight_type(tensor->type) || tensor->shape != file_shape(array.spec)) {
      throw file_error(file_name, 0,
                       concat("tensor '", name, "' does not have the type and shape that network ",
                              network.name(), " needs"));
    }
    std::vector<float> copy(static_cast<std::size_t>(array.spec.shape.elements()));
    decode_weights(*tensor, copy);
    from_file_layout(array.spec, copy.data(), memory + array.offset);
  };
  for (const Network::Array& array : network.parameters()) {
    read_array(array, values.values().data());
  }
  if (!with_state) return;
  for (const Network::Array& array : network.state()) read_array(array, values.state().data());
}

void save_model(const std::filesystem::path& path, const Network& network,
                const Parameters& parameters, std::map<std::string, std::string> metadata) {
  TensorSet tensors;
  tensors.add(network, parameters);
  save_tensors(path, network, tensors, std::move(metadata));
}

void save_tensors(const std::filesystem::path& path, const Network& network,
                  const TensorSet& tensors, std::map<std::string, std::string> metadata) {
  metadata["format"] = kModelFormat;
  metadata["network"] = network.name();
  metadata.erase("layers");
  if (!is_model(network.name())) metadata["layers"] = layer_list(network);
  metadata["classes"] = class_list();
  metadata.try_emplace("preprocessing", preprocessing_name(Preprocessing::ferplus));
  metadata["content_hash"] = tensors.content_hash();
  write_safetensors(path, tensors.tensors(), metadata);
}

void update_metadata(const std::filesystem::path& path,
                     const std::map<std::string, std::string>& read,
                     const std::map<std::string, std::string>& changes) {
  const SafetensorsFile file(path);
  required(file, path.string(), "format", kModelFormat);
  if (file.metadata().contains("content_hash")) check_content(file, path.string());
  if (file.metadata() != read) {
    throw file_error(path, 0, "has been replaced since it was read: start again");
  }
  std::map<std::string, std::string> metadata = file.metadata();
  for (const auto& [key, value] : changes) metadata[key] = value;
  // The old file stays mapped until the new one, under its name, is whole.
  write_safetensors(path, file.tensors(), metadata);
}

Model load_model(const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  const std::string name = path.string();
  required(file, name, "format", kModelFormat);
  required(file, name, "classes", class_list());
  // A file that another program wrote, after training further in PyTorch say, may leave it out.
  if (file.metadata().contains("content_hash")) check_content(file, name);
  check_temperature(file, name);
  Network network = [&] {
    try {
      const std::string preprocessing = required(file, name, "preprocessing");
      if (preprocessing != kUnknownPreprocessing) preprocessing_from_name(preprocessing);
      return network_of(file, name);
    } catch (const UsageError& error) {
      throw file_error(name, 0, error.what());
    } catch (const nlohmann::json::exception& error) {
      throw file_error(name, 0, concat("its 'model_options' are damaged: ", error.what()));
    }
  }();
  if (network.output() != Shape{1, kClasses}) {
    throw file_error(name, 0,
                     concat("its network ", network.name(), " gives ", network.output().to_string(),
                            " values an image, not ", kClasses));
  }
  Parameters parameters(network);
  const bool averaged = file.find("ema." + network.parameters().front().spec.name) != nullptr;
  read_arrays(file, name, network, averaged ? "ema." : "", true, parameters);
  if (!all_finite(parameters)) throw file_error(name, 0, "its weights are not all finite");
  check_variances(network, parameters, name);
  return {std::move(network), std::move(parameters), file.metadata()};
}

}  // namespace ferplus
