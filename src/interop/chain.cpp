#include "interop/chain.h"

#include <cmath>
#include <map>
#include <string>

#include <ferplus/core/error.h>
#include <ferplus/nn/models.h>

namespace ferplus::interop {
namespace {

// Floats of one image's activation: more would take gigabytes for a batch.
constexpr Index kMaxActivation = Index{1} << 24;
constexpr std::size_t kMaxLayers = 1000;
// 1 + this is 1 in single and double precision.
constexpr double kNoEpsilon = 1e-30;

std::vector<float> to_floats(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

}  // namespace

void Chain::add(LayerOptions options, std::vector<std::vector<float>> arrays) {
  const LayerPlan plan = make_layer(options)->plan(output_, Phase::inference);
  if (plan.output.elements() > kMaxActivation) {
    throw Error(concat("its output of ", plan.output.to_string(), " is too large"));
  }
  if (layers_.size() == kMaxLayers) throw Error("the network has too many layers");
  std::size_t i = 0;
  for (const auto& specs : {plan.parameters, plan.state}) {
    for (const ParameterSpec& spec : specs) {
      if (i >= arrays.size() ||
          arrays[i].size() != static_cast<std::size_t>(spec.shape.elements())) {
        throw Error(concat("its ", spec.name, " does not have ", spec.shape.elements(), " values"));
      }
      ++i;
    }
  }
  layers_.push_back({std::move(options), std::move(arrays), std::nullopt});
  output_ = plan.output;
}

std::vector<double> Chain::spread(const std::vector<double>& values) const {
  const auto channels = static_cast<std::size_t>(output_[output_.rank() - 1]);
  if (values.size() == channels) return values;
  if (values.size() != 1) throw Error("its constant does not have a value for each channel");
  return std::vector<double>(channels, values[0]);
}

Chain::Affine& Chain::affine() {
  if (layers_.empty() || !layers_.back().affine) {
    const auto channels = static_cast<std::size_t>(output_[output_.rank() - 1]);
    layers_.push_back({BatchNormOptions{.epsilon = kNoEpsilon},
                       {},
                       Affine{std::vector<double>(channels, 0), std::vector<double>(channels, 1),
                              std::vector<double>(channels, 0)}});
  }
  return *layers_.back().affine;
}

void Chain::shift(const std::vector<double>& values) {
  const std::vector<double> by = spread(values);
  // Weights, then the bias if there is one.
  const auto add_to_bias = [&](bool& has_bias, std::vector<std::vector<float>>& arrays) {
    if (!has_bias) arrays.emplace_back(by.size(), 0.0f);
    has_bias = true;
    for (std::size_t c = 0; c < by.size(); ++c) {
      arrays[1][c] = static_cast<float>(static_cast<double>(arrays[1][c]) + by[c]);
    }
  };
  if (!layers_.empty() && !layers_.back().affine) {
    ChainLayer& last = layers_.back();
    if (auto* conv = std::get_if<Conv2dOptions>(&last.options)) {
      return add_to_bias(conv->bias, last.arrays);
    }
    if (auto* dense = std::get_if<DenseOptions>(&last.options)) {
      return add_to_bias(dense->bias, last.arrays);
    }
  }
  Affine& a = affine();
  for (std::size_t c = 0; c < by.size(); ++c) {
    // As a mean where that is exact: x - 127.5, then / 255.
    if (a.weight[c] == 1 && a.bias[c] == 0) {
      a.mean[c] -= by[c];
    } else {
      a.bias[c] += by[c];
    }
  }
}

void Chain::scale(const std::vector<double>& values) {
  const std::vector<double> by = spread(values);
  Affine& a = affine();
  for (std::size_t c = 0; c < by.size(); ++c) {
    a.weight[c] *= by[c];
    a.bias[c] *= by[c];
  }
}

void Chain::divide(const std::vector<double>& values) {
  std::vector<double> inverse = values;
  for (double& value : inverse) {
    if (value == 0) throw Error("it divides by 0");
    value = 1 / value;
  }
  scale(inverse);
}

void Chain::take_raw_input() {
  const bool normalizes = !layers_.empty() && layers_.front().affine;
  Affine first{{0}, {1}, {0}};
  if (normalizes) first = *layers_.front().affine;
  // slope·gray + offset of the graph, as slope·(255·raw + 127.5) + offset.
  const double slope = first.weight[0] * static_cast<double>(kRawDivisor);
  const double offset =
      first.bias[0] + (static_cast<double>(kRawOffset) - first.mean[0]) * first.weight[0];
  constexpr double kRounding = 1e-6;
  if (normalizes) layers_.erase(layers_.begin());
  if (std::abs(slope - 1) <= kRounding && std::abs(offset) <= kRounding) return;
  layers_.insert(
      layers_.begin(),
      ChainLayer{BatchNormOptions{.epsilon = kNoEpsilon}, {}, Affine{{0}, {slope}, {offset}}});
}

FoldedNetwork Chain::build(const std::string& name) const {
  Network network(name, {1, kInputSide, kInputSide, 1});
  std::map<std::string_view, int> counts;
  static const std::map<std::string_view, std::string> kNames = {{"conv2d", "conv"},
                                                                 {"max_pool", "pool"},
                                                                 {"average_pool", "mean"},
                                                                 {"dense", "fc"},
                                                                 {"batch_norm", "bn"}};
  for (const ChainLayer& layer : layers_) {
    auto made = make_layer(layer.options);
    const auto found = kNames.find(made->kind());
    const std::string kind = found == kNames.end() ? std::string(made->kind()) : found->second;
    const int number = ++counts[made->kind()];
    network.add(kind + std::to_string(number), std::move(made));
  }
  Parameters parameters(network);
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Network::Entry& entry = network.layers()[i];
    std::vector<std::vector<float>> arrays = layers_[i].arrays;
    if (const auto& affine = layers_[i].affine) {
      arrays = {to_floats(affine->weight), to_floats(affine->bias), to_floats(affine->mean),
                std::vector<float>(affine->mean.size(), 1.0f)};
    }
    for (std::size_t k = 0; k < entry.parameter_count; ++k) {
      const Network::Array& to = network.parameters()[entry.first_parameter + k];
      from_file_layout(to.spec, arrays[k].data(), parameters.values().data() + to.offset);
    }
    for (std::size_t k = 0; k < entry.state_count; ++k) {
      const Network::Array& to = network.state()[entry.first_state + k];
      from_file_layout(to.spec, arrays[entry.parameter_count + k].data(),
                       parameters.state().data() + to.offset);
    }
  }
  FoldedNetwork folded = fold_batch_norm(network, parameters);
  // The same layers have the same arrays one after the other.
  if (auto model = matching_model(folded.network)) folded.network = *std::move(model);
  return folded;
}

}  // namespace ferplus::interop
