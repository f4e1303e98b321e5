// A network without its batch-norm layers against the one that has them.
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <ferplus/nn/fold.h>
#include <ferplus/nn/layers.h>
#include <ferplus/nn/models.h>
#include <ferplus/nn/session.h>

#include "nn/layer_runner.h"

namespace ferplus {
namespace {

constexpr Index kImages = 3;

// Weights of a new network, statistics and shifts of a trained one.
Parameters lived_in(const Network& network) {
  Parameters parameters(network);
  initialize(network, parameters, Initialization::he_normal, 5);
  std::uint64_t seed = 100;
  const auto span_of = [](const Network::Array& array, std::span<float> values) {
    return values.subspan(array.offset, count_of(array.spec.shape));
  };
  for (const Network::Array& array : network.parameters()) {
    if (array.spec.name.find("bn") == std::string::npos && !array.spec.name.ends_with("bias"))
      continue;
    fill_uniform(span_of(array, parameters.values()), 0.3, 1.2, ++seed);
  }
  for (const Network::Array& array : network.state()) {
    const bool mean = array.spec.name.ends_with("mean");
    fill_uniform(span_of(array, parameters.state()), mean ? -0.5 : 0.2, mean ? 0.7 : 3, ++seed);
  }
  return parameters;
}

std::vector<float> logits(const Network& network, const Parameters& parameters) {
  const PreparedModel prepared(network, parameters);
  Session session(prepared, kImages);
  const TensorView input = session.input(kImages);
  fill_uniform({input.data, count_of(input.shape)}, -2, 2, 8);
  const ConstTensorView output = session.forward(kImages, prepared);
  return {output.data, output.data + output.elements()};
}

void expect_close(const std::vector<float>& got, const std::vector<float>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  double scale = 0, worst = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    scale = std::max(scale, std::abs(static_cast<double>(expected[i])));
    const double error = std::abs(static_cast<double>(got[i]) - static_cast<double>(expected[i]));
    worst = error <= worst ? worst : error;
  }
  EXPECT_GT(scale, 1e-3);
  EXPECT_LE(worst / scale, 1e-5);
}

std::size_t norms(const Network& network) {
  return static_cast<std::size_t>(std::ranges::count_if(
      network.layers(), [](const auto& entry) { return entry.layer->kind() == "batch_norm"; }));
}

TEST(FoldTest, ModelsWithBatchNormGiveTheSameLogits) {
  for (const char* name : {"vgg_mini", "vgg13_bn"}) {
    SCOPED_TRACE(name);
    const Network network = build_model(name);
    const Parameters parameters = lived_in(network);
    const FoldedNetwork folded = fold_batch_norm(network, parameters);
    EXPECT_GT(norms(network), 0u);
    EXPECT_EQ(norms(folded.network), 0u);
    EXPECT_EQ(folded.network.state().size(), 0u);
    expect_close(logits(folded.network, folded.parameters), logits(network, parameters));
  }
}

TEST(FoldTest, FoldedVgg13BnHasTheLayersOfVgg13) {
  const Network network = build_model("vgg13_bn");
  const FoldedNetwork folded = fold_batch_norm(network, Parameters(network));
  const Network vgg13 = build_model("vgg13");
  ASSERT_EQ(folded.network.layers().size(), vgg13.layers().size());
  for (std::size_t i = 0; i < vgg13.layers().size(); ++i) {
    EXPECT_EQ(folded.network.layers()[i].name, vgg13.layers()[i].name);
    EXPECT_EQ(folded.network.layers()[i].layer->options(), vgg13.layers()[i].layer->options());
  }
}

TEST(FoldTest, WithoutBatchNormNothingChanges) {
  Network network("plain", {1, 6, 6, 2});
  network.add("conv", make_conv2d({.filters = 3}));
  network.add("relu", make_relu());
  network.add("fc", make_dense({.units = 4, .bias = false}));
  Parameters parameters(network);
  initialize(network, parameters, Initialization::he_normal, 5);
  const FoldedNetwork folded = fold_batch_norm(network, parameters);
  EXPECT_TRUE(std::ranges::equal(folded.parameters.values(), parameters.values()));
}

TEST(FoldTest, BatchNormThatFollowsNothingLinearStays) {
  Network network("mixed", {1, 6, 6, 2});
  network.add("bn0", make_batch_norm({}));
  network.add("conv", make_conv2d({.filters = 3, .stride = 2, .padding = Padding{1, 0, 0, 2}}));
  network.add("bn1", make_batch_norm({.epsilon = 0.1}));
  network.add("relu", make_relu());
  network.add("bn2", make_batch_norm({}));
  network.add("fc", make_dense({.units = 4}));
  network.add("bn3", make_batch_norm({}));
  network.add("bn4", make_batch_norm({}));
  const Parameters parameters = lived_in(network);
  const FoldedNetwork folded = fold_batch_norm(network, parameters);
  std::vector<std::string> names;
  for (const auto& entry : folded.network.layers()) names.push_back(entry.name);
  EXPECT_EQ(names, (std::vector<std::string>{"bn0", "conv", "relu", "bn2", "fc", "bn4"}));
  expect_close(logits(folded.network, folded.parameters), logits(network, parameters));
}

}  // namespace
}  // namespace ferplus
