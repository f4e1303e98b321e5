// Every layer's backward against central differences of its forward: the derivative of a random
// linear functional L = Σ r·y, summed in double, by every input and every parameter.
#include <algorithm>
#include <cmath>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <ferplus/nn/layers.h>

#include "nn/layer_runner.h"
#include "nn/threads.h"

namespace ferplus {
namespace {

// Distinct values in random order, `gap` apart: no window of a max-pool has a near tie.
void fill_distinct(std::span<float> values, double gap) {
  RandomSequence random({.seed = 9, .stream = Stream::synth});
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] =
        static_cast<float>(gap * (static_cast<double>(i) - static_cast<double>(values.size()) / 2));
  }
  for (std::size_t left = values.size(); left > 1; --left) {
    std::swap(values[left - 1], values[random.below(static_cast<std::uint32_t>(left))]);
  }
}

// No value within 0.2 of relu's kink.
void keep_off_zero(std::span<float> values) {
  for (float& value : values) value += value < 0 ? -0.2f : 0.2f;
}

struct Case {
  std::string name;
  std::function<std::unique_ptr<Layer>()> make;
  Shape input;
  // Half the distance of the differences, and the largest error allowed relative to the root mean
  // square of the gradient. Most layers are linear in each value: a wide step costs no accuracy.
  double step = 0.125;
  double tolerance = 3e-5;
  std::function<void(std::span<float>)> arrange{};
};

void PrintTo(const Case& test_case, std::ostream* out) { *out << test_case.name; }

std::vector<Case> cases() {
  const auto conv = [](Conv2dOptions options) {
    return [options] { return make_conv2d(options); };
  };
  const auto pool = [](MaxPoolOptions options) {
    return [options] { return make_max_pool(options); };
  };
  const auto average = [](AveragePoolOptions options) {
    return [options] { return make_average_pool(options); };
  };
  const auto dense = [](Index units) { return [units] { return make_dense({.units = units}); }; };
  const auto dropout = [](double rate) {
    return [rate] { return make_dropout({.rate = rate, .stream = 3}); };
  };
  const auto norm = [] { return make_batch_norm({}); };
  const auto distinct = [](std::span<float> values) { fill_distinct(values, 0.0625); };
  return {
      {"conv_3x3", conv({.filters = 5}), {2, 6, 7, 3}},
      {"conv_first_layer", conv({.filters = 4}), {3, 9, 8, 1}},
      {"conv_no_bias", conv({.filters = 4, .bias = false}), {2, 5, 5, 4}},
      {"conv_1x1", conv({.filters = 3, .kernel = 1}), {2, 4, 3, 6}},
      {"conv_5x5", conv({.filters = 2, .kernel = 5}), {1, 6, 5, 2}},
      {"conv_even_kernel", conv({.filters = 3, .kernel = 2}), {2, 5, 4, 2}},
      {"conv_4x4_stride_3", conv({.filters = 3, .kernel = 4, .stride = 3}), {2, 8, 7, 2}},
      {"conv_stride_2_even_side", conv({.filters = 3, .stride = 2}), {2, 6, 8, 2}},
      {"conv_stride_2_odd_side", conv({.filters = 3, .stride = 2}), {2, 7, 5, 2}},
      {"conv_stride_above_kernel", conv({.filters = 2, .kernel = 1, .stride = 2}), {2, 5, 6, 3}},
      {"conv_padded_by_hand",
       conv({.filters = 3, .kernel = 4, .stride = 2, .padding = Padding{3, 0, 1, 2}}),
       {2, 7, 6, 2}},
      {"conv_valid", conv({.filters = 3, .padding = Padding{}}), {2, 6, 5, 2}},
      {"conv_image_below_kernel", conv({.filters = 2, .kernel = 5}), {2, 2, 3, 2}},
      {"conv_two_micro_batches", conv({.filters = 3}), {11, 4, 4, 2}},
      {"conv_many_channels", conv({.filters = 19}), {2, 3, 4, 17}},
      {"max_pool_2x2", pool({}), {2, 6, 4, 3}, 0.015625, 3e-5, distinct},
      {"max_pool_odd_side", pool({}), {2, 7, 5, 2}, 0.015625, 3e-5, distinct},
      {"max_pool_overlapping",
       pool({.size = 3, .stride = 2}),
       {2, 7, 9, 2},
       0.015625,
       3e-5,
       distinct},
      {"max_pool_3x3_stride_1",
       pool({.size = 3, .stride = 1}),
       {2, 5, 6, 2},
       0.015625,
       3e-5,
       distinct},
      {"max_pool_padded",
       pool({.size = 3, .stride = 2, .padding = {2, 1, 1, 2}}),
       {2, 6, 7, 2},
       0.015625,
       3e-5,
       distinct},
      {"max_pool_2x2_padded",
       pool({.padding = {0, 0, 1, 1}}),
       {2, 5, 7, 2},
       0.015625,
       3e-5,
       distinct},
      {"average_pool_2x2", average({}), {2, 6, 5, 3}},
      {"average_pool_overlapping", average({.height = 3, .width = 2, .stride = 1}), {2, 5, 6, 2}},
      {"average_pool_padded",
       average({.height = 3, .width = 3, .padding = {1, 2, 0, 1}}),
       {2, 6, 7, 2}},
      {"average_pool_padding_counts",
       average({.height = 2, .width = 3, .padding = {1, 2, 1, 0}, .count_padding = true}),
       {2, 6, 7, 2}},
      {"average_pool_global", average({.height = 4, .width = 5, .stride = 1}), {3, 4, 5, 3}},
      {"max_pool_gaps", pool({.size = 2, .stride = 3}), {2, 8, 9, 2}, 0.015625, 3e-5, distinct},
      {"max_pool_15x15", pool({.size = 15, .stride = 1}), {1, 16, 17, 1}, 0.015625, 3e-5, distinct},
      {"dense", dense(5), {3, 7}},
      {"dense_after_image", dense(4), {3, 3, 2, 5}},
      {"dense_one_unit", dense(1), {2, 9}},
      {"dense_no_bias", [] { return make_dense({.units = 3, .bias = false}); }, {4, 6}},
      {"dense_two_micro_batches", dense(18), {13, 33}},
      {"relu_image", make_relu, {2, 4, 3, 5}, 0.125, 3e-5, keep_off_zero},
      {"relu_features", make_relu, {5, 11}, 0.125, 3e-5, keep_off_zero},
      {"dropout_half", dropout(0.5), {4, 37}},
      {"dropout_image", dropout(0.25), {3, 5, 3, 4}},
      {"dropout_none", dropout(0), {2, 9}},
      {"batch_norm_image", norm, {3, 4, 5, 6}, 0.03125, 6e-4},
      {"batch_norm_features", norm, {23, 5}, 0.015625, 6e-4},
      {"batch_norm_two_micro_batches", norm, {11, 4, 3, 2}, 0.03125, 6e-4},
      {"batch_norm_many_channels", norm, {2, 5, 5, 67}, 0.03125, 6e-4},
      {"batch_norm_far_from_zero",
       norm,
       {4, 4, 4, 3},
       0.03125,
       6e-4,
       [](std::span<float> values) {
         for (float& value : values) value += 10;
       }},
      {"batch_norm_large_epsilon",
       [] { return make_batch_norm({.momentum = 0.5, .epsilon = 0.5}); },
       {3, 3, 3, 4},
       0.03125,
       6e-4},
  };
}

class Gradient : public testing::TestWithParam<Case> {
 protected:
  // dL/d(value) of every value, by central differences of the step that float32 really takes.
  std::vector<double> differences(LayerRunner& runner, std::span<float> values) {
    std::vector<double> result;
    for (float& value : values) {
      const float original = value;
      value = static_cast<float>(original + GetParam().step);
      const double above = functional(runner), high = value;
      value = static_cast<float>(original - GetParam().step);
      const double below = functional(runner), low = value;
      value = original;
      result.push_back((above - below) / (high - low));
    }
    return result;
  }

  double functional(LayerRunner& runner) {
    const std::span<const float> output = runner.forward();
    double sum = 0;
    for (std::size_t i = 0; i < output.size(); ++i) {
      sum += static_cast<double>(weights_[i]) * static_cast<double>(output[i]);
    }
    return sum;
  }

  void expect_equal(std::span<const float> gradient, const std::vector<double>& expected,
                    const std::string& what) {
    ASSERT_EQ(gradient.size(), expected.size());
    double squares = 0, worst = 0;
    for (double value : expected) squares += value * value;
    const double scale = std::sqrt(squares / static_cast<double>(expected.size()));
    // A gradient of zeros would make any error infinite, and means that the case tests nothing.
    ASSERT_GT(scale, 1e-3) << what;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double error = std::abs(static_cast<double>(gradient[i]) - expected[i]) / scale;
      if (!(error <= worst)) worst = error;
    }
    EXPECT_LE(worst, GetParam().tolerance) << what;
    RecordProperty(what, std::to_string(worst));
  }

  std::vector<float> weights_;  // r
};

TEST_P(Gradient, EqualsCentralDifferences) {
  const Case& c = GetParam();
  LayerRunner runner(c.make(), c.input, Phase::training);
  if (c.arrange) c.arrange(runner.input());
  weights_.resize(count_of(runner.plan().output));
  fill_uniform(weights_, -1, 1, 77);

  runner.forward();
  runner.backward(weights_);
  const std::vector<float> input_gradient(runner.input_gradient().begin(),
                                          runner.input_gradient().end());
  expect_equal(input_gradient, differences(runner, runner.input()), "input");
  for (std::size_t i = 0; i < runner.plan().parameters.size(); ++i) {
    const std::vector<float> gradient(runner.gradient(i).begin(), runner.gradient(i).end());
    expect_equal(gradient, differences(runner, runner.parameter(i)),
                 runner.plan().parameters[i].name);
  }
}

TEST_P(Gradient, FirstLayerGivesTheSameWeightGradients) {
  const Case& c = GetParam();
  LayerRunner runner(c.make(), c.input, Phase::training);
  if (c.arrange) c.arrange(runner.input());
  weights_.resize(count_of(runner.plan().output));
  fill_uniform(weights_, -1, 1, 77);
  runner.forward();
  runner.backward(weights_);
  std::vector<std::vector<float>> expected;
  for (std::size_t i = 0; i < runner.plan().parameters.size(); ++i) {
    expected.emplace_back(runner.gradient(i).begin(), runner.gradient(i).end());
  }
  runner.backward(weights_, /*with_input_gradient=*/false);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_TRUE(std::ranges::equal(runner.gradient(i), expected[i]));
  }
  EXPECT_TRUE(std::ranges::all_of(runner.input_gradient(), [](float v) { return v == 777.0f; }));
}

TEST_P(Gradient, SameBitsForAnyNumberOfThreads) {
  const Case& c = GetParam();
  std::vector<std::vector<float>> expected;
  for (int count : {1, 2, 4}) {
    const Threads threads(count);
    LayerRunner runner(c.make(), c.input, Phase::training);
    std::vector<std::vector<float>> got;
    const auto keep = [&](std::span<const float> values) {
      got.emplace_back(values.begin(), values.end());
    };
    keep(runner.forward());
    weights_.resize(got[0].size());
    fill_uniform(weights_, -1, 1, 77);
    runner.backward(weights_);
    keep(runner.input_gradient());
    for (std::size_t i = 0; i < runner.plan().parameters.size(); ++i) keep(runner.gradient(i));
    for (std::size_t i = 0; i < runner.plan().state.size(); ++i) keep(runner.state(i));
    if (count == 1) expected = got;
    EXPECT_EQ(got, expected) << count << " threads";
  }
}

INSTANTIATE_TEST_SUITE_P(Layers, Gradient, testing::ValuesIn(cases()),
                         [](const auto& parameter) { return parameter.param.name; });

TEST(GradientCases, EveryLayerKindHasOne) {
  std::set<std::string_view> covered;
  for (const Case& c : cases()) covered.insert(c.make()->kind());
  const std::set<std::string_view> kinds(layer_kinds().begin(), layer_kinds().end());
  EXPECT_EQ(covered, kinds);
}

}  // namespace
}  // namespace ferplus
