// Pooling within a convolution against the convolution and pooling one after the other.
#include <algorithm>

#include <gtest/gtest.h>

#include "kernels/conv2d_runner.h"

namespace ferplus {
namespace {

using test::ConvOperands;

ConvShape shape_of(Index batch, Index height, Index width, Index in, Index out, Index pad) {
  return {.batch = batch,
          .height = height,
          .width = width,
          .in_channels = in,
          .out_channels = out,
          .pad_top = pad,
          .pad_left = pad,
          .out_height = height + 2 * pad - 2,
          .out_width = width + 2 * pad - 2};
}

// With sizes that are multiples of both tiles, of one, and of none.
std::vector<ConvShape> shapes() {
  return {shape_of(3, 8, 8, 16, 32, 1),  shape_of(9, 6, 10, 32, 16, 1),
          shape_of(1, 2, 2, 16, 16, 1),  shape_of(2, 14, 4, 48, 64, 1),
          shape_of(5, 10, 8, 16, 48, 0), shape_of(17, 12, 22, 16, 16, 2)};
}

struct Pooled {
  std::vector<float> output, gradient;  // gradient: spread over the places, of a pooled one
};

// The definition, with the first of equals.
Pooled pool(const ConvShape& s, const std::vector<float>& values,
            const std::vector<float>& pooled_gradient) {
  Pooled result{{}, std::vector<float>(values.size(), 0.0f)};
  for (Index n = 0; n < s.batch; ++n) {
    for (Index y = 0; y < s.out_height; y += 2) {
      for (Index x = 0; x < s.out_width; x += 2) {
        for (Index c = 0; c < s.out_channels; ++c) {
          const auto at = [&](Index i, Index j) {
            return static_cast<std::size_t>(
                ((n * s.out_height + y + i) * s.out_width + x + j) * s.out_channels + c);
          };
          std::size_t best = at(0, 0);
          for (std::size_t other : {at(0, 1), at(1, 0), at(1, 1)}) {
            if (values[other] > values[best]) best = other;
          }
          result.gradient[best] = pooled_gradient[result.output.size()];
          result.output.push_back(values[best]);
        }
      }
    }
  }
  return result;
}

TEST(Conv2dPool, EqualsPoolingAfterwardsBitForBit) {
  const test::RestoreIsa restore;
  int checked = 0;
  for (std::string_view isa : supported_isas()) {
    set_isa(isa);
    for (const ConvAlgorithm& algorithm : conv_algorithms()) {
      for (const ConvShape& s : shapes()) {
        if (!algorithm.can_pool(s) || !algorithm.supports(s, ConvPass::backward_data)) continue;
        SCOPED_TRACE(::testing::Message()
                     << algorithm.name << " on " << isa << ", " << ::testing::PrintToString(s));
        ++checked;
        ConvOperands operands(s, 5);
        std::fill(operands.bias.begin(), operands.bias.end(), 0.0f);
        // Equal values side by side: the first wins.
        std::fill_n(operands.input.begin(), operands.input.size() / 3, 0.0f);
        const auto unpooled = test::run_conv2d(algorithm, operands, false);
        const auto gradient = test::normal_values(s.output_size() / 4, 99);
        const Pooled expected = pool(s, unpooled.output, gradient);
        operands.output_gradient = expected.gradient;
        const auto expected_gradients = test::run_conv2d(algorithm, operands, false);

        test::Scratch places(algorithm.places_bytes(s));
        test::Scratch prepared(algorithm.prepared_bytes(s, ConvPass::forward));
        test::Scratch workspace(algorithm.workspace_bytes(s, ConvPass::forward, thread_count()));
        algorithm.prepare(s, ConvPass::forward, operands.weights.data(), prepared.data());
        auto output = test::poisoned(s.output_size() / 4 + test::kGuard);
        const auto forward = [&](const ConvTail& tail) {
          algorithm.forward(s, operands.input.data(), prepared.data(), tail, output.data(),
                            workspace.data());
        };
        forward({.pool = true, .places = places.data()});
        EXPECT_TRUE(test::cut_guard(output, test::kGuard));
        EXPECT_TRUE(test::same_bits(output, expected.output));

        test::Scratch back_prepared(algorithm.prepared_bytes(s, ConvPass::backward_data));
        test::Scratch back_workspace(
            std::max(algorithm.workspace_bytes(s, ConvPass::backward_data, thread_count()),
                     algorithm.workspace_bytes(s, ConvPass::backward_weights, thread_count())));
        algorithm.prepare(s, ConvPass::backward_data, operands.weights.data(),
                          back_prepared.data());
        const ConvGradient pooled_gradient{gradient.data(), places.data()};
        auto input_gradient = test::poisoned(s.input_size());
        algorithm.backward_data(s, pooled_gradient, back_prepared.data(), nullptr,
                                input_gradient.data(), back_workspace.data());
        EXPECT_TRUE(test::same_bits(input_gradient, expected_gradients.input_gradient));
        auto weights_gradient = test::poisoned(s.weights_size());
        auto bias_gradient = test::poisoned(s.out_channels);
        algorithm.backward_weights(s, operands.input.data(), pooled_gradient,
                                   weights_gradient.data(), bias_gradient.data(),
                                   back_workspace.data());
        EXPECT_TRUE(test::same_bits(weights_gradient, expected_gradients.weights_gradient));
        EXPECT_TRUE(test::same_bits(bias_gradient, expected_gradients.bias_gradient));
        EXPECT_TRUE(places.intact() && workspace.intact() && back_workspace.intact());

        // With ReLU and bias, and without places.
        for (float& value : operands.bias) value = -0.5f;
        std::vector<float> with_tail = expected.output;
        for (float& value : with_tail) value = std::max(value - 0.5f, 0.0f);
        forward({.bias = operands.bias.data(), .relu = true, .pool = true});
        EXPECT_TRUE(test::same_bits(output, with_tail));
      }
    }
  }
  EXPECT_GT(checked, 0);
}

}  // namespace
}  // namespace ferplus
