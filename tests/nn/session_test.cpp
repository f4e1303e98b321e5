// What a Session promises: no allocations, the same bits for any number of threads, images that do
// not see one another at inference, and one result by every way to it.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/data/dataset.h>
#include <ferplus/nn/layers.h>
#include <ferplus/nn/models.h>
#include <ferplus/nn/session.h>

#include "nn/allocation_counter.h"
#include "nn/layer_runner.h"
#include "nn/threads.h"

namespace ferplus {
namespace {

// Every kind of layer, in an order that has in-place layers after one another and after a dense
// layer; on images small enough for a test and too odd for round numbers.
Network small_network(double dropout = 0.3) {
  Network network("small", {1, 13, 11, 2});
  network.add("conv1", make_conv2d({.filters = 7}));
  network.add("relu1", make_relu());
  network.add("drop1", make_dropout({.rate = dropout, .stream = 0}));
  network.add("conv2", make_conv2d({.filters = 9, .kernel = 2, .stride = 2, .bias = false}));
  network.add("bn2", make_batch_norm({}));
  network.add("relu2", make_relu());
  network.add("pool2", make_max_pool({.size = 3, .stride = 1}));
  network.add("fc1", make_dense({.units = 10}));
  network.add("relu3", make_relu());
  network.add("drop3", make_dropout({.rate = dropout, .stream = 1}));
  network.add("fc2", make_dense({.units = 8}));
  return network;
}

Parameters initialized(const Network& network) {
  Parameters parameters(network);
  initialize(network, parameters, Initialization::he_normal, 3);
  return parameters;
}

void load(Session& session, Index batch, std::uint64_t seed = 1) {
  const TensorView input = session.input(batch);
  fill_uniform({input.data, count_of(input.shape)}, -1, 1, seed);
}

std::vector<float> copied(ConstTensorView view) { return {view.data, view.data + view.elements()}; }
std::vector<float> copied(std::span<const float> values) { return {values.begin(), values.end()}; }

std::vector<std::uint32_t> sample_keys(Index batch) {
  std::vector<std::uint32_t> keys(static_cast<std::size_t>(batch));
  std::iota(keys.begin(), keys.end(), 40);
  return keys;
}

// Logits, gradients and running statistics of one training step.
std::vector<std::vector<float>> training_step(const Network& network, Index batch,
                                              Index max_batch) {
  Parameters parameters = initialized(network), gradients(network);
  Session session(network, max_batch, Phase::training);
  load(session, batch);
  const std::vector<std::uint32_t> keys = sample_keys(batch);
  std::vector<std::vector<float>> result;
  const ConstTensorView logits =
      session.forward_training(batch, parameters, {.seed = 8, .epoch = 1, .keys = keys});
  result.push_back(copied(logits));
  std::vector<float> gradient(count_of(logits.shape));
  fill_uniform(gradient, -1, 1, 4);
  session.backward({gradient.data(), logits.shape}, parameters, gradients);
  result.push_back(copied(gradients.values()));
  result.push_back(copied(parameters.state()));
  return result;
}

class ManyThreads : public testing::TestWithParam<int> {};

TEST_P(ManyThreads, GiveTheBitsOfOne) {
  for (const auto& [network, batch] :
       {std::pair(small_network(), Index{21}), std::pair(build_model("vgg_mini"), Index{9})}) {
    const auto expected = training_step(network, batch, batch);
    const Threads threads(GetParam());
    EXPECT_EQ(training_step(network, batch, batch), expected) << network.name();
  }
}

INSTANTIATE_TEST_SUITE_P(SessionTest, ManyThreads, testing::Values(2, 3, 4));

TEST(SessionTest, LargerPlanGivesTheSameBits) {
  const Network network = small_network();
  EXPECT_EQ(training_step(network, 5, 5), training_step(network, 5, 32));
}

TEST(SessionTest, ImageAloneEqualsImageInABatch) {
  for (const Network& network : {small_network(), build_model("vgg_mini")}) {
    const Parameters parameters = initialized(network);
    const PreparedModel prepared(network, parameters);
    Session session(prepared, 32);
    load(session, 32);
    const std::vector<float> inputs = copied(ConstTensorView(session.input(32)));
    const std::vector<float> batch = copied(session.forward(32, prepared));
    Session single(prepared, 1);
    const auto size = static_cast<std::ptrdiff_t>(inputs.size() / 32);
    for (std::ptrdiff_t n : {0, 1, 7, 8, 30, 31}) {
      std::copy_n(inputs.begin() + n * size, size, single.input(1).data);
      const std::vector<float> alone = copied(single.forward(1, prepared));
      EXPECT_TRUE(std::equal(alone.begin(), alone.end(), batch.begin() + n * 8))
          << network.name() << ", image " << n;
    }
  }
}

// A batch whose first layers run slice by slice, the last slice smaller.
TEST(SessionTest, SlicesOfABatchEqualImagesAlone) {
  const Network network = build_model("vgg13");
  const Parameters parameters = initialized(network);
  const PreparedModel prepared(network, parameters);
  constexpr Index kBatch = 13;
  Session together(prepared, kBatch), alone(prepared, 1);
  load(together, kBatch);
  const ConstTensorView view = together.input(kBatch);
  const std::vector<float> images = copied(view);
  const std::vector<float> logits = copied(together.forward(kBatch, prepared));
  for (std::size_t n = 0; n < kBatch; ++n) {
    const std::size_t size = images.size() / kBatch;
    std::copy_n(images.begin() + static_cast<std::ptrdiff_t>(n * size), size, alone.input(1).data);
    EXPECT_TRUE(std::ranges::equal(copied(alone.forward(1, prepared)),
                                   std::span(logits).subspan(n * kClasses, kClasses)))
        << "image " << n;
  }
}

TEST(SessionTest, ForwardUnpreparedEqualsForward) {
  for (const Network& network : {small_network(), build_model("vgg_mini")}) {
    const Parameters parameters = initialized(network);
    const PreparedModel prepared(network, parameters);
    Session inference(prepared, 5), training(network, 6, Phase::training);
    load(inference, 5);
    const std::vector<float> expected = copied(inference.forward(5, prepared));
    load(training, 5);
    // Within rounding: the prepared model has its batch-norm folded.
    const std::vector<float> actual = copied(training.forward_unprepared(5, parameters));
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(actual[i], expected[i], 1e-5f * (1 + std::abs(expected[i])));
    }
  }
}

TEST(SessionTest, RunsTheNetworkThatItWasMadeForOnly) {
  const Network network = small_network();
  const Parameters parameters = initialized(network);
  const PreparedModel prepared(network, parameters), other(network, parameters);
  Session folded(prepared, 2), unfolded(network, 2, Phase::inference);
  EXPECT_THROW(folded.forward(2, other), Error);
  EXPECT_THROW(unfolded.forward(2, prepared), Error);
}

TEST(SessionTest, ForwardUnpreparedLeavesStatisticsAlone) {
  const Network network = small_network();
  const Parameters parameters = initialized(network);
  const std::vector<float> before = copied(parameters.state());
  Session session(network, 4, Phase::training);
  load(session, 4);
  session.forward_unprepared(4, parameters);
  EXPECT_EQ(copied(parameters.state()), before);
}

// relu's backward sees an output that dropout has changed in place: directional derivatives of the
// whole network, whose kinks the small step does not meet.
TEST(SessionTest, GradientOfAChainOfInPlaceLayers) {
  Network network("chain", {1, 6});
  network.add("fc1", make_dense({.units = 12}));
  network.add("relu", make_relu());
  network.add("drop", make_dropout({.rate = 0.4, .stream = 0}));
  network.add("fc2", make_dense({.units = 8}));
  Parameters parameters = initialized(network), gradients(network);
  Session session(network, 4, Phase::training);
  const std::vector<std::uint32_t> keys = sample_keys(4);
  const DrawContext draws{.seed = 8, .epoch = 1, .keys = keys};
  std::vector<float> weights(32);
  fill_uniform(weights, -1, 1, 4);
  const auto functional = [&] {
    load(session, 4);
    const ConstTensorView logits = session.forward_training(4, parameters, draws);
    double sum = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      sum += static_cast<double>(weights[i]) * static_cast<double>(logits.data[i]);
    }
    return sum;
  };
  functional();
  session.backward({weights.data(), {4, 8}}, parameters, gradients);
  for (const Network::Array& array : network.parameters()) {
    for (Index i = 0; i < array.spec.shape.elements(); ++i) {
      float& value = parameters.values()[array.offset + static_cast<std::size_t>(i)];
      const float original = value;
      value = original + 0x1p-9f;
      const double above = functional();
      value = original - 0x1p-9f;
      const double below = functional();
      value = original;
      EXPECT_NEAR(gradients.values()[array.offset + static_cast<std::size_t>(i)],
                  (above - below) / 0x1p-8, 2e-3)
          << array.spec.name << " " << i;
    }
  }
}

TEST(SessionTest, StepsAllocateNothing) {
  if (!kCountsAllocations) GTEST_SKIP() << "allocations are not counted in this build";
  const Threads threads(2);
  const Network network = build_model("vgg_mini");
  Parameters parameters = initialized(network), gradients(network);
  const PreparedModel prepared(network, parameters);
  Session session(network, 8, Phase::training), inference(prepared, 8);
  const std::vector<std::uint32_t> keys = sample_keys(8);
  std::vector<float> gradient(64, 0.01f);
  const auto step = [&] {
    for (Index batch : {Index{8}, Index{3}}) {
      load(session, batch);
      session.forward_training(
          batch, parameters,
          {.seed = 1, .epoch = 0, .keys = std::span(keys).first(static_cast<std::size_t>(batch))});
      session.backward({gradient.data(), {batch, 8}}, parameters, gradients);
      load(session, batch);
      session.forward_unprepared(batch, parameters);
      load(inference, batch);
      inference.forward(batch, prepared);
    }
  };
  step();
  const long before = allocations;
  step();
  EXPECT_EQ(allocations - before, 0);
  // The counter counts.
  const auto proof = std::make_unique<int>(1);
  EXPECT_EQ(allocations - before, 1) << *proof;
}

TEST(SessionTest, NamesTheFirstLayerThatIsNotFinite) {
  const Network network = small_network();
  Parameters parameters = initialized(network);
  const std::vector<std::uint32_t> keys = sample_keys(4);
  const DrawContext draws{.seed = 1, .epoch = 0, .keys = keys};
  Session session(network, 4, Phase::training);
  load(session, 4);
  session.forward_training(4, parameters, draws);
  EXPECT_EQ(session.first_non_finite_layer(), std::nullopt);
  for (const Network::Array& array : network.parameters()) {
    if (array.spec.name != "fc1.weight") continue;
    parameters.values()[array.offset] = std::numeric_limits<float>::quiet_NaN();
  }
  load(session, 4);
  session.forward_training(4, parameters, draws);
  EXPECT_EQ(session.first_non_finite_layer(), "fc1");
}

TEST(SessionTest, ObserverHearsEveryLayerInOrder) {
  const Network network = small_network();
  Parameters parameters = initialized(network), gradients(network);
  const std::vector<std::uint32_t> keys = sample_keys(2);
  const std::vector<float> gradient(16, 1.0f);
  Session session(network, 2, Phase::training);
  std::vector<std::string> heard;
  session.observe([&](const std::string& name, Direction direction, double seconds) {
    EXPECT_GE(seconds, 0);
    heard.push_back(name + (direction == Direction::forward ? " forward" : " backward"));
  });
  load(session, 2);
  session.forward_training(2, parameters, {.seed = 1, .epoch = 0, .keys = keys});
  session.backward({gradient.data(), {2, 8}}, parameters, gradients);
  std::vector<std::string> expected;
  const std::vector<Network::Entry> layers = fused_layers(network);
  for (const Network::Entry& entry : layers) expected.push_back(entry.name + " forward");
  for (std::size_t i = layers.size(); i-- > 0;) {
    expected.push_back(layers[i].name + " backward");
  }
  EXPECT_EQ(heard, expected);
}

TEST(SessionTest, NobodyComputesTheGradientOfTheInput) {
  struct Probe : Layer {
    explicit Probe(const float** heard) : gradient(heard) {}
    LayerOptions options() const override { return ReluOptions{}; }
    std::string_view kind() const override { return "probe"; }
    std::string describe() const override { return "probe"; }
    LayerPlan plan(const Shape& input, Phase) const override { return {.output = input}; }
    void forward(const ForwardArguments& a) const override {
      std::copy_n(a.input.data, a.input.elements(), a.output.data);
    }
    void backward(const BackwardArguments& a) const override {
      *gradient = a.input_gradient.data;
      if (a.input_gradient) {
        std::copy_n(a.output_gradient.data, a.input.elements(), a.input_gradient.data);
      }
    }
    const float** gradient;
  };
  const float unset = 0;
  const float *first = &unset, *second = nullptr;
  Network network("probes", {1, 8});
  network.add("first", std::make_unique<Probe>(&first));
  network.add("second", std::make_unique<Probe>(&second));
  Parameters parameters(network), gradients(network);
  Session session(network, 1, Phase::training);
  const std::uint32_t key = 0;
  load(session, 1);
  session.forward_training(1, parameters, {.seed = 1, .epoch = 0, .keys = {&key, 1}});
  const std::vector<float> gradient(8, 1.0f);
  session.backward({gradient.data(), {1, 8}}, parameters, gradients);
  EXPECT_EQ(first, nullptr);
  EXPECT_NE(second, nullptr);
}

TEST(SessionTest, RefusesWhatItHasNoMemoryFor) {
  const Network network = small_network();
  const Parameters parameters = initialized(network);
  EXPECT_THROW(Session(network, 0, Phase::inference), UsageError);
  Session session(network, 4, Phase::inference);
  EXPECT_THROW(session.input(5), Error);
  EXPECT_THROW(session.input(0), Error);
  EXPECT_THROW(session.forward_unprepared(2, parameters), Error);
  const PreparedModel model(network, parameters);
  Session inference(model, 4);
  EXPECT_THROW(inference.forward(0, model), Error);
  EXPECT_THROW(inference.forward(5, model), Error);
}

TEST(SessionTest, BackwardFollowsForwardTraining) {
  const Network network = small_network();
  Parameters parameters = initialized(network), gradients(network);
  const std::vector<std::uint32_t> keys = sample_keys(3);
  const DrawContext draws{.seed = 1, .epoch = 0, .keys = keys};
  const std::vector<float> gradient(3 * 8, 0.01f);
  Session session(network, 3, Phase::training);
  const auto backward = [&](Index batch) {
    session.backward({gradient.data(), {batch, 8}}, parameters, gradients);
  };
  const auto train = [&] {
    load(session, 3);
    session.forward_training(3, parameters, draws);
  };
  EXPECT_THROW(backward(3), Error);
  train();
  EXPECT_THROW(backward(2), Error) << "of another batch";
  EXPECT_NO_THROW(backward(3));
  load(session, 3);
  EXPECT_THROW(backward(3), Error) << "the input is another";
  session.forward_unprepared(3, parameters);
  EXPECT_THROW(backward(3), Error);
  train();
  session.forward_unprepared(3, parameters);
  EXPECT_THROW(backward(3), Error) << "evaluation wrote where the activations were";
  load(session, 2);
  EXPECT_THROW(session.forward_training(2, parameters, draws), Error) << "draws for three images";
}

// Layers choose their algorithm at each call: weights packed for another must not be read.
TEST(SessionTest, NoticesThatTheKernelsHaveChanged) {
  const Network network = build_model("vgg_mini");
  Parameters parameters = initialized(network), gradients(network);
  const std::vector<std::uint32_t> keys = sample_keys(1);
  const DrawContext draws{.seed = 1, .epoch = 0, .keys = keys};
  const std::vector<float> gradient(8, 0.01f);
  const PreparedModel model(network, parameters);
  Session inference(model, 1), training(network, 1, Phase::training);
  load(inference, 1);
  const std::vector<float> before = copied(inference.forward(1, model));
  load(training, 1);
  training.forward_training(1, parameters, draws);
  {
    const ScopedConvSelection other({.algorithm = "matrix_product"});
    EXPECT_THROW(inference.forward(1, model), Error);
    EXPECT_THROW(training.backward({gradient.data(), {1, 8}}, parameters, gradients), Error);
    EXPECT_THROW(training.forward_unprepared(1, parameters), Error);
    Session since(model, 1);
    load(since, 1);
    EXPECT_THROW(since.forward(1, model), Error) << "the weights were packed before";
  }
  training.backward({gradient.data(), {1, 8}}, parameters, gradients);
  load(inference, 1);
  EXPECT_EQ(copied(inference.forward(1, model)), before) << "the selection is again what it was";
  const Threads threads(2);
  EXPECT_THROW(inference.forward(1, model), Error);
}

}  // namespace
}  // namespace ferplus
