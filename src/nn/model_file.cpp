#include <cstring>

#include <ferplus/core/error.h>
#include <ferplus/data/label_mode.h>
#include <ferplus/nn/model_file.h>

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

}  // namespace

void TensorSet::add(const Network& network, const Parameters& values, const std::string& prefix,
                    bool with_state) {
  const auto add_array = [&](const Network::Array& array, const float* memory) {
    const auto count = static_cast<std::size_t>(array.spec.shape.elements());
    Buffer<float>& copy = storage_.emplace_back(count);
    to_file_layout(array.spec, memory + array.offset, copy.data());
    tensors_[prefix + array.spec.name] = {DType::f32, file_shape(array.spec),
                                          std::as_bytes(copy.span())};
  };
  for (const Network::Array& array : network.parameters()) {
    add_array(array, values.values().data());
  }
  if (!with_state) return;
  for (const Network::Array& array : network.state()) add_array(array, values.state().data());
}

std::string TensorSet::content_hash() const {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&](std::span<const std::byte> bytes) {
    for (std::byte byte : bytes) {
      hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3;
    }
  };
  for (const auto& [name, tensor] : tensors_) {
    add(std::as_bytes(std::span(name)));
    add(tensor.bytes);
  }
  std::ostringstream text;
  text << std::hex << hash;
  return text.str();
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
    if (tensor->type != DType::f32 || tensor->shape != file_shape(array.spec)) {
      throw file_error(file_name, 0,
                       concat("tensor '", name, "' does not have the type and shape that network ",
                              network.name(), " needs"));
    }
    // The bytes of a safetensors file need not be aligned.
    std::vector<float> copy(tensor->bytes.size() / sizeof(float));
    std::memcpy(copy.data(), tensor->bytes.data(), tensor->bytes.size());
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
  metadata["classes"] = class_list();
  metadata.try_emplace("preprocessing", preprocessing_name(Preprocessing::ferplus));
  metadata["content_hash"] = tensors.content_hash();
  write_safetensors(path, tensors.tensors(), metadata);
}

Model load_model(const std::filesystem::path& path) {
  const SafetensorsFile file(path);
  const std::string name = path.string();
  required(file, name, "format", kModelFormat);
  required(file, name, "classes", class_list());
  try {
    preprocessing_from_name(required(file, name, "preprocessing"));
  } catch (const UsageError& error) {
    throw file_error(name, 0, error.what());
  }
  Network network = build_model(required(file, name, "network"));
  Parameters parameters(network);
  const bool averaged = file.find("ema." + network.parameters().front().spec.name) != nullptr;
  read_arrays(file, name, network, averaged ? "ema." : "", true, parameters);
  return {std::move(network), std::move(parameters), file.metadata()};
}

}  // namespace ferplus
