// Hand-made values of single layers, and what they refuse. Gradients are in gradient_test.cpp.
#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/nn/layers.h>

#include "nn/layer_runner.h"

namespace ferplus {
namespace {

using testing::ElementsAre;

void set(std::span<float> to, std::initializer_list<float> values) {
  ASSERT_EQ(to.size(), values.size());
  std::ranges::copy(values, to.data());
}

TEST(Conv2dTest, IsACrossCorrelationWithSamePadding) {
  LayerRunner runner(make_conv2d({.filters = 1}), {1, 2, 3, 1}, Phase::inference);
  set(runner.input(), {1, 2, 3, 4, 5, 6});
  set(runner.parameter(0), {1, 2, 3, 4, 5, 6, 7, 8, 9});
  set(runner.parameter(1), {100});
  // (0, 0): centre 5·1 + right 6·2 + below 8·4 + below right 9·5; and so on.
  EXPECT_THAT(runner.forward(), ElementsAre(194, 254, 206, 158, 191, 158));
}

TEST(Conv2dTest, PadsTheSmallerHalfBefore) {
  // A 2x2 kernel that picks its first tap has nothing to pad before, and one that picks its last
  // tap sees the padding after.
  LayerRunner runner(make_conv2d({.filters = 1, .kernel = 2, .bias = false}), {1, 2, 2, 1},
                     Phase::inference);
  set(runner.input(), {1, 2, 3, 4});
  set(runner.parameter(0), {1, 0, 0, 0});
  EXPECT_THAT(runner.forward(), ElementsAre(1, 2, 3, 4));
  set(runner.parameter(0), {0, 0, 0, 1});
  EXPECT_THAT(runner.forward(), ElementsAre(4, 0, 0, 0));
}

TEST(Conv2dTest, StrideRoundsTheSizeUp) {
  const auto layer = make_conv2d({.filters = 5, .stride = 2});
  EXPECT_EQ(layer->plan({2, 7, 8, 3}, Phase::inference).output, Shape({2, 4, 4, 5}));
  EXPECT_EQ(make_conv2d({.filters = 5, .stride = 3})->plan({2, 7, 9, 3}, Phase::inference).output,
            Shape({2, 3, 3, 5}));
}

TEST(MaxPoolTest, FirstOfEqualsGetsTheGradient) {
  LayerRunner runner(make_max_pool({}), {1, 2, 4, 1}, Phase::training);
  set(runner.input(), {3, 3, 1, 2, 3, 3, 5, 5});
  EXPECT_THAT(runner.forward(), ElementsAre(3, 5));
  runner.backward(std::vector<float>{10, 20});
  EXPECT_THAT(runner.input_gradient(), ElementsAre(10, 0, 0, 0, 0, 0, 20, 0));
}

TEST(MaxPoolTest, OverlappingWindowsAddTheirGradients) {
  LayerRunner runner(make_max_pool({.size = 2, .stride = 1}), {1, 2, 3, 1}, Phase::training);
  set(runner.input(), {-5, -1, -4, -3, -6, -2});
  EXPECT_THAT(runner.forward(), ElementsAre(-1, -1));
  runner.backward(std::vector<float>{1, 2});
  EXPECT_THAT(runner.input_gradient(), ElementsAre(0, 3, 0, 0, 0, 0));
}

TEST(Conv2dTest, PaddingMayBeGiven) {
  LayerRunner runner(
      make_conv2d({.filters = 1, .kernel = 2, .bias = false, .padding = Padding{1, 0, 0, 1}}),
      {1, 2, 2, 1}, Phase::inference);
  set(runner.input(), {1, 2, 3, 4});
  set(runner.parameter(0), {1, 10, 100, 1000});
  EXPECT_THAT(runner.forward(), ElementsAre(2100, 200, 4321, 402));
  EXPECT_EQ(make_conv2d({.filters = 5, .stride = 2, .padding = Padding{}})
                ->plan({2, 7, 8, 3}, Phase::inference)
                .output,
            Shape({2, 3, 3, 5}));
}

TEST(MaxPoolTest, PaddingIsNeverTheLargest) {
  LayerRunner runner(make_max_pool({.padding = {1, 0, 0, 1}}), {1, 3, 3, 1}, Phase::inference);
  set(runner.input(), {-1, -2, -3, -4, -5, -6, -7, -8, -9});
  EXPECT_THAT(runner.forward(), ElementsAre(-1, -3, -4, -6));
}

TEST(AveragePoolTest, PaddingCountsIfAskedTo) {
  const auto forward = [](bool count_padding) {
    LayerRunner runner(make_average_pool({.padding = {1, 0, 0, 1}, .count_padding = count_padding}),
                       {1, 3, 3, 1}, Phase::inference);
    set(runner.input(), {1, 2, 3, 4, 5, 6, 7, 8, 9});
    const auto output = runner.forward();
    return std::vector<float>(output.begin(), output.end());
  };
  EXPECT_THAT(forward(false), ElementsAre(1.5f, 3, 6, 7.5f));
  EXPECT_THAT(forward(true), ElementsAre(0.75f, 0.75f, 6, 3.75f));
}

TEST(DenseTest, MultipliesRowsByColumns) {
  LayerRunner runner(make_dense({.units = 2}), {2, 3}, Phase::inference);
  set(runner.input(), {1, 2, 3, 4, 5, 6});
  set(runner.parameter(0), {1, 10, 2, 20, 3, 30});
  set(runner.parameter(1), {0.5f, -1});
  EXPECT_THAT(runner.forward(), ElementsAre(14.5f, 139, 32.5f, 319));
}

TEST(ReluTest, PassesGradientWhereItPassedValues) {
  LayerRunner runner(make_relu(), {1, 4}, Phase::training);
  set(runner.input(), {-1, 0, 2, 3});
  EXPECT_THAT(runner.forward(), ElementsAre(0, 0, 2, 3));
  runner.backward(std::vector<float>{5, 6, 7, 8});
  EXPECT_THAT(runner.input_gradient(), ElementsAre(0, 0, 7, 8));
}

TEST(ReluTest, DoesNotHideNotANumber) {
  LayerRunner runner(make_relu(), {1, 19}, Phase::inference);
  for (float& value : runner.input()) value = std::nanf("");
  for (float value : runner.forward()) EXPECT_TRUE(std::isnan(value));
}

// Against the definition, in double: three steps of running statistics, and inference with them.
TEST(BatchNormTest, RunningStatisticsFollowTheDefinition) {
  constexpr std::size_t kChannels = 3, kRows = 4 * 3 * 5;
  const double momentum = 0.2, epsilon = 0.01;
  const auto make = [&] { return make_batch_norm({.momentum = momentum, .epsilon = epsilon}); };
  const Shape shape{4, 3, 5, kChannels};
  LayerRunner training(make(), shape, Phase::training);
  std::vector<double> running_mean(kChannels, 0), running_var(kChannels, 1);
  for (std::uint64_t step = 0; step < 3; ++step) {
    fill_uniform(training.input(), -1 + static_cast<double>(step), 4, 50 + step);
    const std::span<const float> output = training.forward();
    for (std::size_t c = 0; c < kChannels; ++c) {
      double mean = 0, squares = 0;
      for (std::size_t row = 0; row < kRows; ++row) {
        mean += static_cast<double>(training.input()[row * kChannels + c]) / kRows;
      }
      for (std::size_t row = 0; row < kRows; ++row) {
        const double x = static_cast<double>(training.input()[row * kChannels + c]);
        squares += (x - mean) * (x - mean);
      }
      running_mean[c] += momentum * (mean - running_mean[c]);
      running_var[c] += momentum * (squares / (kRows - 1) - running_var[c]);
      EXPECT_NEAR(training.state(0)[c], running_mean[c], 1e-6);
      EXPECT_NEAR(training.state(1)[c], running_var[c], 2e-6);
      for (std::size_t row = 0; row < kRows; ++row) {
        const double x = static_cast<double>(training.input()[row * kChannels + c]);
        const double y = (x - mean) / std::sqrt(squares / kRows + epsilon) *
                             static_cast<double>(training.parameter(0)[c]) +
                         static_cast<double>(training.parameter(1)[c]);
        ASSERT_NEAR(output[row * kChannels + c], y, 2e-6);
      }
    }
  }
  LayerRunner inference(make(), shape, Phase::inference);
  for (std::size_t i = 0; i < 2; ++i) {
    std::ranges::copy(training.state(i), inference.state(i).data());
    std::ranges::copy(training.parameter(i), inference.parameter(i).data());
  }
  const std::span<const float> output = inference.forward();
  for (std::size_t i = 0; i < output.size(); ++i) {
    const std::size_t c = i % kChannels;
    const double y = (static_cast<double>(inference.input()[i]) - running_mean[c]) /
                         std::sqrt(running_var[c] + epsilon) *
                         static_cast<double>(inference.parameter(0)[c]) +
                     static_cast<double>(inference.parameter(1)[c]);
    ASSERT_NEAR(output[i], y, 3e-6);
  }
  EXPECT_TRUE(std::ranges::equal(inference.state(0), training.state(0)));
}

TEST(LayersTest, RefuseShapesAndOptionsTheyCannotTake) {
  EXPECT_THROW(make_conv2d({})->plan({4, 10}, Phase::inference), Error);
  EXPECT_THROW(make_max_pool({})->plan({4, 1, 8, 2}, Phase::inference), Error);
  EXPECT_THROW(make_max_pool({})->plan({4, 10}, Phase::inference), Error);
  EXPECT_THROW(make_batch_norm({})->plan({4}, Phase::inference), Error);
  EXPECT_THROW(make_conv2d({.filters = 0}), UsageError);
  EXPECT_THROW(make_conv2d({.filters = 1, .kernel = 0}), UsageError);
  EXPECT_THROW(make_conv2d({.filters = 1, .stride = 0}), UsageError);
  EXPECT_THROW(make_max_pool({.size = 16}), UsageError);
  EXPECT_THROW(make_max_pool({.size = 2, .stride = 0}), UsageError);
  EXPECT_THROW(make_conv2d({.kernel = 3, .padding = Padding{.left = 3}}), UsageError);
  EXPECT_THROW(make_conv2d({.kernel = 3, .padding = Padding{.bottom = -1}}), UsageError);
  EXPECT_THROW(
      make_conv2d({.kernel = 5, .padding = Padding{}})->plan({1, 4, 9, 1}, Phase::inference),
      Error);
  EXPECT_THROW(make_max_pool({.padding = {.right = 2}}), UsageError);
  EXPECT_THROW(make_average_pool({.height = 0}), UsageError);
  EXPECT_THROW(make_average_pool({.padding = {.top = 2}}), UsageError);
  EXPECT_THROW(make_average_pool({.height = 9})->plan({1, 8, 8, 1}, Phase::inference), Error);
  EXPECT_THROW(make_average_pool({})->plan({4, 10}, Phase::inference), Error);
  EXPECT_THROW(make_dense({.units = 0}), UsageError);
  EXPECT_THROW(make_batch_norm({.momentum = 0}), UsageError);
  EXPECT_THROW(make_batch_norm({.momentum = 0.1, .epsilon = 0}), UsageError);
}

TEST(LayersTest, OptionsMakeTheSameLayer) {
  const std::vector<LayerOptions> all = {
      Conv2dOptions{
          .filters = 3, .kernel = 5, .stride = 2, .bias = false, .padding = Padding{1, 2, 3, 4}},
      MaxPoolOptions{},
      MaxPoolOptions{.size = 3, .relu = true, .padding = {1, 0, 2, 1}},
      AveragePoolOptions{.height = 3, .count_padding = true},
      DenseOptions{.units = 7, .bias = false},
      ReluOptions{},
      DropoutOptions{.rate = 0.3, .stream = 2},
      BatchNormOptions{.momentum = 0.2, .epsilon = 0.5, .initial_weight = 2}};
  for (const LayerOptions& options : all) EXPECT_EQ(make_layer(options)->options(), options);
}

}  // namespace
}  // namespace ferplus
