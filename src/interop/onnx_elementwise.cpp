// Arithmetic with constants, and batch-norm.
#include <algorithm>
#include <cmath>

#include "interop/onnx_graph.h"

namespace ferplus::interop {
namespace {

// The constant as one value, or one per channel.
std::vector<double> channel_values(const OperatorContext& c, const Constant& constant) {
  const auto& values = *constant.reals();
  const Dims dims = c.input.dims();
  // Until opset 6 broadcasting was asked for, from the axis on or at the end; since then it is
  // numpy's.
  const bool legacy = c.node.opset() < 7;
  const bool broadcast = !legacy || c.node.integer("broadcast", 0) != 0;
  const auto rank = static_cast<std::int64_t>(dims.size());
  const auto constant_rank = static_cast<std::int64_t>(constant.dims.size());
  const std::int64_t first =
      legacy ? c.node.integer("axis", rank - constant_rank) : rank - constant_rank;
  bool fits = first >= 0 && first <= rank && first + constant_rank <= rank &&
              (broadcast || constant.dims == dims);
  std::optional<std::size_t> varying;
  bool several = false;
  for (std::size_t i = 0; fits && i < constant.dims.size(); ++i) {
    if (constant.dims[i] == 1) continue;
    const std::size_t axis = static_cast<std::size_t>(first) + i;
    fits = constant.dims[i] == dims[axis];
    several = several || varying.has_value();
    varying = axis;
  }
  if (!fits || values.empty()) {
    throw Error(concat("its constant of ", dims_text(constant.dims), " does not fit an input of ",
                       dims_text(dims)));
  }
  if (!varying || std::ranges::all_of(values, [&](float v) { return v == values[0]; })) {
    return {static_cast<double>(values[0])};
  }
  if (several || !c.input.is_channels(*varying)) {
    throw Error(concat("its constant of ", dims_text(constant.dims),
                       " has values for more than the channels, which is not supported"));
  }
  return {values.begin(), values.end()};
}

std::vector<double> negated(std::vector<double> values) {
  for (double& value : values) value = -value;
  return values;
}

}  // namespace

Activation arithmetic_operator(const OperatorContext& c) {
  if (c.node.inputs() != 2) throw Error("it does not have two inputs");
  const auto other = static_cast<std::size_t>(1 - c.input_place);
  const std::vector<double> values = channel_values(c, c.weights(other));
  const bool constant_first = other == 0;
  switch (c.node.op()[0]) {
    case 'A':
      c.chain.shift(values);
      break;
    case 'S':
      if (constant_first) c.chain.scale({-1});
      c.chain.shift(constant_first ? values : negated(values));
      break;
    case 'M':
      c.chain.scale(values);
      break;
    default:
      if (constant_first) throw Error("it divides by the activation");
      c.chain.divide(values);
      break;
  }
  return c.input;
}

Activation batch_norm_operator(const OperatorContext& c) {
  const double epsilon = static_cast<double>(c.node.real("epsilon", 1e-5f));
  c.node.real("momentum", 0.9f);
  const bool tests = c.node.opset() >= 7 || c.node.integer("is_test", 0) != 0;
  if (!tests || c.node.integer("training_mode", 0) != 0) throw Error("it is in training mode");
  if (c.node.integer("spatial", 1) != 1) throw Error("it is not per channel");
  if (c.input_place != 0 || c.input.rank() < 2 || !c.input.is_channels(1)) {
    throw Error("its input has its channels elsewhere than in axis 1");
  }
  std::vector<std::vector<float>> arrays;
  for (std::size_t i = 1; i <= 4; ++i) arrays.push_back(*c.weights(i).reals());
  for (const float variance : arrays[3]) {
    if (!(static_cast<double>(variance) + epsilon > 0)) throw Error("its variance is not positive");
  }
  c.chain.add(BatchNormOptions{.epsilon = epsilon}, std::move(arrays));
  return c.input;
}

}  // namespace ferplus::interop
