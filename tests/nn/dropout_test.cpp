// Dropout: how much it drops, what it multiplies by, and what its mask depends on.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/nn/layers.h>

#include "nn/layer_runner.h"

namespace ferplus {
namespace {

LayerRunner runner_of_ones(double rate, const Shape& shape, Phase phase = Phase::training,
                           unsigned stream = 0) {
  LayerRunner runner(make_dropout({.rate = rate, .stream = stream}), shape, phase);
  std::ranges::fill(runner.input(), 1.0f);
  return runner;
}

std::vector<float> forward(LayerRunner& runner) {
  const std::span<const float> output = runner.forward();
  return {output.begin(), output.end()};
}

TEST(DropoutTest, DropsItsRateAndKeepsTheMean) {
  constexpr Index kValues = 40'000;
  for (double rate : {0.1, 0.25, 0.5, 0.9}) {
    LayerRunner runner = runner_of_ones(rate, {4, kValues / 4});
    const std::vector<float> output = forward(runner);
    const auto kept_value = static_cast<float>(1 / (1 - rate));
    const auto dropped = std::count(output.begin(), output.end(), 0.0f);
    for (float value : output) {
      if (value == 0) continue;
      ASSERT_NEAR(value, kept_value, 3e-4f * kept_value);  // the rate is rounded to 1/65536
    }
    // Five standard deviations of a binomial.
    const double deviation = std::sqrt(rate * (1 - rate) * kValues);
    EXPECT_NEAR(static_cast<double>(dropped), rate * kValues, 5 * deviation) << rate;
  }
}

TEST(DropoutTest, DropsNeighboursIndependently) {
  LayerRunner runner = runner_of_ones(0.5, {4, 10'000});
  const std::vector<float> output = forward(runner);
  for (std::size_t distance : {1u, 2u, 4u, 8u, 10'000u}) {
    int equal = 0;
    const std::size_t pairs = output.size() - distance;
    for (std::size_t i = 0; i < pairs; ++i) equal += output[i] == output[i + distance];
    EXPECT_NEAR(equal, 0.5 * static_cast<double>(pairs),
                5 * std::sqrt(0.25 * static_cast<double>(pairs)))
        << distance;
  }
}

TEST(DropoutTest, MaskIsAFunctionOfItsKey) {
  const Shape shape{3, 200};
  LayerRunner runner = runner_of_ones(0.5, shape);
  const std::vector<float> mask = forward(runner);
  EXPECT_EQ(forward(runner), mask);
  EXPECT_FALSE(std::equal(mask.begin(), mask.begin() + 200, mask.begin() + 200))
      << "two images have one mask";

  runner.draws().epoch = 3;
  EXPECT_NE(forward(runner), mask) << "epoch";
  runner.draws().epoch = 2;
  runner.draws().seed = 6;
  EXPECT_NE(forward(runner), mask) << "seed";
  runner.draws().seed = 5;
  EXPECT_EQ(forward(runner), mask);
  LayerRunner other = runner_of_ones(0.5, shape, Phase::training, 1);
  EXPECT_NE(forward(other), mask) << "stream";

  // The image carries its mask with it, wherever it stands in the batch.
  std::swap(runner.samples()[0], runner.samples()[2]);
  const std::vector<float> swapped = forward(runner);
  EXPECT_TRUE(std::equal(mask.begin(), mask.begin() + 200, swapped.begin() + 400));
  EXPECT_TRUE(std::equal(mask.begin() + 200, mask.begin() + 400, swapped.begin() + 200));
}

TEST(DropoutTest, BackwardUsesTheMaskOfForward) {
  LayerRunner runner = runner_of_ones(0.3, {5, 123});
  const std::vector<float> mask = forward(runner);
  runner.backward(std::vector<float>(mask.size(), 1.0f));
  EXPECT_TRUE(std::ranges::equal(runner.input_gradient(), mask));
}

TEST(DropoutTest, IsTheIdentityAtInferenceAndAtRateZero) {
  LayerRunner inference = runner_of_ones(0.5, {2, 50}, Phase::inference);
  LayerRunner undropped = runner_of_ones(0, {2, 50}, Phase::training);
  for (LayerRunner* runner : {&inference, &undropped}) {
    fill_uniform(runner->input(), -1, 1, 3);
    EXPECT_TRUE(std::ranges::equal(runner->forward(), runner->input()));
  }
}

TEST(DropoutTest, RefusesImpossibleRates) {
  for (double rate : {-0.1, 1.0, 1.5, 0.9999999, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THROW(make_dropout({.rate = rate}), UsageError) << rate;
  }
}

}  // namespace
}  // namespace ferplus
