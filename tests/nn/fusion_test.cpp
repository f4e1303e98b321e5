// A layer with a tail against the same layers one after the other.
#include <cmath>
#include <string>

#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/nn/layers.h>
#include <ferplus/nn/models.h>
#include <ferplus/nn/session.h>

#include "nn/layer_runner.h"

namespace ferplus {
namespace {

struct Case {
  std::string name;
  std::unique_ptr<Layer> (*first)();
  Tail tail;
  Shape input;
};

std::unique_ptr<Layer> conv() { return make_conv2d({.filters = 20}); }
// Whole vectors of channels, which Winograd takes.
std::unique_ptr<Layer> conv_of_channels() { return make_conv2d({.filters = 64}); }
// Padding of one parity above and of another on the left, which tiles of windows cannot have.
std::unique_ptr<Layer> conv_of_odd_padding() {
  return make_conv2d({.filters = 64, .padding = Padding{1, 2, 1, 0}});
}
std::unique_ptr<Layer> norm() { return make_batch_norm({}); }
std::unique_ptr<Layer> relu() { return make_relu(); }

std::vector<Case> cases() {
  const Tail only_relu{.relu = true}, only_pool{.pool = true}, both{.relu = true, .pool = true};
  return {
      {"conv_relu", conv, only_relu, {3, 9, 7, 5}},
      {"conv_relu_winograd", conv, only_relu, {9, 16, 16, 32}},
      {"conv_pool_winograd", conv_of_channels, only_pool, {3, 12, 20, 48}},
      {"conv_relu_pool_winograd", conv_of_channels, both, {9, 16, 16, 32}},
      {"norm_relu", norm, only_relu, {11, 6, 5, 17}},
      {"norm_relu_of_features", norm, only_relu, {20, 33}},
      {"norm_pool", norm, only_pool, {3, 6, 4, 16}},
      {"norm_relu_pool", norm, both, {11, 6, 10, 37}},
      {"relu_pool", relu, only_pool, {3, 7, 5, 19}},
  };
}

class Fusion : public testing::TestWithParam<Case> {};

double relative_rms(std::span<const float> actual, std::span<const float> expected) {
  EXPECT_EQ(actual.size(), expected.size());
  double error = 0, size = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double difference = static_cast<double>(actual[i]) - static_cast<double>(expected[i]);
    error += difference * difference;
    size += static_cast<double>(expected[i]) * static_cast<double>(expected[i]);
  }
  return std::sqrt(error / size);
}

void copy_parameters(LayerRunner& from, LayerRunner& to) {
  for (std::size_t i = 0; i < from.plan().parameters.size(); ++i) {
    std::ranges::copy(from.parameter(i), to.parameter(i).begin());
  }
}

TEST_P(Fusion, EqualsTheLayersOneAfterTheOther) {
  const Case& c = GetParam();
  constexpr double kTolerance = 1e-6;
  for (const Phase phase : {Phase::inference, Phase::training}) {
    auto with_tail = c.first()->with_tail(c.tail, c.input);
    ASSERT_NE(with_tail, nullptr);
    LayerRunner fused(std::move(with_tail), c.input, phase), first(c.first(), c.input, phase);
    copy_parameters(first, fused);
    std::ranges::copy(first.input(), fused.input().begin());
    const auto middle = first.forward();
    const Shape middle_shape = first.plan().output;
    LayerRunner rectified(make_relu(), middle_shape, phase);
    std::ranges::copy(middle, rectified.input().begin());
    auto expected = c.tail.relu ? rectified.forward() : middle;
    std::unique_ptr<LayerRunner> pooled;
    if (c.tail.pool) {
      pooled = std::make_unique<LayerRunner>(make_max_pool({}), middle_shape, phase);
      std::ranges::copy(expected, pooled->input().begin());
      expected = pooled->forward();
    }
    EXPECT_LE(relative_rms(fused.forward(), expected), kTolerance);
    if (phase == Phase::inference) continue;

    std::vector<float> gradient(expected.size());
    fill_uniform(gradient, -1, 1, 77);
    fused.backward(gradient);
    std::span<const float> back = gradient;
    if (pooled) {
      pooled->backward(back);
      back = pooled->input_gradient();
    }
    if (c.tail.relu) {
      rectified.backward(back);
      back = rectified.input_gradient();
    }
    first.backward(back);
    EXPECT_LE(relative_rms(fused.input_gradient(), first.input_gradient()), kTolerance);
    for (std::size_t i = 0; i < first.plan().parameters.size(); ++i) {
      EXPECT_LE(relative_rms(fused.gradient(i), first.gradient(i)), kTolerance)
          << "parameter " << i;
    }
    for (std::size_t i = 0; i < first.plan().state.size(); ++i) {
      EXPECT_LE(relative_rms(fused.state(i), first.state(i)), kTolerance) << "state " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Layers, Fusion, testing::ValuesIn(cases()),
                         [](const auto& test) { return test.param.name; });

TEST(Fusion, RefusesWhatWouldNotBeEqual) {
  EXPECT_EQ(make_batch_norm({})->with_tail({.relu = true, .pool = true}, {1, 5, 4, 3}), nullptr);
  EXPECT_EQ(make_conv2d({})->with_tail({.relu = true, .pool = true}, {1, 4, 4, 3}), nullptr);
  EXPECT_EQ(make_conv2d({.filters = 64})->with_tail({.pool = true}, {1, 15, 16, 64}), nullptr);
  EXPECT_EQ(conv_of_odd_padding()->with_tail({.pool = true}, {1, 16, 16, 64}), nullptr);
  EXPECT_THROW(
      make_conv2d({.filters = 8, .tail = {.pool = true}})->plan({1, 5, 4, 3}, Phase::training),
      Error);
  EXPECT_EQ(make_dense({})->with_tail({.relu = true}, {1, 4}), nullptr);
  EXPECT_FALSE(make_max_pool({.size = 3, .stride = 2})->as_tail());
}

std::vector<std::string> step_names(const Network& network) {
  std::vector<std::string> names;
  for (const Network::Entry& entry : fused_layers(network)) names.push_back(entry.name);
  return names;
}

TEST(Fusion, JoinsTheStepsOfTheModels) {
  const auto plain = step_names(build_model("vgg13"));
  EXPECT_EQ(plain[0], "conv1_1+relu1_1");
  EXPECT_EQ(plain[1], "conv1_2+relu1_2+pool1");
  const auto normed = step_names(build_model("vgg13_bn"));
  EXPECT_EQ(normed[1], "bn1_1+relu1_1");
  EXPECT_EQ(normed[3], "bn1_2+relu1_2+pool1");
}

}  // namespace
}  // namespace ferplus
