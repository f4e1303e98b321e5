// A network: a named, ordered list of layers with the shapes and parameters that follow from its
// input. Immutable once built; sessions and threads share it.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ferplus/core/buffer.h>
#include <ferplus/core/tensor.h>
#include <ferplus/nn/layer.h>

namespace ferplus {

class Network {
 public:
  // `input` is the shape of one image with batch 1, e.g. {1, 64, 64, 1}.
  Network(std::string name, const Shape& input)
      : name_(std::move(name)), input_(input.with_batch(1)) {}

  // Appends a layer. Names must be distinct. Throws Error if the layer cannot follow the last one.
  void add(std::string name, std::unique_ptr<const Layer> layer);

  // One array of parameters or state: its full name ("conv1_1.weight"), and where it lies.
  struct Array {
    ParameterSpec spec;
    std::size_t offset = 0;  // in floats, from the start of Parameters::values or ::state
  };
  struct Entry {
    std::string name;
    std::shared_ptr<const Layer> layer;
    Shape input, output;                                   // of one image, batch 1
    std::size_t first_parameter = 0, parameter_count = 0;  // into parameters()
    std::size_t first_state = 0, state_count = 0;          // into state()
  };

  const std::string& name() const { return name_; }
  const Shape& input() const { return input_; }
  const Shape& output() const { return layers_.empty() ? input_ : layers_.back().output; }
  std::span<const Entry> layers() const { return layers_; }
  std::span<const Array> parameters() const { return parameters_; }
  std::span<const Array> state() const { return state_; }
  // Floats of all arrays, each padded to kAlignment.
  std::size_t parameter_floats() const { return parameter_floats_; }
  std::size_t state_floats() const { return state_floats_; }
  // Trainable values, padding left out.
  std::size_t parameter_count() const;

 private:
  std::string name_;
  Shape input_;
  std::vector<Entry> layers_;
  std::vector<Array> parameters_, state_;
  std::size_t parameter_floats_ = 0, state_floats_ = 0;
};

// The network's layers as sessions run them: a layer and those behind it that it can take along
// (Layer::with_tail) are one entry, named "conv1_1+relu1_1". Same parameters and state.
std::vector<Network::Entry> fused_layers(const Network& network,
                                         Precision precision = Precision::fp32);

// glorot_uniform: U(±sqrt(6 / (fan_in + fan_out))), Glorot & Bengio 2010. he_normal:
// N(0, 2 / fan_in), He et al. 2015. dirac: he_normal, but the first C filters of a convolution of C
// channels hand their channel on, a 1 in the middle of zeros, as long as there are filters (Jordan,
// "94% on CIFAR-10 in 3.29 seconds on a single GPU", 2024).
enum class Initialization { glorot_uniform, he_normal, dirac };
// "glorot", "he" or "dirac". Throws UsageError for any other name.
Initialization initialization_from_name(std::string_view name);

// The values of a network's parameters, flat, and beside them the state that is not trained
// (batch-norm statistics). Padding between arrays is zero and stays so under any linear update.
// Also used for gradients, moments and averages, which have the same layout.
class Parameters {
 public:
  explicit Parameters(const Network& network);

  std::span<float> values() { return values_.span(); }
  std::span<const float> values() const { return values_.span(); }
  std::span<float> state() { return state_.span(); }
  std::span<const float> state() const { return state_.span(); }

 private:
  Buffer<float> values_, state_;
};

// Whether all values and all of the state are finite.
bool all_finite(const Parameters& parameters);

// Fills every array with its initial value; random ones from (seed, Stream::initialization, number
// of the array), so adding a layer at the end leaves those before it alone.
void initialize(const Network& network, Parameters& parameters, Initialization initialization,
                std::uint64_t seed);

// Copies an array between its memory layout and its file layout (FileLayout).
void to_file_layout(const ParameterSpec& spec, const float* memory, float* file);
void from_file_layout(const ParameterSpec& spec, const float* file, float* memory);
// The shape of the array in a file: [K, C, R, S], [K, inputs], or as in memory.
std::vector<std::int64_t> file_shape(const ParameterSpec& spec);

}  // namespace ferplus
