// The table of operators that work on the activation, and the simple ones.
#include <algorithm>

#include "interop/onnx_graph.h"

namespace ferplus::interop {
namespace {

Activation same(const OperatorContext& c) { return c.input; }

Activation relu(const OperatorContext& c) {
  c.chain.add(ReluOptions{}, {});
  return c.input;
}

Activation dropout(const OperatorContext& c) {
  c.node.real("ratio", 0.5f);
  c.node.integer("seed", 0);
  if (c.node.integer("is_test", 1) == 0) throw Error("it is in training mode");
  if (const Constant* training = c.optional(2)) {
    const auto* values = training->integers();
    if (values == nullptr || values->size() != 1 || values->front() != 0) {
      throw Error("it is in training mode");
    }
  }
  return c.input;
}

Activation cast(const OperatorContext& c) {
  if (c.node.integer("to", 0) != onnx::TensorProto::FLOAT) {
    throw Error("it casts the activation to another type than float");
  }
  return c.input;
}

Activation reshape(const OperatorContext& c) {
  const auto target = list_argument(c.node, "shape", c.optional(1));
  if (!target) throw Error("it does not say to which shape");
  const bool allow_zero = c.node.integer("allowzero", 0) != 0;
  return c.input.reshaped(reshaped(c.input.dims(), *target, allow_zero));
}

Activation squeeze(const OperatorContext& c) {
  return c.input.reshaped(squeezed(c.input.dims(), list_argument(c.node, "axes", c.optional(1))));
}

Activation unsqueeze(const OperatorContext& c) {
  const auto axes = list_argument(c.node, "axes", c.optional(1));
  if (!axes) throw Error("it does not say which axes");
  return c.input.reshaped(unsqueezed(c.input.dims(), *axes));
}

Activation flatten(const OperatorContext& c) {
  return c.input.reshaped(flattened(c.input.dims(), c.node.integer("axis", 1)));
}

Activation transpose(const OperatorContext& c) {
  return c.input.transposed(c.node.integers("perm"));
}

// Scores become probabilities, which change neither their order nor what a softmax makes of them.
Activation softmax(const OperatorContext& c) {
  const std::int64_t axis = c.node.integer("axis", c.node.opset() < 13 ? 1 : -1);
  c.input.features();
  if (normalized_axis(axis, c.input.rank()) != 1) throw Error("it is not over the classes");
  Activation result = c.input;
  result.finished = true;
  return result;
}

// A dense layer whose weights are given as value(feature, unit) over features in the graph's order.
template <typename Value>
Activation add_dense(const OperatorContext& c, std::int64_t features, std::int64_t units,
                     Value value) {
  const std::vector<Factor>& order = c.input.features();
  if (c.input.dims()[1] != features) {
    throw Error(
        concat("its weights are for ", features, " features, its input has ", c.input.dims()[1]));
  }
  c.budget.spend(features * units);
  // Place in the graph's order of each feature in the file's, channels, rows, columns.
  std::int64_t strides[] = {0, 0, 0, 0}, sizes[] = {1, 1, 1, 1}, stride = 1;
  for (std::size_t i = order.size(); i-- > 0;) {
    const auto axis = static_cast<std::size_t>(order[i].axis);
    strides[axis] = stride;
    sizes[axis] = order[i].size;
    stride *= order[i].size;
  }
  constexpr auto kH = static_cast<std::size_t>(Axis::h), kW = static_cast<std::size_t>(Axis::w),
                 kC = static_cast<std::size_t>(Axis::c);
  std::vector<float> weights;
  weights.reserve(static_cast<std::size_t>(features * units));
  for (std::int64_t unit = 0; unit < units; ++unit) {
    for (std::int64_t channel = 0; channel < sizes[kC]; ++channel) {
      for (std::int64_t row = 0; row < sizes[kH]; ++row) {
        for (std::int64_t column = 0; column < sizes[kW]; ++column) {
          weights.push_back(
              value(channel * strides[kC] + row * strides[kH] + column * strides[kW], unit));
        }
      }
    }
  }
  c.chain.add(DenseOptions{.units = units, .bias = false}, {std::move(weights)});
  return c.output();
}

Activation matmul(const OperatorContext& c) {
  if (c.input_place != 0) throw Error("it multiplies a constant by the activation");
  const Constant& weights = c.weights(1);
  if (weights.dims.size() != 2) {
    throw Error(concat("its weights are ", dims_text(weights.dims), ", not a matrix"));
  }
  const std::int64_t units = weights.dims[1];
  return add_dense(c, weights.dims[0], units, [&](std::int64_t feature, std::int64_t unit) {
    return (*weights.reals())[static_cast<std::size_t>(feature * units + unit)];
  });
}

Activation gemm(const OperatorContext& c) {
  const float alpha = c.node.real("alpha", 1), beta = c.node.real("beta", 1);
  const bool transposed = c.node.integer("transB", 0) != 0;
  c.node.integer("broadcast", 0);
  if (c.input_place != 0 || c.node.integer("transA", 0) != 0) {
    throw Error("its first input must be the activation, not transposed");
  }
  const Constant& weights = c.weights(1);
  if (weights.dims.size() != 2) {
    throw Error(concat("its weights are ", dims_text(weights.dims), ", not a matrix"));
  }
  const std::int64_t features = weights.dims[transposed ? 1 : 0];
  const std::int64_t units = weights.dims[transposed ? 0 : 1];
  const Activation output =
      add_dense(c, features, units, [&](std::int64_t feature, std::int64_t unit) {
        const std::int64_t place = transposed ? unit * features + feature : feature * units + unit;
        return alpha * (*weights.reals())[static_cast<std::size_t>(place)];
      });
  if (c.optional(2) != nullptr) {
    const Constant& bias = c.weights(2);
    const auto size = static_cast<std::int64_t>(bias.size());
    if (size != 1 && (size != units || bias.dims.back() != units)) {
      throw Error(concat("its bias of ", dims_text(bias.dims), " is not one per unit"));
    }
    std::vector<double> shift(bias.reals()->begin(), bias.reals()->end());
    for (double& value : shift) value *= static_cast<double>(beta);
    c.chain.shift(shift);
  }
  return output;
}

}  // namespace

Operator find_operator(const std::string& op) {
  static const std::map<std::string, Operator> kOperators = {
      {"Add", arithmetic_operator},
      {"AveragePool", average_pool_operator},
      {"BatchNormalization", batch_norm_operator},
      {"Cast", cast},
      {"Conv", conv_operator},
      {"Div", arithmetic_operator},
      {"Dropout", dropout},
      {"Flatten", flatten},
      {"Gemm", gemm},
      {"GlobalAveragePool", global_average_pool_operator},
      {"Identity", same},
      {"LogSoftmax", softmax},
      {"MatMul", matmul},
      {"MaxPool", max_pool_operator},
      {"Mul", arithmetic_operator},
      {"Pad", pad_operator},
      {"Relu", relu},
      {"Reshape", reshape},
      {"Softmax", softmax},
      {"Squeeze", squeeze},
      {"Sub", arithmetic_operator},
      {"Transpose", transpose},
      {"Unsqueeze", unsqueeze},
  };
  const auto found = kOperators.find(op);
  return found == kOperators.end() ? nullptr : found->second;
}

}  // namespace ferplus::interop
