#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include <ferplus/nn/fold.h>
#include <ferplus/nn/layers.h>

namespace ferplus {
namespace {

// The options with a bias, of a layer that can absorb an affine map of its output.
std::optional<LayerOptions> with_bias(const Layer& layer) {
  const LayerOptions options = layer.options();
  if (const auto* conv = std::get_if<Conv2dOptions>(&options)) {
    if (conv->tail != Tail{}) return std::nullopt;
    Conv2dOptions changed = *conv;
    changed.bias = true;
    return changed;
  }
  if (const auto* dense = std::get_if<DenseOptions>(&options)) {
    DenseOptions changed = *dense;
    changed.bias = true;
    return changed;
  }
  return std::nullopt;
}

// The batch-norm that entry i of `network` absorbs, or null.
const BatchNormOptions* absorbed(std::span<const Network::Entry> layers, std::size_t i,
                                 LayerOptions& storage) {
  if (i + 1 >= layers.size() || !with_bias(*layers[i].layer)) return nullptr;
  storage = layers[i + 1].layer->options();
  const auto* norm = std::get_if<BatchNormOptions>(&storage);
  return norm != nullptr && norm->tail == Tail{} ? norm : nullptr;
}

Network network_without_norms(const Network& network) {
  Network folded(network.name(), network.input());
  const auto layers = network.layers();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    LayerOptions storage;
    if (absorbed(layers, i, storage) != nullptr) {
      folded.add(layers[i].name, make_layer(*with_bias(*layers[i].layer)));
      ++i;
    } else {
      folded.add(layers[i].name, make_layer(layers[i].layer->options()));
    }
  }
  return folded;
}

}  // namespace

FoldedNetwork fold_batch_norm(const Network& network, const Parameters& parameters) {
  Network folded = network_without_norms(network);
  Parameters result(folded);
  const auto layers = network.layers();
  const auto values_of = [](const auto& arrays, std::size_t i, auto values) {
    return values.subspan(arrays[i].offset,
                          static_cast<std::size_t>(arrays[i].spec.shape.elements()));
  };
  const auto parameter = [&](std::size_t i) {
    return values_of(network.parameters(), i, parameters.values());
  };
  const auto state = [&](std::size_t i) {
    return values_of(network.state(), i, parameters.state());
  };

  std::size_t target = 0;
  for (std::size_t i = 0; i < layers.size(); ++i, ++target) {
    const Network::Entry& entry = layers[i];
    const Network::Entry& to = folded.layers()[target];
    const auto destination = [&](std::size_t k) {
      return values_of(folded.parameters(), to.first_parameter + k, result.values());
    };
    LayerOptions storage;
    const BatchNormOptions* options = absorbed(layers, i, storage);
    if (options == nullptr) {
      for (std::size_t k = 0; k < entry.parameter_count; ++k) {
        std::ranges::copy(parameter(entry.first_parameter + k), destination(k).begin());
      }
      for (std::size_t k = 0; k < entry.state_count; ++k) {
        std::ranges::copy(state(entry.first_state + k),
                          values_of(folded.state(), to.first_state + k, result.state()).begin());
      }
      continue;
    }
    const Network::Entry& norm = layers[++i];
    const auto gain = parameter(norm.first_parameter), shift = parameter(norm.first_parameter + 1);
    const auto mean = state(norm.first_state), variance = state(norm.first_state + 1);
    const auto weights = parameter(entry.first_parameter);
    const auto new_weights = destination(0), new_bias = destination(1);
    // The output channel is the last dimension of either layer's weights.
    const std::size_t channels = gain.size();
    std::vector<double> factors(channels);
    for (std::size_t c = 0; c < channels; ++c) {
      factors[c] = static_cast<double>(gain[c]) /
                   std::sqrt(static_cast<double>(variance[c]) + options->epsilon);
      const double bias = entry.parameter_count > 1
                              ? static_cast<double>(parameter(entry.first_parameter + 1)[c])
                              : 0;
      new_bias[c] = static_cast<float>((bias - static_cast<double>(mean[c])) * factors[c] +
                                       static_cast<double>(shift[c]));
    }
    for (std::size_t k = 0; k < weights.size(); ++k) {
      new_weights[k] = static_cast<float>(static_cast<double>(weights[k]) * factors[k % channels]);
    }
  }
  return {std::move(folded), std::move(result)};
}

}  // namespace ferplus
