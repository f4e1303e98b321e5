// The networks that can be built by name, their initial values, and the layouts of files.
#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/nn/layers.h>
#include <ferplus/nn/models.h>

namespace ferplus {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::map<std::string, Shape> outputs(const Network& network) {
  std::map<std::string, Shape> result;
  for (const Network::Entry& entry : network.layers()) result[entry.name] = entry.output;
  return result;
}

std::vector<double> values_of(const Network& network, const Parameters& parameters,
                              const std::string& name) {
  for (const Network::Array& array : network.parameters()) {
    if (array.spec.name != name) continue;
    const float* first = parameters.values().data() + array.offset;
    return {first, first + array.spec.shape.elements()};
  }
  ADD_FAILURE() << "no array " << name;
  return {};
}

TEST(ModelsTest, Vgg13IsThePapersNetwork) {
  const Network network = build_model("vgg13");
  // The paper says 8.75 M; layer by layer, weights and biases:
  const std::size_t convolutions = (9 * 1 + 1) * 64 + (9 * 64 + 1) * 64 + (9 * 64 + 1) * 128 +
                                   (9 * 128 + 1) * 128 + (9 * 128 + 1) * 256 +
                                   5 * (9 * 256 + 1) * 256;
  const std::size_t dense = (4096 + 1) * 1024 + (1024 + 1) * 1024 + (1024 + 1) * 8;
  EXPECT_EQ(network.parameter_count(), convolutions + dense);
  EXPECT_EQ(network.parameter_count(), 8'757'704u);

  auto shapes = outputs(network);
  EXPECT_EQ(shapes["conv1_2"], Shape({1, 64, 64, 64}));
  EXPECT_EQ(shapes["pool1"], Shape({1, 32, 32, 64}));
  EXPECT_EQ(shapes["pool2"], Shape({1, 16, 16, 128}));
  EXPECT_EQ(shapes["conv3_3"], Shape({1, 16, 16, 256}));
  EXPECT_EQ(shapes["pool3"], Shape({1, 8, 8, 256}));
  EXPECT_EQ(shapes["pool4"], Shape({1, 4, 4, 256}));
  EXPECT_EQ(shapes["fc1"], Shape({1, 1024}));
  EXPECT_EQ(shapes["fc3"], Shape({1, 8}));

  std::map<std::string_view, int> kinds;
  for (const Network::Entry& entry : network.layers()) ++kinds[entry.layer->kind()];
  EXPECT_EQ(kinds["conv2d"], 10);
  EXPECT_EQ(kinds["relu"], 12);
  EXPECT_EQ(kinds["max_pool"], 4);
  EXPECT_EQ(kinds["dropout"], 6);
  EXPECT_EQ(kinds["dense"], 3);
  EXPECT_EQ(kinds["batch_norm"], 0);
}

TEST(ModelsTest, EveryModelTakesFacesAndGivesEightLogits) {
  for (const ModelInfo& model : models()) {
    const Network network = build_model(model.name);
    EXPECT_EQ(network.name(), model.name);
    EXPECT_EQ(network.input(), Shape({1, 64, 64, 1})) << model.name;
    EXPECT_EQ(network.output(), Shape({1, 8})) << model.name;
    for (const Network::Array& array : network.parameters()) {
      EXPECT_EQ(array.offset % 16, 0u) << "arrays start on a cache line";
      // Weights decay; biases and batch-norm's parameters do not.
      EXPECT_EQ(array.spec.decays, array.spec.initial == InitialValue::random) << array.spec.name;
    }
  }
}

TEST(ModelsTest, BatchNormReplacesTheBiasOfTheLayerBefore) {
  const Network network = build_model("vgg13_bn");
  std::map<std::string, int> arrays;
  for (const Network::Array& array : network.parameters()) ++arrays[array.spec.name];
  EXPECT_EQ(arrays.count("conv1_1.bias"), 0u);
  EXPECT_EQ(arrays.count("bn1_1.bias"), 1u);
  EXPECT_EQ(arrays.count("fc1.bias"), 0u);
  EXPECT_EQ(arrays.count("fc_bn1.bias"), 1u);
  EXPECT_EQ(arrays.count("fc3.bias"), 1u);
  ASSERT_EQ(network.state().size(), 2 * (10 + 2u));
  EXPECT_EQ(network.state()[0].spec.name, "bn1_1.running_mean");
  EXPECT_EQ(network.state()[1].spec.name, "bn1_1.running_var");
}

TEST(ModelsTest, DropoutLayersDrawFromStreamsOfTheirOwn) {
  // Equal streams would drop the same values in layers of equal size: fc_drop1 and fc_drop2.
  const Network network = build_model("vgg13", {.conv_dropout = 0.5, .dense_dropout = 0.5});
  std::vector<std::vector<float>> masks;
  const std::uint32_t sample = 7;
  for (const Network::Entry& entry : network.layers()) {
    if (entry.layer->kind() != "dropout") continue;
    std::vector<float>& mask = masks.emplace_back(64, 1.0f);
    const TensorView view{mask.data(), {1, 64}};
    std::vector<std::byte> saved(entry.layer->plan(view.shape, Phase::training).saved_bytes);
    entry.layer->forward({.phase = Phase::training,
                          .input = view,
                          .output = view,
                          .parameters = {},
                          .state = {},
                          .prepared = nullptr,
                          .saved = saved.data(),
                          .scratch = nullptr,
                          .draws = {.seed = 1, .epoch = 0, .keys = {&sample, 1}}});
  }
  ASSERT_EQ(masks.size(), 6u);
  for (std::size_t a = 0; a < masks.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) EXPECT_NE(masks[a], masks[b]) << a << " and " << b;
  }
}

TEST(ModelsTest, MistypedNameNamesTheNearest) {
  try {
    build_model("vgg_min");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_THAT(error.what(), HasSubstr("'vgg_min'"));
    EXPECT_THAT(error.what(), HasSubstr("vgg_mini?"));
  }
}

TEST(NetworkTest, RefusesLayersThatDoNotFollow) {
  Network network("test", {1, 4, 4, 1});
  network.add("fc", make_dense({.units = 3}));
  EXPECT_THROW(network.add("fc", make_relu()), Error) << "names must differ";
  EXPECT_THROW(network.add("conv", make_conv2d({.filters = 2})), Error);
  EXPECT_EQ(network.layers().size(), 1u);
}

struct Moments {
  double mean = 0, variance = 0, fourth = 0, smallest = INFINITY, largest = -INFINITY;
};

Moments moments(const std::vector<double>& values) {
  Moments m;
  const auto count = static_cast<double>(values.size());
  for (double v : values) {
    m.mean += v / count;
    m.variance += v * v / count;
    m.fourth += v * v * v * v / count;
    m.smallest = std::min(m.smallest, v);
    m.largest = std::max(m.largest, v);
  }
  return m;
}

TEST(InitializationTest, GlorotIsUniformWithinItsLimit) {
  const Network network = build_model("vgg13");
  Parameters parameters(network);
  initialize(network, parameters, Initialization::glorot_uniform, 1);
  const std::vector<std::pair<std::string, double>> fans = {
      {"conv3_2.weight", 9 * 256 + 9 * 256}, {"fc1.weight", 4096 + 1024}, {"fc3.weight", 1024 + 8}};
  for (const auto& [name, fan] : fans) {
    const std::vector<double> values = values_of(network, parameters, name);
    const Moments m = moments(values);
    const double limit = std::sqrt(6 / fan), deviation = limit / std::sqrt(3);
    const auto count = static_cast<double>(values.size());
    EXPECT_NEAR(m.mean, 0, 5 * deviation / std::sqrt(count)) << name;
    EXPECT_NEAR(m.variance / (limit * limit / 3), 1, 5 * std::sqrt(0.8 / count)) << name;
    EXPECT_LE(m.largest, limit * (1 + 1e-6));
    EXPECT_GT(m.largest, 0.99 * limit);
    EXPECT_LT(m.smallest, -0.99 * limit);
  }
  for (double value : values_of(network, parameters, "conv3_2.bias")) EXPECT_EQ(value, 0);
}

TEST(InitializationTest, HeIsNormalWithTwoOverFanIn) {
  const Network network = build_model("vgg13_bn");
  Parameters parameters(network);
  initialize(network, parameters, Initialization::he_normal, 1);
  const std::vector<std::pair<std::string, double>> fans = {{"conv3_2.weight", 9 * 256},
                                                            {"fc1.weight", 4096}};
  for (const auto& [name, fan] : fans) {
    const std::vector<double> values = values_of(network, parameters, name);
    const Moments m = moments(values);
    const double variance = 2 / fan;
    const auto count = static_cast<double>(values.size());
    EXPECT_NEAR(m.mean, 0, 5 * std::sqrt(variance / count)) << name;
    EXPECT_NEAR(m.variance / variance, 1, 5 * std::sqrt(2 / count)) << name;
    EXPECT_NEAR(m.fourth / (variance * variance), 3, 5 * std::sqrt(96 / count)) << name;
  }
  for (double value : values_of(network, parameters, "bn1_1.weight")) EXPECT_EQ(value, 1);
  for (double value : values_of(network, parameters, "fc_bn1.weight")) EXPECT_EQ(value, 0.2f);
  for (double value : values_of(network, parameters, "bn1_1.bias")) EXPECT_EQ(value, 0);
  for (const Network::Array& array : network.state()) {
    const float expected = array.spec.name.ends_with("running_var") ? 1.0f : 0.0f;
    EXPECT_EQ(parameters.state()[array.offset], expected) << array.spec.name;
  }
}

TEST(InitializationTest, DiracHandsChannelsOn) {
  const Network network = build_model("vgg_mini");
  Parameters dirac(network), he(network);
  initialize(network, dirac, Initialization::dirac, 1);
  initialize(network, he, Initialization::he_normal, 1);
  for (const Network::Array& array : network.parameters()) {
    const std::vector<double> found = values_of(network, dirac, array.spec.name);
    const std::vector<double> drawn = values_of(network, he, array.spec.name);
    if (array.spec.layout != FileLayout::convolution) {
      EXPECT_EQ(found, drawn) << array.spec.name;
      continue;
    }
    const Index channels = array.spec.shape[2], filters = array.spec.shape[3];
    for (Index tap = 0; tap < 9; ++tap) {
      for (Index c = 0; c < channels; ++c) {
        for (Index k = 0; k < filters; ++k) {
          const auto i = static_cast<std::size_t>((tap * channels + c) * filters + k);
          ASSERT_EQ(found[i], k < channels ? (tap == 4 && c == k ? 1.0 : 0.0) : drawn[i])
              << array.spec.name << " " << tap << " " << c << " " << k;
        }
      }
    }
  }
}

TEST(InitializationTest, DependsOnTheSeedAndOnEachArray) {
  const Network network = build_model("vgg_mini");
  Parameters a(network), b(network), c(network);
  initialize(network, a, Initialization::he_normal, 1);
  initialize(network, b, Initialization::he_normal, 1);
  initialize(network, c, Initialization::he_normal, 2);
  EXPECT_EQ(values_of(network, a, "fc1.weight"), values_of(network, b, "fc1.weight"));
  EXPECT_NE(values_of(network, a, "fc1.weight"), values_of(network, c, "fc1.weight"));
  // Equal fan-in, different array: other draws.
  EXPECT_NE(values_of(network, a, "conv3_2.weight")[0], values_of(network, a, "conv3_1.weight")[0]);
}

TEST(InitializationTest, Names) {
  EXPECT_EQ(initialization_from_name("he"), Initialization::he_normal);
  EXPECT_EQ(initialization_from_name("glorot"), Initialization::glorot_uniform);
  EXPECT_EQ(initialization_from_name("dirac"), Initialization::dirac);
  EXPECT_THROW(initialization_from_name("xavier"), UsageError);
}

TEST(FileLayoutTest, ConvolutionIsOutInRowsColumns) {
  const auto layer = make_conv2d({.filters = 2, .kernel = 2, .bias = false});
  const ParameterSpec spec = layer->plan({1, 4, 4, 3}, Phase::training).parameters[0];
  ASSERT_EQ(spec.shape, Shape({2, 2, 3, 2}));
  EXPECT_THAT(file_shape(spec), ElementsAre(2, 3, 2, 2));
  std::vector<float> memory(24), file(24), back(24);
  // A value that says where it belongs: 1000 filter + 100 channel + 10 row + column.
  std::size_t i = 0;
  for (int r : {0, 1}) {
    for (int s : {0, 1}) {
      for (int c : {0, 1, 2}) {
        for (int k : {0, 1}) memory[i++] = static_cast<float>(1000 * k + 100 * c + 10 * r + s);
      }
    }
  }
  to_file_layout(spec, memory.data(), file.data());
  EXPECT_THAT(file, ElementsAre(0, 1, 10, 11, 100, 101, 110, 111, 200, 201, 210, 211, 1000, 1001,
                                1010, 1011, 1100, 1101, 1110, 1111, 1200, 1201, 1210, 1211));
  from_file_layout(spec, file.data(), back.data());
  EXPECT_EQ(back, memory);
}

TEST(FileLayoutTest, DenseAfterAnImageIsOutByChannelsRowsColumns) {
  const auto layer = make_dense({.units = 2});
  const ParameterSpec spec = layer->plan({1, 2, 1, 3}, Phase::training).parameters[0];
  EXPECT_THAT(file_shape(spec), ElementsAre(2, 6));
  // 100 unit + 10 row + channel, in memory by row, channel, unit.
  const std::vector<float> memory = {0, 100, 1, 101, 2, 102, 10, 110, 11, 111, 12, 112};
  std::vector<float> file(12), back(12);
  to_file_layout(spec, memory.data(), file.data());
  EXPECT_THAT(file, ElementsAre(0, 10, 1, 11, 2, 12, 100, 110, 101, 111, 102, 112));
  from_file_layout(spec, file.data(), back.data());
  EXPECT_EQ(back, memory);
}

TEST(FileLayoutTest, DenseAfterDenseIsTransposed) {
  const auto layer = make_dense({.units = 3});
  const ParameterSpec spec = layer->plan({1, 2}, Phase::training).parameters[0];
  const std::vector<float> memory = {1, 2, 3, 4, 5, 6};
  std::vector<float> file(6);
  to_file_layout(spec, memory.data(), file.data());
  EXPECT_THAT(file, ElementsAre(1, 4, 2, 5, 3, 6));
}

}  // namespace
}  // namespace ferplus
