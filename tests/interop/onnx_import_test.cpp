// Graphs that CNTK, tf2onnx and PyTorch write (tools/make_onnx_graphs.py), against ONNX Runtime's
// logits.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/interop/onnx.h>
#include <ferplus/nn/layers.h>
#include <ferplus/nn/predictor.h>

#include "support/shared.h"
#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using testing::HasSubstr;

std::filesystem::path graph_file(const std::string& name) {
  return test_files() / "onnx" / (name + ".onnx");
}

// What make_onnx_graphs.py fed, gray 0 … 250.
std::vector<float> gray_input() {
  std::vector<float> values(kInputPixels);
  for (std::int64_t i = 0; i < kInputPixels; ++i) {
    values[static_cast<std::size_t>(i)] = static_cast<float>((i * i * 31 + i * 7) % 251);
  }
  return values;
}

std::vector<double> log_softmax(std::vector<double> logits) {
  const double largest = *std::ranges::max_element(logits);
  double sum = 0;
  for (const double v : logits) sum += std::exp(v - largest);
  for (double& v : logits) v -= largest + std::log(sum);
  return logits;
}

// The network's logits for a graph's input.
std::vector<double> logits_of(const Model& model, std::vector<float> input) {
  const PreparedModel prepared(model.network, model.parameters);
  Session session(prepared, 1);
  if (model.metadata.at("preprocessing") == "raw") {
    for (float& v : input) v = (v - kRawOffset) / kRawDivisor;
  }
  std::ranges::copy(input, session.input(1).data);
  const ConstTensorView logits = session.forward(1, prepared);
  return {logits.data, logits.data + logits.elements()};
}

class ForeignGraph : public testing::TestWithParam<std::string> {
 protected:
  std::vector<double> expected() const {
    std::ifstream in(test_files() / "onnx" / "expected.json");
    return nlohmann::json::parse(in).at(GetParam()).get<std::vector<double>>();
  }
  void expect_close(std::vector<double> got) const {
    std::vector<double> right = expected();
    // These graphs end in LogSoftmax.
    if (GetParam().starts_with("torch_odd")) got = log_softmax(got);
    ASSERT_EQ(got.size(), right.size());
    double worst = 0, spread = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      worst = std::max(worst, std::abs(got[i] - right[i]));
      spread = std::max(spread, std::abs(right[i] - right[0]));
    }
    EXPECT_GT(spread, 0.1) << "the classes must differ";
    EXPECT_LE(worst, 1e-4);
    RecordProperty("worst", std::to_string(worst));
  }
};

TEST_P(ForeignGraph, GivesTheLogitsOfOnnxRuntime) {
  const std::vector<float> gray = gray_input();
  for (const Preprocessing preprocessing : {Preprocessing::ferplus, Preprocessing::raw}) {
    SCOPED_TRACE(preprocessing_name(preprocessing));
    const Model model = import_onnx(graph_file(GetParam()), {.preprocessing = preprocessing});
    expect_close(logits_of(model, gray));
  }
}

TEST_P(ForeignGraph, SurvivesExportAndTheModelFile) {
  const TemporaryFolder folder;
  const Model model = import_onnx(graph_file(GetParam()), {.preprocessing = Preprocessing::raw});
  save_model(folder / "a.safetensors", model.network, model.parameters, model.metadata);
  const Model loaded = load_model(folder / "a.safetensors");
  expect_close(logits_of(loaded, gray_input()));
  export_onnx(folder / "b.onnx", loaded, {});
  const Model again = import_onnx(folder / "b.onnx", {});
  EXPECT_EQ(again.preprocessing(), Preprocessing::raw);
  expect_close(logits_of(again, gray_input()));
  export_onnx(folder / "c.onnx", again, {});
  // The content hash is of the arrays; nothing else may differ either.
  EXPECT_TRUE(read_text(folder / "c.onnx") == read_text(folder / "b.onnx"));
}

INSTANTIATE_TEST_SUITE_P(Files, ForeignGraph,
                         testing::Values("zoo_opset2", "zoo_opset7", "zoo_opset8", "nhwc",
                                         "computed", "torch_opset9", "torch_opset13",
                                         "torch_opset17", "torch_odd_opset9", "torch_odd_opset13",
                                         "torch_odd_opset17"),
                         [](const auto& parameter) { return parameter.param; });

TEST(OnnxImportTest, ZooGraphBecomesAPlainChain) {
  const Model model = import_onnx(graph_file("zoo_opset8"), {.preprocessing = Preprocessing::raw});
  std::string kinds;
  for (const Network::Entry& entry : model.network.layers()) kinds += entry.name + " ";
  EXPECT_EQ(kinds,
            "conv1 relu1 conv2 relu2 pool1 conv3 relu3 conv4 relu4 pool2 conv5 relu5 conv6 relu6 "
            "conv7 relu7 pool3 conv8 relu8 conv9 relu9 conv10 relu10 pool4 fc1 relu11 fc2 relu12 "
            "fc3 ");
  const Conv2dOptions expected{.filters = 2};
  EXPECT_EQ(model.network.layers()[0].layer->options(), LayerOptions(expected));
}

TEST(OnnxImportTest, OwnMetadataComesBackAndForeignDoesNot) {
  const Model model = import_onnx(graph_file("computed"), {});
  EXPECT_EQ(model.preprocessing(), Preprocessing::raw);
  EXPECT_EQ(model.metadata.at("note"), "kept");
  EXPECT_FALSE(model.metadata.contains("other"));
}

TEST(OnnxImportTest, WithoutPreprocessingTheModelIsRefusedUntilItIsTold) {
  const TemporaryFolder folder;
  const Model model = import_onnx(graph_file("zoo_opset8"), {});
  EXPECT_EQ(model.metadata.at("preprocessing"), kUnknownPreprocessing);
  save_model(folder / "zoo.safetensors", model.network, model.parameters, model.metadata);
  EXPECT_THAT(message_of<Error>([&] { Predictor(load_model(folder / "zoo.safetensors")); }),
              HasSubstr("--preprocessing"));
}

// A gray image of 64×64 needs no resizing: predicting is running the graph on it.
TEST(OnnxImportTest, RawPreprocessingIsWhatTheGraphOfTheZooWants) {
  std::vector<std::uint8_t> pixels;
  for (const float v : gray_input()) pixels.push_back(static_cast<std::uint8_t>(v));
  std::ifstream in(test_files() / "onnx" / "expected.json");
  const auto expected = log_softmax(nlohmann::json::parse(in).at("zoo_opset8"));
  // Not through Predictor, which averages faces of more than 48 pixels a side down first.
  const Model model = import_onnx(graph_file("zoo_opset8"), {.preprocessing = Preprocessing::raw});
  const PreparedModel prepared(model.network, model.parameters);
  Session session(prepared, 1);
  make_input({pixels.data(), 64, 64}, {0, 0, 64, 64}, {}, model.preprocessing(),
             {session.input(1).data, static_cast<std::size_t>(kInputPixels)});
  const ConstTensorView logits = session.forward(1, prepared);
  const Probabilities probabilities = softmax({logits.data, static_cast<std::size_t>(kClasses)});
  for (std::size_t k = 0; k < kClasses; ++k) {
    EXPECT_NEAR(std::log(static_cast<double>(probabilities[k])), expected[k], 1e-4);
  }
}

}  // namespace
}  // namespace ferplus
