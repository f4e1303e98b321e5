// Operators in forms that no committed graph has: each graph against one that says the same in
// another way, or against what the operator means.
#include <cmath>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/nn/layers.h>
#include <ferplus/nn/session.h>

#include "interop/graph_builder.h"
#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using List = std::vector<std::int64_t>;

std::vector<float> logits_of(const Model& model) {
  const PreparedModel prepared(model.network, model.parameters);
  Session session(prepared, 1);
  const TensorView input = session.input(1);
  for (Index i = 0; i < input.elements(); ++i) {
    input.data[i] = std::sin(0.37f * static_cast<float>(i % 1013));
  }
  const ConstTensorView logits = session.forward(1, prepared);
  return {logits.data, logits.data + logits.elements()};
}

void expect_same(GraphBuilder a, GraphBuilder b) {
  const std::vector<float> left = logits_of(a.import()), right = logits_of(b.import());
  float largest = 0;
  for (std::size_t k = 0; k < left.size(); ++k) {
    EXPECT_NEAR(left[k], right[k], 2e-5 * std::max(1.0f, std::abs(right[k])));
    largest = std::max(largest, std::abs(right[k]));
  }
  EXPECT_GT(largest, 1e-3) << "nothing was compared";
}

// A convolution of 2x2 to two channels, for others to follow.
GraphBuilder two_channels() {
  GraphBuilder graph;
  graph.node("Conv", {graph.floats({2, 1, 2, 2})}).attribute("strides", List{4, 4});
  return graph;
}

TEST(OnnxOperatorsTest, AutomaticPadding) {
  const auto conv = [](const char* automatic, const List& pads) {
    GraphBuilder graph;
    graph.node("Conv", {graph.floats({3, 1, 4, 4})}).attribute("strides", List{3, 3});
    if (automatic != nullptr) graph.attribute("auto_pad", automatic);
    if (!pads.empty()) graph.attribute("pads", pads);
    return graph;
  };
  // 22 windows of 4 by 3 over 64: 3 in all.
  expect_same(conv("SAME_UPPER", {}).dense(3 * 22 * 22), conv(nullptr, {1, 1, 2, 2}).dense(1452));
  expect_same(conv("SAME_LOWER", {}).dense(3 * 22 * 22), conv(nullptr, {2, 2, 1, 1}).dense(1452));
  expect_same(conv("VALID", {}).dense(3 * 21 * 21), conv(nullptr, {0, 0, 0, 0}).dense(1323));
  EXPECT_NE(logits_of(conv("SAME_UPPER", {}).dense(1452).import()),
            logits_of(conv("SAME_LOWER", {}).dense(1452).import()));
}

TEST(OnnxOperatorsTest, PadBeforeAWindow) {
  GraphBuilder padded;
  padded.node("Pad", {padded.integers({0, 0, 2, 1, 0, 0, 0, 3})});
  padded.node("Conv", {padded.floats({2, 1, 4, 4})}).attribute("strides", List{2, 2});
  GraphBuilder plain;
  plain.integers({0});
  plain.node("Conv", {plain.floats({2, 1, 4, 4})})
      .attribute("strides", List{2, 2})
      .attribute("pads", List{2, 1, 0, 3});
  expect_same(padded.dense(2 * 32 * 33), plain.dense(2 * 32 * 33));

  GraphBuilder pooled = two_channels(), counted = two_channels();
  pooled.node("Pad", {pooled.integers({0, 0, 1, 1, 0, 0, 1, 1})})
      .node("AveragePool")
      .attribute("kernel_shape", List{3, 3})
      .attribute("strides", List{2, 2});
  counted.integers({0});
  counted.node("AveragePool")
      .attribute("kernel_shape", List{3, 3})
      .attribute("strides", List{2, 2})
      .attribute("pads", List{1, 1, 1, 1})
      .attribute("count_include_pad", 1);
  expect_same(pooled.dense(2 * 8 * 8), counted.dense(2 * 8 * 8));
}

// Pads as PyTorch computes them: last axis first, turned by a slice with a step of -1.
TEST(OnnxOperatorsTest, ComputedPads) {
  GraphBuilder computed, plain;
  // Columns before and after, rows before and after, then nothing for channels and batch.
  const std::string pads = computed.integers({1, 3, 2, 0, 0, 0, 0, 0});
  const auto step = [&](const std::string& op, const std::vector<std::string>& inputs) {
    auto& node = *computed.graph().add_node();
    node.set_op_type(op);
    for (const std::string& input : inputs) node.add_input(input);
    node.add_output(op + "_of_pads");
    return node.output(0);
  };
  const std::string pairs = step("Reshape", {pads, computed.integers({-1, 2})});
  const std::string turned =
      step("Slice", {pairs, computed.integers({-1}), computed.integers({INT64_MIN + 1}),
                     computed.integers({0}), computed.integers({-1})});
  const std::string columns = step("Transpose", {turned});
  const std::string flat = step("Unsqueeze", {columns, computed.integers({0})});
  const std::string list = step("Identity", {flat});
  const std::string cast = step("Squeeze", {list, computed.integers({0})});
  auto& last = *computed.graph().add_node();
  last.set_op_type("Reshape");
  last.add_input(cast);
  last.add_input(computed.integers({8}));
  last.add_output("pads");
  computed.node("Pad", {"pads"});
  computed.node("Conv", {computed.floats({2, 1, 4, 4})}).attribute("strides", List{2, 2});
  plain.node("Pad", {plain.integers({0, 0, 2, 1, 0, 0, 0, 3})});
  for (int i = 0; i < 8; ++i) plain.integers({0});
  plain.node("Conv", {plain.floats({2, 1, 4, 4})}).attribute("strides", List{2, 2});
  expect_same(computed.dense(2 * 32 * 33), plain.dense(2 * 32 * 33));
}

TEST(OnnxOperatorsTest, CeilModeAddsTheLastWindow) {
  const auto pool = [](const char* op, std::int64_t ceil) {
    GraphBuilder graph = two_channels();  // 16×16
    graph.node(op)
        .attribute("kernel_shape", List{3, 3})
        .attribute("strides", List{2, 2})
        .attribute("ceil_mode", ceil);
    return graph;
  };
  for (const char* op : {"MaxPool", "AveragePool"}) {
    EXPECT_NO_THROW(pool(op, 0).dense(2 * 7 * 7).import()) << op;
    EXPECT_NO_THROW(pool(op, 1).dense(2 * 8 * 8).import()) << op;
  }
}

TEST(OnnxOperatorsTest, ArithmeticWithConstants) {
  // -((3 - x)·2 + 1)/4 = x/2 - 1.75
  GraphBuilder steps = two_channels(), once = two_channels();
  steps.node("Relu");
  steps.node("Identity");
  const std::string three = steps.floats({}, {3});
  auto& sub = *steps.graph().add_node();
  sub.set_op_type("Sub");
  sub.add_input(three);
  sub.add_input(steps.value);
  sub.add_output("three_minus_x");
  steps.value = "three_minus_x";
  steps.node("Mul", {steps.floats({1}, {2})});
  steps.node("Add", {steps.floats({1, 1, 1, 1}, {1})});
  steps.node("Div", {steps.floats({2, 1, 1}, {-4, -4})});
  once.node("Relu");
  for (int i = 0; i < 4; ++i) once.integers({0});
  once.node("Mul", {once.floats({}, {0.5f})});
  once.node("Sub", {once.floats({}, {1.75f})});
  expect_same(steps.dense(2 * 16 * 16), once.dense(2 * 16 * 16));
}

TEST(OnnxOperatorsTest, AConstantThatIsNotANumberIsRefused) {
  GraphBuilder graph = two_channels();
  auto& node = *graph.graph().add_node();
  node.set_op_type("Div");
  node.add_input(graph.floats({}, {0}));
  node.add_input(graph.floats({}, {0}));
  node.add_output("nan");
  graph.node("Mul", {"nan"});
  graph.dense(512);
  EXPECT_THAT(message_of<Error>([&] { graph.import(); }), testing::HasSubstr("not finite"));
}

TEST(OnnxOperatorsTest, LegacyBroadcastFromAnAxis) {
  GraphBuilder legacy = two_channels(), modern = two_channels();
  legacy.model.mutable_opset_import(0)->set_version(6);
  legacy.node("Add", {legacy.floats({2}, {0.5f, -1})}).attribute("broadcast", 1);
  legacy.attribute("axis", 1);
  modern.node("Add", {modern.floats({2, 1, 1}, {0.5f, -1})});
  expect_same(legacy.dense(512), modern.dense(512));
}

TEST(OnnxOperatorsTest, MatricesInAnyForm) {
  std::vector<float> weights, transposed(512 * 8), doubled;
  for (int i = 0; i < 512 * 8; ++i)
    weights.push_back(0.001f * static_cast<float>(i * 7 % 101 - 50));
  for (std::size_t i = 0; i < weights.size(); ++i) {
    transposed[i % 8 * 512 + i / 8] = weights[i];
    doubled.push_back(2 * weights[i]);
  }
  const std::vector<float> bias = {1, 2, 3, 4, 5, 6, 7, 8};
  GraphBuilder plain = two_channels(), turned = two_channels(), scaled = two_channels(),
               separate = two_channels();
  plain.node("Flatten").node("Gemm", {plain.floats({512, 8}, weights), plain.floats({8}, bias)});
  turned.node("Flatten").attribute("axis", -3);
  turned.node("Gemm", {turned.floats({8, 512}, transposed), turned.floats({1, 8}, bias)});
  turned.attribute("transB", 1);
  expect_same(plain, turned);
  separate.node("Reshape", {separate.integers({0, -1})});
  separate.node("MatMul", {separate.floats({512, 8}, doubled)});
  separate.node("Mul", {separate.floats({}, {0.5f})});
  separate.node("Add", {separate.floats({8}, bias)});
  expect_same(plain, separate);
}

TEST(OnnxOperatorsTest, FlattenedInRowsColumnsChannels) {
  // The same weights, their rows in the other order.
  std::vector<float> chw(512 * 8), hwc(512 * 8);
  for (std::size_t c = 0; c < 2; ++c) {
    for (std::size_t pixel = 0; pixel < 256; ++pixel) {
      for (std::size_t k = 0; k < 8; ++k) {
        const float value = 0.01f * static_cast<float>((c * 37 + pixel * 11 + k * 5) % 61) - 0.3f;
        chw[(c * 256 + pixel) * 8 + k] = value;
        hwc[(pixel * 2 + c) * 8 + k] = value;
      }
    }
  }
  GraphBuilder plain = two_channels(), turned = two_channels();
  plain.node("Flatten").node("MatMul", {plain.floats({512, 8}, chw)});
  turned.node("Transpose").attribute("perm", List{0, 2, 3, 1});
  turned.node("Unsqueeze", {turned.integers({0})});
  turned.node("Squeeze", {turned.integers({0})});
  turned.node("Reshape", {turned.integers({0, 256, -1})});
  turned.node("Reshape", {turned.integers({0, 512})});
  turned.node("MatMul", {turned.floats({512, 8}, hwc)});
  expect_same(plain, turned);
}

TEST(OnnxOperatorsTest, GroupedIsBlockwise) {
  GraphBuilder grouped = two_channels(), full = two_channels();
  grouped.node("Conv", {grouped.floats({4, 1, 1, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})})
      .attribute("group", 2);
  full.node("Conv", {full.floats({4, 2, 1, 3}, {1, 2, 3, 0, 0, 0, 4, 5, 6, 0,  0,  0,  //
                                                0, 0, 0, 7, 8, 9, 0, 0, 0, 10, 11, 12})});
  expect_same(grouped.dense(4 * 16 * 14), full.dense(4 * 16 * 14));
}

TEST(OnnxOperatorsTest, ABatchOfAnySizeIsOneImageEach) {
  const auto with_batch = [](std::int64_t batch) {
    GraphBuilder graph = two_channels();
    graph.graph()
        .mutable_input(0)
        ->mutable_type()
        ->mutable_tensor_type()
        ->mutable_shape()
        ->mutable_dim(0)
        ->set_dim_value(batch);
    graph.node("Reshape", {graph.integers({batch, 512})});
    graph.node("MatMul", {graph.floats({512, 8})});
    return graph;
  };
  expect_same(with_batch(1), with_batch(5));
}

}  // namespace
}  // namespace ferplus
