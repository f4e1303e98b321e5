// Small ONNX graphs made by hand, to be imported whole or broken.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include <ferplus/interop/onnx.h>

namespace ferplus {

// A valid graph of opset 13: input [N, 1, 64, 64] → nodes in a row → Flatten → Gemm → logits [N,
// 8].
class GraphBuilder {
 public:
  GraphBuilder() {
    model.set_ir_version(8);
    model.add_opset_import()->set_version(13);
    auto& input = *graph().add_input();
    input.set_name("x");
    auto& tensor = *input.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(onnx::TensorProto::FLOAT);
    tensor.mutable_shape()->add_dim()->set_dim_param("N");
    for (const int d : {1, 64, 64}) tensor.mutable_shape()->add_dim()->set_dim_value(d);
  }

  onnx::GraphProto& graph() { return *model.mutable_graph(); }
  onnx::TensorProto& initializer(int i) { return *graph().mutable_initializer(i); }
  onnx::NodeProto& last_node() { return *graph().mutable_node(graph().node_size() - 1); }

  // Takes the last value and these constants.
  GraphBuilder& node(const std::string& op, const std::vector<std::string>& constants = {}) {
    auto& added = *graph().add_node();
    added.set_op_type(op);
    added.set_name(op + std::to_string(graph().node_size()));
    added.add_input(value);
    for (const std::string& name : constants) added.add_input(name);
    value = "v" + std::to_string(graph().node_size());
    added.add_output(value);
    return *this;
  }
  GraphBuilder& attribute(const std::string& name, std::int64_t number) {
    auto& added = *last_node().add_attribute();
    added.set_name(name);
    added.set_type(onnx::AttributeProto::INT);
    added.set_i(number);
    return *this;
  }
  GraphBuilder& attribute(const std::string& name, const std::vector<std::int64_t>& numbers) {
    auto& added = *last_node().add_attribute();
    added.set_name(name);
    added.set_type(onnx::AttributeProto::INTS);
    for (const std::int64_t v : numbers) added.add_ints(v);
    return *this;
  }
  GraphBuilder& attribute(const std::string& name, const std::string& text) {
    auto& added = *last_node().add_attribute();
    added.set_name(name);
    added.set_type(onnx::AttributeProto::STRING);
    added.set_s(text);
    return *this;
  }
  // Values 0.01, 0.02, …, unless given. Returns the name.
  std::string floats(const std::vector<std::int64_t>& dims, std::vector<float> values = {}) {
    std::int64_t count = 1;
    for (const std::int64_t d : dims) count *= d;
    for (std::int64_t i = static_cast<std::int64_t>(values.size()); i < count; ++i) {
      values.push_back(0.01f * static_cast<float>(i % 97 - 40));
    }
    auto& tensor = constant(dims, onnx::TensorProto::FLOAT);
    tensor.set_raw_data(values.data(), values.size() * sizeof(float));
    return tensor.name();
  }
  std::string integers(const std::vector<std::int64_t>& values) {
    auto& tensor = constant({static_cast<std::int64_t>(values.size())}, onnx::TensorProto::INT64);
    for (const std::int64_t v : values) tensor.add_int64_data(v);
    return tensor.name();
  }

  // Ends in a dense layer of so many features.
  GraphBuilder& dense(std::int64_t features) {
    node("Flatten").node("Gemm", {floats({features, 8})});
    return *this;
  }
  std::string bytes() {
    if (graph().output_size() == 0) graph().add_output()->set_name(value);
    return model.SerializeAsString();
  }
  Model import() {
    const std::string text = bytes();
    return import_onnx(std::as_bytes(std::span(text)), "made.onnx", {});
  }

  onnx::ModelProto model;
  std::string value = "x";

 private:
  onnx::TensorProto& constant(const std::vector<std::int64_t>& dims, int type) {
    auto& tensor = *graph().add_initializer();
    tensor.set_name("c" + std::to_string(graph().initializer_size()));
    tensor.set_data_type(type);
    for (const std::int64_t d : dims) tensor.add_dims(d);
    return tensor;
  }
};

}  // namespace ferplus
