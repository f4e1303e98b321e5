// Exported graphs: their names and shapes, what is refused, and that they come back bit for bit.
#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <ferplus/core/error.h>
#include <ferplus/interop/onnx.h>
#include <ferplus/nn/fold.h>
#include <ferplus/nn/layers.h>
#include <ferplus/nn/predictor.h>

#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Model random_model(const std::string& network, Preprocessing preprocessing) {
  Network built = build_model(network);
  Parameters parameters(built);
  initialize(built, parameters, Initialization::he_normal, 3);
  for (std::size_t i = 0; i < parameters.state().size(); ++i) {
    parameters.state()[i] += 0.01f * static_cast<float>(i % 7);
  }
  return {std::move(built),
          std::move(parameters),
          {{"preprocessing", std::string(preprocessing_name(preprocessing))},
           {"mode", "majority"},
           {"seed", "7"},
           {"content_hash", "0"}}};
}

onnx::ModelProto read_proto(const std::filesystem::path& path) {
  onnx::ModelProto model;
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(model.ParseFromIstream(&in));
  return model;
}

std::map<std::string, std::string> metadata_of(const onnx::ModelProto& model) {
  std::map<std::string, std::string> result;
  for (const auto& entry : model.metadata_props()) result[entry.key()] = entry.value();
  return result;
}

TEST(OnnxExportTest, ModernGraph) {
  const TemporaryFolder folder;
  const auto path = folder / "m.onnx";
  const OnnxExportReport report =
      export_onnx(path, random_model("vgg_mini", Preprocessing::ferplus), {});
  const onnx::ModelProto model = read_proto(path);
  EXPECT_EQ(model.opset_import(0).version(), 17);
  EXPECT_EQ(report.bytes, std::filesystem::file_size(path));
  EXPECT_EQ(report.nodes, static_cast<std::size_t>(model.graph().node_size()));
  std::set<std::string> operators;
  for (const auto& node : model.graph().node()) operators.insert(node.op_type());
  EXPECT_THAT(operators, ElementsAre("Conv", "Flatten", "Gemm", "Identity", "MaxPool", "Relu"));
  ASSERT_EQ(model.graph().input_size(), 1);
  EXPECT_EQ(model.graph().input(0).name(), "input");
  const auto& shape = model.graph().input(0).type().tensor_type().shape();
  EXPECT_EQ(shape.dim(0).dim_param(), "N");
  EXPECT_EQ(shape.dim(3).dim_value(), 64);
  EXPECT_EQ(model.graph().output(0).name(), "logits");
  const auto metadata = metadata_of(model);
  EXPECT_EQ(metadata.at("preprocessing"), "ferplus");
  EXPECT_EQ(metadata.at("classes"),
            "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt");
  EXPECT_EQ(metadata.at("ferplus.seed"), "7");
  EXPECT_FALSE(metadata.contains("ferplus.content_hash"));
}

TEST(OnnxExportTest, SoftmaxAndRawInput) {
  const TemporaryFolder folder;
  export_onnx(folder / "m.onnx", random_model("vgg_mini", Preprocessing::raw), {.softmax = true});
  const onnx::ModelProto model = read_proto(folder / "m.onnx");
  EXPECT_EQ(model.graph().node(0).op_type(), "Sub");
  EXPECT_EQ(model.graph().node(1).op_type(), "Div");
  EXPECT_EQ(model.graph().node(model.graph().node_size() - 1).op_type(), "Softmax");
  EXPECT_EQ(model.graph().output(0).name(), "probabilities");
  EXPECT_EQ(metadata_of(model).at("preprocessing"), "raw");
}

// A calibrated model's graph gives what the model gives, and is not tempered twice when read.
TEST(OnnxExportTest, SoftmaxHasTheTemperature) {
  const TemporaryFolder folder;
  Model model = random_model("vgg_mini", Preprocessing::ferplus);
  model.metadata["temperature"] = "2.5";
  export_onnx(folder / "logits.onnx", model, {});
  EXPECT_EQ(metadata_of(read_proto(folder / "logits.onnx")).at("ferplus.temperature"), "2.5");
  export_onnx(folder / "m.onnx", model, {.softmax = true});
  EXPECT_FALSE(metadata_of(read_proto(folder / "m.onnx")).contains("ferplus.temperature"));
  Model again = import_onnx(folder / "m.onnx", {});
  EXPECT_EQ(again.temperature(), 1);
  std::vector<std::uint8_t> pixels(48 * 48);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 37);
  const ImageView face{pixels.data(), 48, 48};
  Predictor before(std::move(model)), after(std::move(again));
  const Probabilities expected = before.predict(face), got = after.predict(face);
  for (std::size_t k = 0; k < kClasses; ++k) EXPECT_NEAR(got[k], expected[k], 1e-6);
}

TEST(OnnxExportTest, ComesBackBitForBit) {
  const TemporaryFolder folder;
  for (const Preprocessing preprocessing : {Preprocessing::ferplus, Preprocessing::raw}) {
    Model model = random_model("vgg_mini", preprocessing);
    model.metadata.merge(std::map<std::string, std::string>{
        {"data", "0123"}, {"from", "a.safetensors"}, {"origins", "[]"}});
    export_onnx(folder / "a.onnx", model, {});
    const Model again = import_onnx(folder / "a.onnx", {});
    EXPECT_EQ(again.preprocessing(), preprocessing);
    for (const char* key : {"data", "from", "origins"}) {
      EXPECT_EQ(again.metadata.at(key), model.metadata.at(key));
    }
    EXPECT_EQ(again.metadata.at("mode"), "majority");
    const FoldedNetwork folded = fold_batch_norm(model.network, model.parameters);
    EXPECT_TRUE(std::ranges::equal(again.parameters.values(), folded.parameters.values()));
    // The layers' names are the importer's from now on.
    export_onnx(folder / "b.onnx", again, {});
    const Model third = import_onnx(folder / "b.onnx", {});
    EXPECT_TRUE(std::ranges::equal(third.parameters.values(), folded.parameters.values()));
    export_onnx(folder / "c.onnx", third, {});
    EXPECT_TRUE(read_text(folder / "c.onnx") == read_text(folder / "b.onnx"));
  }
}

// A layer of each kind, with options that no model of the table has.
TEST(OnnxExportTest, EveryKindOfLayer) {
  Network network("odd", {1, 64, 64, 1});
  network.add("bn0", make_batch_norm({.epsilon = 0.25}));
  network.add("conv1", make_conv2d({.filters = 6,
                                    .kernel = 4,
                                    .stride = 3,
                                    .tail = {.relu = true},
                                    .padding = Padding{1, 2, 3, 0}}));
  network.add("conv2", make_conv2d({.filters = 5, .kernel = 2, .bias = false}));
  network.add("relu2", make_relu());
  network.add("pool2", make_max_pool({.size = 3, .stride = 2, .padding = {0, 1, 2, 1}}));
  network.add("bn2", make_batch_norm({}));
  network.add(
      "mean2",
      make_average_pool(
          {.height = 2, .width = 3, .stride = 2, .padding = {1, 0, 0, 2}, .count_padding = true}));
  network.add("mean3", make_average_pool({.stride = 1, .padding = {1, 1, 0, 0}}));
  network.add("drop3", make_dropout({.rate = 0.5}));
  network.add("fc4", make_dense({.units = 7, .bias = false}));
  network.add("relu4", make_relu());
  network.add("bn4", make_batch_norm({}));
  network.add("fc5", make_dense({.units = 8}));
  Parameters parameters(network);
  initialize(network, parameters, Initialization::he_normal, 3);
  const Model model{std::move(network), std::move(parameters), {{"preprocessing", "ferplus"}}};
  const TemporaryFolder folder;
  const OnnxExportReport report = export_onnx(folder / "a.onnx", model, {});
  EXPECT_LT(report.largest_difference, 1e-5);
  export_onnx(folder / "b.onnx", import_onnx(folder / "a.onnx", {}), {});
  export_onnx(folder / "c.onnx", import_onnx(folder / "b.onnx", {}), {});
  EXPECT_TRUE(read_text(folder / "c.onnx") == read_text(folder / "b.onnx"));
}

TEST(OnnxExportTest, ZooGraphHasTheNamesThatProgramsKnow) {
  const TemporaryFolder folder;
  for (const char* network : {"vgg13", "vgg13_bn"}) {
    SCOPED_TRACE(network);
    const Model source = random_model(network, Preprocessing::raw);
    export_onnx(folder / "zoo.onnx", source, {.layout = OnnxLayout::zoo});
    const onnx::ModelProto model = read_proto(folder / "zoo.onnx");
    const onnx::GraphProto& graph = model.graph();
    EXPECT_EQ(model.ir_version(), 3);
    EXPECT_EQ(model.opset_import(0).version(), 8);
    EXPECT_EQ(graph.node_size(), 52);
    EXPECT_EQ(graph.input(0).name(), "Input3");
    EXPECT_EQ(graph.output(0).name(), "Plus692_Output_0");
    // Every initializer is an input too.
    EXPECT_EQ(graph.input_size(), 1 + graph.initializer_size());
    std::map<std::string, std::string> shapes;
    for (const auto& tensor : graph.initializer()) {
      std::string& shape = shapes[tensor.name()];
      for (const auto d : tensor.dims()) shape += std::to_string(d) + " ";
    }
    EXPECT_EQ(shapes.at("Parameter3"), "64 1 3 3 ");
    EXPECT_EQ(shapes.at("Parameter4"), "64 1 1 ");
    EXPECT_EQ(shapes.at("Parameter695"), "256 256 3 3 ");
    EXPECT_EQ(shapes.at("Parameter1367"), "256 4 4 1024 ");
    EXPECT_EQ(shapes.at("Parameter1403"), "1024 1024 ");
    EXPECT_EQ(shapes.at("Parameter1693"), "1024 8 ");
    std::string convolutions, pools, others;
    for (const auto& node : graph.node()) {
      (node.op_type() == "Conv"      ? convolutions
       : node.op_type() == "MaxPool" ? pools
                                     : others) += node.name() + " ";
    }
    EXPECT_EQ(convolutions,
              "Convolution362 Convolution380 Convolution418 Convolution436 Convolution474 "
              "Convolution492 Convolution510 Convolution548 Convolution566 Convolution584 ");
    EXPECT_EQ(pools, "Pooling398 Pooling454 Pooling528 Pooling602 ");
    for (const char* name : {"Times622", "Plus624", "ReLU636", "Times656", "Plus658", "ReLU670",
                             "Times690", "Plus692"}) {
      EXPECT_THAT(others, HasSubstr(name));
    }

    // Back as vgg13, and out again the same.
    const Model again = import_onnx(folder / "zoo.onnx", {});
    EXPECT_EQ(again.network.name(), "vgg13");
    const FoldedNetwork folded = fold_batch_norm(source.network, source.parameters);
    EXPECT_TRUE(std::ranges::equal(again.parameters.values(), folded.parameters.values()));
    export_onnx(folder / "again.onnx", again, {.layout = OnnxLayout::zoo});
    EXPECT_TRUE(read_text(folder / "again.onnx") == read_text(folder / "zoo.onnx"));
  }
}

TEST(OnnxExportTest, RefusesWhatDoesNotFitAndWritesNothing) {
  const TemporaryFolder folder;
  const auto message = [&](const Model& model, const OnnxExportOptions& options) {
    return message_of<Error>([&] { export_onnx(folder / "m.onnx", model, options); });
  };
  const OnnxExportOptions zoo{.layout = OnnxLayout::zoo};
  EXPECT_THAT(message(random_model("vgg13", Preprocessing::ferplus), zoo),
              HasSubstr("--preprocessing raw"));
  EXPECT_THAT(message(random_model("vgg_mini", Preprocessing::raw), zoo),
              HasSubstr("--layout modern"));
  EXPECT_THAT(message(random_model("vgg_mini", Preprocessing::raw),
                      {.layout = OnnxLayout::zoo, .softmax = true}),
              HasSubstr("softmax"));
  Model broken = random_model("vgg_mini", Preprocessing::ferplus);
  std::ranges::fill(broken.parameters.values(), 1e15f);  // logits overflow
  EXPECT_THAT(message(broken, {}), HasSubstr("nothing was written"));
  std::ranges::fill(broken.parameters.values(), std::nanf(""));
  EXPECT_THAT(message(broken, {}), HasSubstr("not finite"));
  Model untold = random_model("vgg_mini", Preprocessing::ferplus);
  untold.metadata["preprocessing"] = kUnknownPreprocessing;
  EXPECT_THAT(message(untold, {}), HasSubstr("--preprocessing"));
  EXPECT_EQ(folder.entries(), 0);
  EXPECT_EQ(onnx_layout_from_name("zoo"), OnnxLayout::zoo);
  EXPECT_THROW(onnx_layout_from_name("zo"), UsageError);
}

}  // namespace
}  // namespace ferplus
