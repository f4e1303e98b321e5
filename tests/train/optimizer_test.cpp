// The update rules against scalars worked out in double.
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <ferplus/nn/layers.h>
#include <ferplus/train/optimizer.h>

#include "nn/threads.h"

namespace ferplus {
namespace {

// A weight that decays, a bias that does not, and batch-norm, whose weight does not either.
Network network() {
  Network result("test", {1, 3});
  result.add("fc", make_dense({.units = 2}));
  result.add("bn", make_batch_norm({}));
  return result;
}

struct Scalar {
  double w, v = 0;
  void step(const SgdOptions& o, double gradient, double rate, double images, bool decays) {
    const double mu = std::pow(o.momentum, images / static_cast<double>(o.batch));
    const double s = o.unit_gain ? 1 - mu : 1;
    const double g = gradient + (decays ? o.weight_decay * w : 0);
    v = mu * v + s * g;
    w -= rate * (o.nesterov ? s * g + mu * v : v);
  }
};

class SgdTest : public testing::TestWithParam<SgdOptions> {};

TEST_P(SgdTest, FollowsItsFormulas) {
  const Network net = network();
  Parameters parameters(net), gradients(net);
  Sgd sgd(net, GetParam());
  std::vector<Scalar> expected;
  for (std::size_t i = 0; i < parameters.values().size(); ++i) {
    parameters.values()[i] = 0.5f + 0.125f * static_cast<float>(i);
    expected.push_back({.w = static_cast<double>(parameters.values()[i])});
  }
  const auto batch = static_cast<double>(GetParam().batch);
  int step = 0;
  for (double images : {batch, batch, 5.0, batch, 1.0}) {
    const double rate = 0.1 / ++step;
    for (const Network::Array& array : net.parameters()) {
      const bool decays = array.spec.name == "fc.weight";
      for (std::size_t i = 0; i < static_cast<std::size_t>(array.spec.shape.elements()); ++i) {
        const float g = std::sin(static_cast<float>(step) + static_cast<float>(i));
        gradients.values()[array.offset + i] = g;
        expected[array.offset + i].step(GetParam(), static_cast<double>(g), rate, images, decays);
      }
    }
    sgd.step(parameters, gradients, rate, static_cast<Index>(images), nullptr, 0);
  }
  for (const Network::Array& array : net.parameters()) {
    for (std::size_t i = 0; i < static_cast<std::size_t>(array.spec.shape.elements()); ++i) {
      const Scalar& wanted = expected[array.offset + i];
      EXPECT_NEAR(parameters.values()[array.offset + i], wanted.w, 1e-6) << array.spec.name;
      EXPECT_NEAR(sgd.velocity().values()[array.offset + i], wanted.v, 1e-6) << array.spec.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Rules, SgdTest,
    testing::Values(SgdOptions{.momentum = 0.9, .unit_gain = true},
                    SgdOptions{.momentum = 0.9, .unit_gain = false},
                    SgdOptions{.momentum = 0.9, .unit_gain = true, .nesterov = true},
                    SgdOptions{.momentum = 0.9, .unit_gain = false, .nesterov = true},
                    SgdOptions{.momentum = 0.9, .unit_gain = false, .weight_decay = 0.1},
                    SgdOptions{
                        .momentum = 0.8, .nesterov = true, .weight_decay = 0.05, .batch = 64},
                    SgdOptions{.momentum = 0, .unit_gain = true}));

TEST(SgdTest, PaperStepByHand) {
  const Network net = network();
  Parameters parameters(net), gradients(net);
  Sgd sgd(net, {});
  parameters.values()[0] = 1;
  gradients.values()[0] = 2;
  sgd.step(parameters, gradients, 0.05, 32, nullptr, 0);  // v = 0.2
  EXPECT_FLOAT_EQ(parameters.values()[0], 0.99f);
  sgd.step(parameters, gradients, 0.05, 32, nullptr, 0);  // v = 0.18 + 0.2
  EXPECT_FLOAT_EQ(parameters.values()[0], 0.971f);
  gradients.values()[0] = 0;
  sgd.step(parameters, gradients, 0.05, 16, nullptr, 0);  // v = 0.9^(1/2) 0.38
  EXPECT_FLOAT_EQ(parameters.values()[0], 0.971f - 0.05f * 0.9486833f * 0.38f);
}

TEST(SgdTest, SameBitsForAnyNumberOfThreads) {
  Network net("large", {1, 300});
  net.add("fc", make_dense({.units = 500}));
  std::vector<float> expected;
  for (int count : {1, 2, 4}) {
    const Threads threads(count);
    Parameters parameters(net), gradients(net);
    initialize(net, parameters, Initialization::he_normal, 1);
    initialize(net, gradients, Initialization::he_normal, 2);
    Sgd sgd(net, {.momentum = 0.9, .nesterov = true, .weight_decay = 0.01});
    WeightAverage average(net, 0.9);
    for (int step = 0; step < 3; ++step) {
      sgd.step(parameters, gradients, 0.1, 32, &average, step);
    }
    std::vector<float> got(parameters.values().begin(), parameters.values().end());
    got.insert(got.end(), average.average().values().begin(), average.average().values().end());
    if (count == 1) expected = got;
    EXPECT_EQ(got, expected) << count;
  }
}

TEST(WeightAverageTest, StartsAtTheFirstValueAndFollows) {
  const Network net = network();
  Parameters parameters(net);
  const Parameters gradients(net);
  Sgd sgd(net, {});
  WeightAverage average(net, 0.5);
  double expected = 0, expected_state = 0;
  for (int step = 0; step < 40; ++step) {
    parameters.values()[1] = std::cos(static_cast<float>(step));
    parameters.state()[1] = static_cast<float>(step);
    sgd.step(parameters, gradients, 0.1, 32, &average, step);  // moves nothing
    const double d = std::min(0.5, step / (9.0 + step));
    expected = d * expected + (1 - d) * static_cast<double>(parameters.values()[1]);
    expected_state = d * expected_state + (1 - d) * step;
    EXPECT_NEAR(average.average().values()[1], expected, 1e-6) << step;
    EXPECT_NEAR(average.average().state()[1], expected_state, 1e-5) << step;
    if (step == 0) {
      EXPECT_EQ(average.average().values()[1], 1.0f);
    }
  }
}

TEST(WeightAverageTest, OfAConstantIsTheConstant) {
  const Network net = network();
  Parameters parameters(net);
  for (float& value : parameters.values()) value = 0.75f;
  const Parameters gradients(net);
  Sgd sgd(net, {});
  WeightAverage average(net, 0.999);
  for (int step = 0; step < 100; ++step) {
    sgd.step(parameters, gradients, 0.1, 32, &average, step);  // moves nothing
    EXPECT_NEAR(average.average().values()[0], 0.75f, 1e-5f);
  }
}

}  // namespace
}  // namespace ferplus
