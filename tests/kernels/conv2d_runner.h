// Runs the three passes of an algorithm on one set of operands.
#pragma once

#include <vector>

#include <ferplus/core/parallel.h>
#include <ferplus/kernels/conv2d.h>

#include "kernels/operands.h"

namespace ferplus::test {

struct ConvOperands {
  ConvShape shape;
  std::vector<float> input, weights, bias, output_gradient;

  ConvOperands(const ConvShape& s, std::uint64_t seed)
      : shape(s),
        input(normal_values(s.input_size(), 4 * seed)),
        weights(normal_values(s.weights_size(), 4 * seed + 1)),
        bias(normal_values(s.out_channels, 4 * seed + 2)),
        output_gradient(normal_values(s.output_size(), 4 * seed + 3)) {}
};

struct ConvResults {
  // before_relu: the input gradient before a ReLU whose output the input is.
  std::vector<float> output, input_gradient, before_relu, weights_gradient, bias_gradient;
  bool nothing_overrun = true;

  bool operator==(const ConvResults& other) const {
    return same_bits(output, other.output) && same_bits(input_gradient, other.input_gradient) &&
           same_bits(before_relu, other.before_relu) &&
           same_bits(weights_gradient, other.weights_gradient) &&
           same_bits(bias_gradient, other.bias_gradient);
  }
};

// Values behind every result that must stay untouched.
inline constexpr Index kGuard = 1024;

// Passes that the algorithm does not support stay empty.
inline ConvResults run_conv2d(const ConvAlgorithm& algorithm, const ConvOperands& operands,
                              bool relu) {
  const ConvShape& s = operands.shape;
  ConvResults results;
  if (algorithm.supports(s, ConvPass::forward)) {
    Scratch prepared(algorithm.prepared_bytes(s, ConvPass::forward));
    Scratch workspace(algorithm.workspace_bytes(s, ConvPass::forward, thread_count()));
    results.output = poisoned(s.output_size() + kGuard);
    algorithm.prepare(s, ConvPass::forward, operands.weights.data(), prepared.data());
    algorithm.forward(s, operands.input.data(), prepared.data(),
                      {.bias = operands.bias.data(), .relu = relu}, results.output.data(),
                      workspace.data());
    results.nothing_overrun =
        cut_guard(results.output, kGuard) && prepared.intact() && workspace.intact();
  }
  if (algorithm.supports(s, ConvPass::backward_data)) {
    Scratch prepared(algorithm.prepared_bytes(s, ConvPass::backward_data));
    Scratch workspace(algorithm.workspace_bytes(s, ConvPass::backward_data, thread_count()));
    results.input_gradient = poisoned(s.input_size() + kGuard);
    algorithm.prepare(s, ConvPass::backward_data, operands.weights.data(), prepared.data());
    results.before_relu = results.input_gradient;
    const auto run = [&](const float* relu_output, std::vector<float>& gradient) {
      algorithm.backward_data(s, {operands.output_gradient.data()}, prepared.data(), relu_output,
                              gradient.data(), workspace.data());
      results.nothing_overrun = cut_guard(gradient, kGuard) && results.nothing_overrun &&
                                prepared.intact() && workspace.intact();
    };
    run(nullptr, results.input_gradient);
    run(operands.input.data(), results.before_relu);
  }
  if (algorithm.supports(s, ConvPass::backward_weights)) {
    Scratch workspace(algorithm.workspace_bytes(s, ConvPass::backward_weights, thread_count()));
    results.weights_gradient = poisoned(s.weights_size() + kGuard);
    results.bias_gradient = poisoned(s.out_channels + kGuard);
    algorithm.backward_weights(s, operands.input.data(), {operands.output_gradient.data()},
                               results.weights_gradient.data(), results.bias_gradient.data(),
                               workspace.data());
    const bool gradients = cut_guard(results.weights_gradient, kGuard);
    results.nothing_overrun = cut_guard(results.bias_gradient, kGuard) && gradients &&
                              results.nothing_overrun && workspace.intact();
  }
  return results;
}

}  // namespace ferplus::test
