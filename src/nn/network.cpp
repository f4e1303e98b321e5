#include <algorithm>
#include <cmath>

#include <ferplus/core/error.h>
#include <ferplus/core/names.h>
#include <ferplus/nn/network.h>

namespace ferplus {
namespace {

std::size_t padded_floats(const Shape& shape) {
  return align_up(static_cast<std::size_t>(shape.elements()) * sizeof(float)) / sizeof(float);
}

void append_arrays(const std::string& layer, const std::vector<ParameterSpec>& specs,
                   std::vector<Network::Array>& arrays, std::size_t& floats) {
  for (ParameterSpec spec : specs) {
    spec.name = layer + "." + spec.name;
    const std::size_t size = padded_floats(spec.shape);
    arrays.push_back({std::move(spec), floats});
    floats += size;
  }
}

// [R, S, C, K]: the first filters become the identity of their channel.
void hand_channels_on(const Shape& shape, float* weights) {
  const Index channels = shape[2], filters = shape[3], taps = shape[0] * shape[1];
  const Index centre = (shape[0] - 1) / 2 * shape[1] + (shape[1] - 1) / 2;
  for (Index tap = 0; tap < taps; ++tap) {
    for (Index c = 0; c < channels; ++c) {
      float* row = weights + (tap * channels + c) * filters;
      std::fill_n(row, std::min(channels, filters), 0.0f);
      if (tap == centre && c < filters) row[c] = 1;
    }
  }
}

void fill(const ParameterSpec& spec, Initialization initialization, RandomSequence random,
          float* values) {
  const Index count = spec.shape.elements();
  if (spec.initial != InitialValue::random) {
    std::fill_n(values, count,
                spec.initial == InitialValue::constant ? static_cast<float>(spec.constant) : 0.0f);
    return;
  }
  const double limit = std::sqrt(6.0 / static_cast<double>(spec.fan_in + spec.fan_out));
  const double deviation = std::sqrt(2.0 / static_cast<double>(spec.fan_in));
  for (Index i = 0; i < count; ++i) {
    values[i] = static_cast<float>(initialization == Initialization::glorot_uniform
                                       ? random.uniform(-limit, limit)
                                       : deviation * random.normal());
  }
  if (initialization == Initialization::dirac && spec.layout == FileLayout::convolution) {
    hand_channels_on(spec.shape, values);
  }
}

// Calls copy(index in memory, index in file) for every value.
template <typename Copy>
void for_each_value(const ParameterSpec& spec, Copy copy) {
  const Shape& shape = spec.shape;
  if (spec.layout == FileLayout::convolution) {
    const Index window = shape[0] * shape[1], in = shape[2], out = shape[3];
    for (Index tap = 0; tap < window; ++tap) {
      for (Index c = 0; c < in; ++c) {
        for (Index k = 0; k < out; ++k) copy((tap * in + c) * out + k, (k * in + c) * window + tap);
      }
    }
  } else if (spec.layout == FileLayout::dense) {
    const bool image = spec.dense_input.rank() == 3;
    const Index channels = image ? spec.dense_input[2] : 1;
    const Index inputs = shape[0], out = shape[1], pixels = inputs / channels;
    for (Index pixel = 0; pixel < pixels; ++pixel) {
      for (Index c = 0; c < channels; ++c) {
        for (Index k = 0; k < out; ++k) {
          copy((pixel * channels + c) * out + k, k * inputs + c * pixels + pixel);
        }
      }
    }
  } else {
    for (Index i = 0; i < shape.elements(); ++i) copy(i, i);
  }
}

}  // namespace

void Network::add(std::string name, std::unique_ptr<const Layer> layer) {
  const Shape input = output();
  if (std::any_of(layers_.begin(), layers_.end(), [&](const Entry& s) { return s.name == name; })) {
    throw Error(concat("two layers are named ", name));
  }
  const LayerPlan plan = layer->plan(input, Phase::training);
  Entry entry{.name = name,
              .layer = std::move(layer),
              .input = input,
              .output = plan.output,
              .first_parameter = parameters_.size(),
              .parameter_count = plan.parameters.size(),
              .first_state = state_.size(),
              .state_count = plan.state.size()};
  append_arrays(name, plan.parameters, parameters_, parameter_floats_);
  append_arrays(name, plan.state, state_, state_floats_);
  layers_.push_back(std::move(entry));
}

std::vector<Network::Entry> fused_layers(const Network& network, Precision precision) {
  std::vector<Network::Entry> layers(network.layers().begin(), network.layers().end());
  for (Network::Entry& entry : layers) {
    if (precision == Precision::fp32) break;
    if (auto rounded = entry.layer->with_precision(precision)) entry.layer = std::move(rounded);
  }
  // From the end, so that a ReLU and the pooling behind it join first and can follow as one.
  for (std::size_t i = layers.size(); i-- > 1;) {
    Network::Entry& entry = layers[i - 1];
    const std::optional<Tail> tail = layers[i].layer->as_tail();
    if (!tail) continue;
    if (auto fused = entry.layer->with_tail(*tail, entry.input)) {
      entry.layer = std::move(fused);
      entry.name += "+" + layers[i].name;
      entry.output = layers[i].output;
      layers.erase(layers.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  return layers;
}

std::size_t Network::parameter_count() const {
  std::size_t count = 0;
  for (const Array& array : parameters_) {
    count += static_cast<std::size_t>(array.spec.shape.elements());
  }
  return count;
}

Initialization initialization_from_name(std::string_view name) {
  if (name == "glorot") return Initialization::glorot_uniform;
  if (name == "he") return Initialization::he_normal;
  if (name == "dirac") return Initialization::dirac;
  throw UsageError(unknown_name("initialization", name, {"glorot", "he", "dirac"}));
}

Parameters::Parameters(const Network& network)
    : values_(network.parameter_floats()), state_(network.state_floats()) {}

bool all_finite(const Parameters& parameters) {
  const auto finite = [](std::span<const float> values) {
    return std::ranges::all_of(values, [](float v) { return std::isfinite(v); });
  };
  return finite(parameters.values()) && finite(parameters.state());
}

void initialize(const Network& network, Parameters& parameters, Initialization initialization,
                std::uint64_t seed) {
  std::uint32_t number = 0;
  for (const Network::Array& array : network.parameters()) {
    fill(array.spec, initialization,
         RandomSequence({.seed = seed, .stream = Stream::initialization, .sample = number++}),
         parameters.values().data() + array.offset);
  }
  for (const Network::Array& array : network.state()) {
    fill(array.spec, initialization, RandomSequence({.stream = Stream::initialization}),
         parameters.state().data() + array.offset);
  }
}

void to_file_layout(const ParameterSpec& spec, const float* memory, float* file) {
  for_each_value(spec, [&](Index in_memory, Index in_file) { file[in_file] = memory[in_memory]; });
}

void from_file_layout(const ParameterSpec& spec, const float* file, float* memory) {
  for_each_value(spec, [&](Index in_memory, Index in_file) { memory[in_memory] = file[in_file]; });
}

std::vector<std::int64_t> file_shape(const ParameterSpec& spec) {
  const Shape& s = spec.shape;
  switch (spec.layout) {
    case FileLayout::convolution:
      return {s[3], s[2], s[0], s[1]};
    case FileLayout::dense:
      return {s[1], s[0]};
    case FileLayout::same:
      break;
  }
  std::vector<std::int64_t> shape;
  for (int axis = 0; axis < s.rank(); ++axis) shape.push_back(s[axis]);
  return shape;
}

}  // namespace ferplus
