// Networks with the operands of their products rounded to bfloat16.
#include <cmath>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include <ferplus/core/buffer.h>
#include <ferplus/core/error.h>
#include <ferplus/core/parallel.h>
#include <ferplus/core/random.h>
#include <ferplus/kernels/cpu.h>
#include <ferplus/kernels/gemm.h>
#include <ferplus/nn/layers.h>
#include <ferplus/nn/models.h>
#include <ferplus/nn/session.h>

#include "nn/layer_runner.h"

namespace ferplus {
namespace {

constexpr Index kBatch = 9;

double relative_rms(std::span<const float> actual, std::span<const float> expected) {
  double error = 0, size = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    error += std::pow(static_cast<double>(actual[i]) - static_cast<double>(expected[i]), 2);
    size += std::pow(static_cast<double>(expected[i]), 2);
  }
  return std::sqrt(error / size);
}

class PrecisionTest : public testing::Test {
 protected:
  PrecisionTest() : network_(build_model("vgg13")), parameters_(network_) {
    initialize(network_, parameters_, Initialization::he_normal, 3);
  }

  std::vector<float> logits(Precision precision) {
    const PreparedModel prepared(network_, parameters_, precision);
    Session session(prepared, kBatch);
    fill_input(session);
    const ConstTensorView result = session.forward(kBatch, prepared);
    return {result.data, result.data + result.elements()};
  }

  Network network_;
  Parameters parameters_;

 private:
  static void fill_input(Session& session) {
    const TensorView input = session.input(kBatch);
    std::vector<float> values(static_cast<std::size_t>(input.elements()));
    fill_uniform(values, -2, 2, 4);
    std::copy(values.begin(), values.end(), input.data);
  }
};

TEST_F(PrecisionTest, RoundedLogitsAreNearThoseOfFloatAndNotThem) {
  const double error = relative_rms(logits(Precision::bf16), logits(Precision::fp32));
  EXPECT_GT(error, 1e-4);
  EXPECT_LT(error, 4e-2);
}

// One layer: through several, a rounding that turns a ReLU over changes gradients by more.
TEST(PrecisionOfConv2d, EveryPassIsNearThatOfFloatAndNotIt) {
  const Shape shape{kBatch, 12, 16, 64};
  LayerRunner exact(make_conv2d({.filters = 32}), shape, Phase::training);
  LayerRunner rounded(make_conv2d({.filters = 32})->with_precision(Precision::bf16), shape,
                      Phase::training);
  const auto expect_near = [](std::span<const float> actual, std::span<const float> expected) {
    EXPECT_GT(relative_rms(actual, expected), 1e-4);
    EXPECT_LT(relative_rms(actual, expected), 2e-2);
  };
  expect_near(rounded.forward(), exact.forward());
  std::vector<float> gradient(exact.forward().size());
  fill_uniform(gradient, -1, 1, 9);
  exact.backward(gradient);
  rounded.backward(gradient);
  expect_near(rounded.input_gradient(), exact.input_gradient());
  expect_near(rounded.gradient(0), exact.gradient(0));
}

TEST_F(PrecisionTest, AModelRunsInASessionOfItsPrecisionOnly) {
  const PreparedModel prepared(network_, parameters_, Precision::bf16);
  Session session(network_, 1, Phase::inference);
  EXPECT_THROW(session.forward(1, prepared), Error);
}

TEST_F(PrecisionTest, NamesItsPrecisions) {
  EXPECT_EQ(precision_from_name("bf16"), Precision::bf16);
  EXPECT_EQ(precision_from_name("fp32"), Precision::fp32);
  EXPECT_THROW(precision_from_name("fp16"), UsageError);
}

// Operands that bfloat16 holds exactly: products and sums are exact in float, on every ISA.
TEST(PrecisionOfGemm, IsExactWhereTheOperandsAre) {
  const std::string isa_before(isa_name());
  for (std::string_view isa : supported_isas()) {
    set_isa(isa);
    constexpr Index kRows = 19, kColumns = 37, kDepth = 288;
    ASSERT_TRUE(takes_bf16(kDepth));
    RandomSequence random({.seed = 8, .stream = Stream::synth});
    const auto small_numbers = [&](Index count) {
      std::vector<float> values(static_cast<std::size_t>(count));
      for (float& v : values) v = static_cast<float>(random.below(31)) - 15;
      return values;
    };
    const auto a = small_numbers(kRows * kDepth), b = small_numbers(kDepth * kColumns);
    Buffer<std::byte> packed(packed_bytes(kDepth, kColumns, Precision::bf16));
    Buffer<std::byte> workspace(gemm_workspace_bytes(thread_count()));
    std::vector<float> c(kRows * kColumns);
    pack_bf16(kDepth, kColumns, b.data(), kColumns, packed.data());
    gemm(kRows, kColumns, kDepth, a.data(), kDepth, packed.data(), c.data(), kColumns,
         workspace.data(), {.precision = Precision::bf16});
    for (Index i = 0; i < kRows; ++i) {
      for (Index j = 0; j < kColumns; ++j) {
        float sum = 0;
        for (Index d = 0; d < kDepth; ++d) {
          sum += a[static_cast<std::size_t>(i * kDepth + d)] *
                 b[static_cast<std::size_t>(d * kColumns + j)];
        }
        ASSERT_EQ(c[static_cast<std::size_t>(i * kColumns + j)], sum)
            << isa << ", row " << i << ", column " << j;
      }
    }
  }
  set_isa(isa_before);
}

}  // namespace
}  // namespace ferplus
