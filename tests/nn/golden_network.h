// The small network of tools/make_golden_network.py, and what that float64 reference says of it.
#pragma once

#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <ferplus/io/safetensors.h>
#include <ferplus/nn/layers.h>
#include <ferplus/nn/model_file.h>
#include <ferplus/nn/session.h>

#include "support/shared.h"

namespace ferplus {

// Root mean square of the difference, relative to that of `expected`.
inline double relative_error(std::span<const float> got, std::span<const float> expected) {
  if (got.size() != expected.size()) return INFINITY;
  double difference = 0, scale = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double error = static_cast<double>(got[i]) - static_cast<double>(expected[i]);
    difference += error * error;
    scale += static_cast<double>(expected[i]) * static_cast<double>(expected[i]);
  }
  return std::sqrt(difference / scale);
}

class GoldenNetwork {
 public:
  static constexpr Index kBatch = 6;
  static constexpr int kSteps = 10;

  GoldenNetwork() : file_(path()) {
    network_.add("conv1", make_conv2d({.filters = 6}));
    network_.add("relu1", make_relu());
    network_.add("conv2", make_conv2d({.filters = 8, .bias = false}));
    network_.add("bn2", make_batch_norm({}));
    network_.add("relu2", make_relu());
    network_.add("pool2", make_max_pool({}));
    network_.add("fc1", make_dense({.units = 16}));
    network_.add("relu3", make_relu());
    network_.add("fc2", make_dense({.units = 8}));
  }

  const Network& network() const { return network_; }

  // Every parameter, and the batch-norm statistics if asked for, under a prefix such as "initial.".
  Parameters parameters(const std::string& prefix, bool with_state = true) const {
    Parameters result(network_);
    read_arrays(file_, path().string(), network_, prefix, with_state, result);
    return result;
  }
  std::vector<float> floats(const std::string& name) const { return read<float>(name, DType::f32); }
  std::vector<double> doubles(const std::string& name) const {
    return read<double>(name, DType::f64);
  }

  // The batch, as the session's next input.
  void load_input(Session& session) const {
    const std::vector<float> input = floats("input");
    std::memcpy(session.input(kBatch).data, input.data(), input.size() * sizeof(float));
  }
  static DrawContext draws() {
    static constexpr std::uint32_t kKeys[kBatch] = {};
    return {.seed = 0, .epoch = 0, .keys = kKeys};
  }

 private:
  static std::filesystem::path path() { return test_files() / "golden_network.safetensors"; }

  template <typename Value>
  std::vector<Value> read(const std::string& name, DType type) const {
    const StoredTensor* tensor = file_.find(name);
    if (tensor == nullptr || tensor->type != type) {
      ADD_FAILURE() << "no tensor " << name;
      return {};
    }
    std::vector<Value> values(tensor->bytes.size() / sizeof(Value));
    std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
    return values;
  }

  SafetensorsFile file_;
  Network network_{"golden", {1, 12, 12, 1}};
};

// The worst relative error of any array of `network`, and the array's name for the log.
inline double worst_error(const Network& network, std::span<const float> got,
                          std::span<const float> expected, std::span<const Network::Array> arrays) {
  double worst = 0;
  for (const Network::Array& array : arrays) {
    const auto count = static_cast<std::size_t>(array.spec.shape.elements());
    const double error =
        relative_error(got.subspan(array.offset, count), expected.subspan(array.offset, count));
    testing::Test::RecordProperty(network.name() + "." + array.spec.name, std::to_string(error));
    if (!(error <= worst)) worst = error;
  }
  return worst;
}

}  // namespace ferplus
