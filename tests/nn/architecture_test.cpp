// Networks that are none of the table, written into model files as lists of layers.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/nn/architecture.h>
#include <ferplus/nn/layers.h>
#include <ferplus/nn/model_file.h>
#include <ferplus/nn/predictor.h>

#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr std::size_t kPlenty = 1 << 20;

// One layer of each kind, few options at their defaults.
Network every_kind() {
  Network network("mine", {1, 64, 64, 1});
  network.add(
      "conv",
      make_conv2d(
          {.filters = 3, .kernel = 4, .stride = 3, .bias = false, .padding = Padding{1, 2, 3, 0}}));
  network.add("bn", make_batch_norm({.momentum = 0.3, .epsilon = 0.125, .initial_weight = 0.5}));
  network.add("relu", make_relu());
  network.add("conv2", make_conv2d({.filters = 2, .tail = {.relu = true}}));
  network.add("max", make_max_pool({.size = 3, .stride = 2, .padding = {0, 1, 2, 1}}));
  network.add("mean", make_average_pool({.height = 2, .width = 3, .count_padding = true}));
  network.add("drop", make_dropout({.rate = 0.125, .stream = 4}));
  network.add("fc", make_dense({.units = 8, .bias = false}));
  return network;
}

TEST(ArchitectureTest, ListsEveryLayerAndReadsItBack) {
  const Network network = every_kind();
  const Network again =
      network_from_layer_list("mine", network.input(), layer_list(network), kPlenty);
  ASSERT_EQ(again.layers().size(), network.layers().size());
  for (std::size_t i = 0; i < network.layers().size(); ++i) {
    const Network::Entry &expected = network.layers()[i], &got = again.layers()[i];
    EXPECT_EQ(got.name, expected.name);
    EXPECT_EQ(got.output, expected.output);
    EXPECT_EQ(got.layer->options(), expected.layer->options()) << expected.name;
  }
  EXPECT_EQ(layer_list(again), layer_list(network));
}

TEST(ArchitectureTest, RefusesWhatIsNoListOfLayers) {
  const std::string good = layer_list(every_kind());
  const auto message = [&](const std::string& text, std::size_t most = kPlenty) {
    return message_of<Error>([&] { network_from_layer_list("mine", {1, 64, 64, 1}, text, most); });
  };
  const auto changed = [&](std::size_t layer, const char* key, const nlohmann::json& value) {
    auto list = nlohmann::json::parse(good);
    list[layer][key] = value;
    return message(list.dump());
  };
  for (const char* text : {"", "[", "{}", "[]", "[1]", "[{}]", "7"}) EXPECT_NE(message(text), "");
  EXPECT_THAT(changed(1, "kind", "conv3d"), AllOf(HasSubstr("layer 2"), HasSubstr("'conv3d'")));
  EXPECT_THAT(changed(0, "filters", -1), AllOf(HasSubstr("layer 1"), HasSubstr("filters")));
  EXPECT_THAT(changed(0, "filters", 1e18), HasSubstr("filters"));
  EXPECT_THAT(changed(0, "filters", std::int64_t{1} << 62), HasSubstr("filters"));
  EXPECT_THAT(changed(0, "kernel", 100000), HasSubstr("windows"));
  EXPECT_THAT(changed(0, "bias", 1), HasSubstr("bias"));
  EXPECT_THAT(changed(0, "padding", {1, 2, 3}), HasSubstr("padding"));
  EXPECT_THAT(changed(0, "padding", {4, 0, 0, 0}), HasSubstr("padding"));
  EXPECT_THAT(changed(1, "epsilon", "small"), HasSubstr("epsilon"));
  EXPECT_THAT(changed(2, "color", 1), AllOf(HasSubstr("layer 3"), HasSubstr("fields")));
  EXPECT_THAT(changed(2, "name", "conv"), HasSubstr("conv"));
  EXPECT_THAT(changed(6, "rate", 1.5), HasSubstr("rate"));
  EXPECT_THAT(message(good, 50), HasSubstr("values"));
}

TEST(ArchitectureTest, ModelFilesCarryTheList) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "mine.safetensors";
  const Network network = every_kind();
  Parameters parameters(network);
  initialize(network, parameters, Initialization::he_normal, 4);
  save_model(path, network, parameters, {{"preprocessing", "raw"}});
  Model model = load_model(path);
  EXPECT_EQ(model.network.name(), "mine");
  EXPECT_EQ(model.metadata.at("layers"), layer_list(network));
  EXPECT_EQ(model.preprocessing(), Preprocessing::raw);
  save_model(folder / "again.safetensors", model.network, model.parameters, model.metadata);
  EXPECT_EQ(read_text(folder / "again.safetensors"), read_text(path));

  // A network of the table needs none, and one that came along is dropped.
  const Network table = build_model("vgg_mini");
  save_model(path, table, Parameters(table), {{"layers", "stale"}});
  EXPECT_FALSE(load_model(path).metadata.contains("layers"));
}

TEST(ArchitectureTest, LoadingNamesTheDefect) {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "mine.safetensors";
  const Network network = every_kind();
  const Parameters parameters(network);
  const auto message = [&](const std::function<void(std::map<std::string, std::string>&)>& change) {
    save_model(path, network, parameters, {});
    auto metadata = SafetensorsFile(path).metadata();
    TensorSet set;
    set.add(network, parameters);
    change(metadata);
    write_safetensors(path, set.tensors(), metadata);
    return message_of<Error>([&] { load_model(path); });
  };
  EXPECT_THAT(message([](auto& metadata) { metadata["layers"] = "[]"; }),
              AllOf(HasSubstr("mine.safetensors"), HasSubstr("'layers'")));
  EXPECT_THAT(message([](auto& metadata) { metadata.erase("layers"); }), HasSubstr("'mine'"));
  EXPECT_THAT(message([](auto& metadata) {
                auto list = nlohmann::json::parse(metadata["layers"]);
                list.erase(7);
                metadata["layers"] = list.dump();
              }),
              HasSubstr("not 8"));
}

TEST(ArchitectureTest, UnknownPreprocessingIsRefusedWithTheRemedy) {
  const TemporaryFolder folder;
  const Network network = every_kind();
  save_model(folder / "mine.safetensors", network, Parameters(network),
             {{"preprocessing", std::string(kUnknownPreprocessing)}});
  EXPECT_THAT(message_of<Error>([&] { Predictor(load_model(folder / "mine.safetensors")); }),
              HasSubstr("--preprocessing"));
}

}  // namespace
}  // namespace ferplus
