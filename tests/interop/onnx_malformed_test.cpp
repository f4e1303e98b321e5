// What the importer refuses, and that it says where.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/nn/session.h>

#include "interop/graph_builder.h"
#include "support/shared.h"
#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string message(GraphBuilder& graph) {
  return message_of<Error>([&] { graph.import(); });
}

// A convolution with a bias, then a dense layer; changed before it is imported.
std::string message_after(const std::function<void(GraphBuilder&)>& change) {
  GraphBuilder graph;
  graph.node("Conv", {graph.floats({2, 1, 3, 3}), graph.floats({2})})
      .attribute("strides", std::vector<std::int64_t>{4, 4})
      .attribute("auto_pad", "SAME_UPPER");
  graph.dense(512);
  change(graph);
  return message(graph);
}

TEST(OnnxMalformedTest, TheGraphThatTheOthersChangeIsSound) {
  GraphBuilder graph;
  graph.node("Conv", {graph.floats({2, 1, 3, 3}), graph.floats({2})})
      .attribute("strides", std::vector<std::int64_t>{4, 4})
      .attribute("auto_pad", "SAME_UPPER");
  EXPECT_EQ(graph.dense(512).import().network.output(), Shape({1, 8}));
}

TEST(OnnxMalformedTest, BytesThatAreNoModel) {
  const auto read = [](const std::string& bytes) {
    return message_of<Error>(
        [&] { import_onnx(std::as_bytes(std::span(bytes)), "file.onnx", {}); });
  };
  EXPECT_THAT(read(""), AllOf(HasSubstr("file.onnx"), HasSubstr("not an ONNX model")));
  EXPECT_THAT(read("no model at all, only text"), HasSubstr("not an ONNX model"));
  const std::string whole = read_text(test_files() / "onnx" / "zoo_opset8.onnx");
  ASSERT_GT(whole.size(), 10000u);
  for (std::size_t length = 1; length < whole.size(); length += 501) {
    EXPECT_NE(read(whole.substr(0, length)), "") << length;
  }
  EXPECT_THAT(message_of<Error>([] { import_onnx("/nowhere/m.onnx", {}); }),
              HasSubstr("/nowhere/m.onnx"));
}

TEST(OnnxMalformedTest, Tensors) {
  const auto tensor = [](const std::function<void(onnx::TensorProto&)>& change) {
    return message_after([&](GraphBuilder& graph) { change(graph.initializer(0)); });
  };
  EXPECT_THAT(tensor([](auto& t) { t.set_dims(0, 3); }),
              AllOf(HasSubstr("'Conv1' (Conv)"), HasSubstr("'c1'"), HasSubstr("3x1x3x3")));
  EXPECT_THAT(tensor([](auto& t) { t.set_dims(0, std::int64_t{1} << 62); }),
              HasSubstr("impossible"));
  EXPECT_THAT(tensor([](auto& t) { t.set_dims(0, -2); }), HasSubstr("impossible"));
  EXPECT_THAT(tensor([](auto& t) {
                t.set_dims(0, 0);
                t.set_dims(1, std::int64_t{1} << 33);
                t.set_dims(2, std::int64_t{1} << 40);
              }),
              HasSubstr("impossible"));
  EXPECT_THAT(tensor([](auto& t) {
                for (int i = 0; i < 20; ++i) t.add_dims(1);
              }),
              HasSubstr("impossible"));
  EXPECT_THAT(tensor([](auto& t) { t.set_data_type(onnx::TensorProto::DOUBLE); }),
              HasSubstr("DOUBLE"));
  EXPECT_THAT(tensor([](auto& t) { t.set_data_type(onnx::TensorProto::FLOAT16); }),
              HasSubstr("FLOAT16"));
  EXPECT_THAT(tensor([](auto& t) { t.set_data_type(12345); }), HasSubstr("12345"));
  EXPECT_THAT(tensor([](auto& t) { t.set_data_type(onnx::TensorProto::INT32); }),
              HasSubstr("not float"));
  EXPECT_THAT(tensor([](auto& t) { t.mutable_raw_data()->replace(0, 4, "\xff\xff\xff\x7f"); }),
              HasSubstr("not finite"));
  EXPECT_THAT(tensor([](auto& t) { t.mutable_raw_data()->pop_back(); }), HasSubstr("values"));
  EXPECT_THAT(tensor([](auto& t) { t.clear_raw_data(); }), HasSubstr("has 0 values"));
  EXPECT_THAT(tensor([](auto& t) { t.set_data_location(onnx::TensorProto::EXTERNAL); }),
              HasSubstr("another file"));
  EXPECT_THAT(tensor([](auto& t) { t.mutable_segment()->set_begin(0); }), HasSubstr("part"));
  EXPECT_THAT(tensor([](auto& t) { t.set_name("other"); }),
              AllOf(HasSubstr("'c1'"), HasSubstr("nothing makes")));
  EXPECT_THAT(tensor([](auto& t) { t.set_name("c2"); }), HasSubstr("twice"));
}

TEST(OnnxMalformedTest, Graphs) {
  EXPECT_THAT(message_after([](auto& g) { g.graph().mutable_node(0)->set_input(0, "v2"); }),
              HasSubstr("made after it"));  // a cycle
  EXPECT_THAT(message_after([](auto& g) { g.graph().mutable_node()->SwapElements(0, 1); }),
              AllOf(HasSubstr("Flatten"), HasSubstr("made after it")));
  EXPECT_THAT(message_after([](auto& g) { g.graph().mutable_node(2)->set_output(0, "v1"); }),
              HasSubstr("made twice"));
  EXPECT_THAT(message_after([](auto& g) { g.graph().clear_input(); }), HasSubstr("no input"));
  EXPECT_THAT(message_after([](auto& g) { g.graph().add_input()->set_name("y"); }),
              HasSubstr("two inputs"));
  EXPECT_THAT(message_after([](auto& g) { g.value = "nothing"; }), HasSubstr("'nothing'"));
  EXPECT_THAT(message_after([](auto& g) { g.value = "v1"; }), HasSubstr("1x2x16x16"));
  EXPECT_THAT(message_after([](auto& g) {
                g.graph().add_output()->set_name("v2");
                g.graph().add_output()->set_name("v3");
              }),
              HasSubstr("2 outputs"));
  EXPECT_THAT(message_after([](auto& g) { g.model.mutable_opset_import(0)->set_version(99); }),
              HasSubstr("opset 99"));
  EXPECT_THAT(message_after([](auto& g) { g.model.clear_opset_import(); }), HasSubstr("opset 0"));
  EXPECT_THAT(
      message_after([](auto& g) { g.graph().mutable_node(0)->set_domain("com.microsoft"); }),
      HasSubstr("com.microsoft"));
  EXPECT_THAT(message_after([](auto& g) { g.graph().mutable_node(0)->set_op_type("LSTM"); }),
              AllOf(HasSubstr("made.onnx: node 'Conv1' (LSTM)"), HasSubstr("not supported")));
  EXPECT_THAT(message_after([](auto& g) {
                g.graph().mutable_node(0)->set_op_type("LSTM");
                g.graph().mutable_node(0)->clear_name();
              }),
              HasSubstr("node number 1 (LSTM)"));
  const auto with_input = [](std::initializer_list<int> dims, int type) {
    return message_after([&](auto& g) {
      auto& tensor = *g.graph().mutable_input(0)->mutable_type()->mutable_tensor_type();
      tensor.set_elem_type(type);
      tensor.mutable_shape()->clear_dim();
      for (const int d : dims) tensor.mutable_shape()->add_dim()->set_dim_value(d);
    });
  };
  EXPECT_THAT(with_input({1, 3, 64, 64}, onnx::TensorProto::FLOAT), HasSubstr("1x3x64x64"));
  EXPECT_THAT(with_input({1, 1, 48, 48}, onnx::TensorProto::FLOAT), HasSubstr("1x1x48x48"));
  EXPECT_THAT(with_input({1, 4096}, onnx::TensorProto::FLOAT), HasSubstr("1x4096"));
  EXPECT_THAT(with_input({1, 1, 64, 64}, onnx::TensorProto::UINT8), HasSubstr("not of type float"));
  EXPECT_THAT(with_input({1 << 20, 1, 64, 64}, onnx::TensorProto::FLOAT), HasSubstr("batch"));
}

TEST(OnnxMalformedTest, Attributes) {
  const auto conv = [](const std::function<void(GraphBuilder&)>& add) {
    GraphBuilder graph;
    graph.node("Conv", {graph.floats({2, 1, 3, 3})});
    add(graph);
    graph.dense(512);
    return message(graph);
  };
  using List = std::vector<std::int64_t>;
  EXPECT_THAT(conv([](auto& g) { g.attribute("strides", List{1, 2}); }), HasSubstr("strides"));
  EXPECT_THAT(conv([](auto& g) { g.attribute("strides", List{0, 0}); }), HasSubstr("strides"));
  EXPECT_THAT(conv([](auto& g) { g.attribute("strides", 2); }), HasSubstr("INTS"));
  EXPECT_THAT(conv([](auto& g) { g.attribute("pads", List{1, 1}); }), HasSubstr("pads"));
  EXPECT_THAT(conv([](auto& g) { g.attribute("pads", List{3, 0, 0, 0}); }), HasSubstr("padding"));
  EXPECT_THAT(conv([](auto& g) { g.attribute("pads", List{-1, 0, 0, 0}); }), HasSubstr("pads"));
  EXPECT_THAT(conv([](auto& g) { g.attribute("auto_pad", "SAME"); }), HasSubstr("'SAME'"));
  EXPECT_THAT(conv([](auto& g) { g.attribute("group", 3); }), HasSubstr("3 groups"));
  EXPECT_THAT(conv([](auto& g) {
                g.attribute("kernel_shape", List{5, 5});
              }),
              HasSubstr("kernel_shape"));
  EXPECT_THAT(conv([](auto& g) {
                g.attribute("dilations", List{200, 200});
              }),
              HasSubstr("dilated"));
  EXPECT_THAT(conv([](auto& g) { g.attribute("sparkle", 1); }), HasSubstr("'sparkle'"));
}

TEST(OnnxMalformedTest, OperatorsThatDoNotFit) {
  const auto after = [](const std::function<void(GraphBuilder&)>& add) {
    GraphBuilder graph;
    add(graph);
    graph.dense(4096);
    return message(graph);
  };
  using List = std::vector<std::int64_t>;
  EXPECT_THAT(after([](auto& g) { g.node("Add", {g.value}); }), HasSubstr("two branches"));
  // Both ReLUs are needed: one for its values, one for its shape.
  EXPECT_THAT(after([](auto& g) {
                g.node("Relu").node("Relu").node("Shape");
                g.value = "v1";
                g.node("Reshape", {"v3"});
              }),
              HasSubstr("other layers use too"));
  EXPECT_THAT(after([](auto& g) { g.node("Softmax"); }), HasSubstr("Softmax"));
  GraphBuilder renamed;
  renamed.dense(4096).node("Softmax").node("Identity");
  EXPECT_NO_THROW(renamed.import());
  EXPECT_THAT(after([](auto& g) {
                const std::string huge = g.floats({}, {3e38f});
                g.node("Mul", {huge}).node("Mul", {huge});
              }),
              HasSubstr("not finite"));
  EXPECT_THAT(after([](auto& g) { g.node("Add", {g.floats({64, 64})}); }), HasSubstr("channels"));
  EXPECT_THAT(after([](auto& g) { g.node("Add", {g.floats({63})}); }), HasSubstr("does not fit"));
  EXPECT_THAT(after([](auto& g) {
                g.node("Add", {g.floats({1, 2, 1, 1})});
              }),
              HasSubstr("does not fit"));
  EXPECT_THAT(after([](auto& g) { g.node("Div", {g.floats({}, {0})}); }), HasSubstr("by 0"));
  EXPECT_THAT(after([](auto& g) {
                g.node("Reshape", {g.integers({0, -1, 7})});
              }),
              HasSubstr("reshape"));
  EXPECT_THAT(after([](auto& g) {
                g.node("Reshape", {g.integers({0, 1, 48, -1})});
              }),
              HasSubstr("reshape"));
  EXPECT_THAT(after([](auto& g) {
                g.node("Reshape", {g.integers({0, 32, 128})});
              }),
              HasSubstr("regroups"));
  EXPECT_THAT(after([](auto& g) {
                g.node("Transpose").attribute("perm", List{0, 0, 1, 2});
              }),
              HasSubstr("perm"));
  EXPECT_THAT(after([](auto& g) {
                g.node("Transpose").attribute("perm", List{0, 1, 3, 2});
                g.node("MaxPool").attribute("kernel_shape", List{2, 2});
              }),
              HasSubstr("rows, columns"));
  EXPECT_THAT(after([](auto& g) {
                g.node("MaxPool").attribute("kernel_shape", List{2, 3});
              }),
              HasSubstr("square"));
  EXPECT_THAT(after([](auto& g) {
                g.node("MaxPool").attribute("kernel_shape", List{99, 99});
              }),
              HasSubstr("size"));
  EXPECT_THAT(after([](auto& g) {
                g.node("BatchNormalization",
                       {g.floats({1}), g.floats({1}), g.floats({1}), g.floats({1}, {-1})});
              }),
              HasSubstr("variance"));
  EXPECT_THAT(after([](auto& g) {
                g.node("MatMul", {g.floats({64, 64})});
              }),
              HasSubstr("batch, features"));
  EXPECT_THAT(after([](auto& g) { g.dense(100); }), HasSubstr("100 features"));
  EXPECT_THAT(after([](auto& g) { g.dense(4096); }), HasSubstr("4096 features"));
  GraphBuilder seven;
  seven.node("Flatten").node("Gemm", {seven.floats({4096, 7})});
  EXPECT_THAT(message(seven), HasSubstr("1x7"));
}

// A file of a few bytes cannot ask for gigabytes.
TEST(OnnxMalformedTest, SmallFilesCannotFillTheMemory) {
  GraphBuilder doubling;
  doubling.integers({1, 2, 3, 4});
  std::string list = "c1";
  for (int i = 0; i < 60; ++i) {
    auto& node = *doubling.graph().add_node();
    node.set_op_type("Concat");
    for (int k = 0; k < 2; ++k) node.add_input(list);
    list = "list" + std::to_string(i);
    node.add_output(list);
    auto& axis = *node.add_attribute();
    axis.set_name("axis");
    axis.set_type(onnx::AttributeProto::INT);
    axis.set_i(0);
  }
  doubling.node("Reshape", {list});
  EXPECT_THAT(message(doubling), AllOf(HasSubstr("Concat"), HasSubstr("far larger")));

  GraphBuilder filled;
  auto& node = *filled.graph().add_node();
  node.set_op_type("ConstantOfShape");
  node.add_input(filled.integers({1 << 15, 1 << 15}));
  node.add_output("zeros");
  filled.node("Add", {"zeros"});
  EXPECT_THAT(message(filled), HasSubstr("far larger"));

  // Depthwise weights are small, the full ones that they stand for are not.
  GraphBuilder depthwise;
  depthwise.node("Conv", {depthwise.floats({2000, 1, 1, 1})})
      .attribute("strides", std::vector<std::int64_t>{64, 64});
  depthwise.node("Conv", {depthwise.floats({2000, 1, 1, 1})}).attribute("group", 2000);
  EXPECT_THAT(message(depthwise.dense(2000)), HasSubstr("far larger"));

  GraphBuilder wide;
  wide.node("Conv", {wide.floats({5000, 1, 1, 1})});
  EXPECT_THAT(message(wide), HasSubstr("too large"));
}

}  // namespace
}  // namespace ferplus
