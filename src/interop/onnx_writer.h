// A graph that is exported: nodes, initializers and attributes, added one by one.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <onnx/onnx_pb.h>

#include <ferplus/interop/onnx.h>
#include <ferplus/nn/network.h>

namespace ferplus::interop {

using Dims = std::vector<std::int64_t>;

// A node that is being written. Returns itself, for calls in a row.
class NodeWriter {
 public:
  explicit NodeWriter(onnx::NodeProto& proto) : proto_(proto) {}
  NodeWriter& integer(const char* name, std::int64_t value);
  NodeWriter& real(const char* name, double value);
  NodeWriter& text(const char* name, const char* value);
  NodeWriter& integers(const char* name, const Dims& values);

 private:
  onnx::AttributeProto& add(const char* name, onnx::AttributeProto::AttributeType type);
  onnx::NodeProto& proto_;
};

class GraphWriter {
 public:
  // With `initializers_are_inputs` each initializer is listed as an input too, as ir_version 3
  // wants.
  GraphWriter(onnx::GraphProto& graph, bool initializers_are_inputs)
      : graph_(graph), initializers_are_inputs_(initializers_are_inputs) {}

  // A dimension below 1 is written as the name "N": any batch.
  void input(const std::string& name, const Dims& dims);
  void output(const std::string& name, const Dims& dims);
  NodeWriter node(const std::string& op, const std::string& name,
                  const std::vector<std::string>& inputs, const std::string& output);
  // Return the name.
  std::string floats(const std::string& name, const Dims& dims, std::span<const float> values);
  std::string integers(const std::string& name, const Dims& values);

 private:
  onnx::TensorProto& initializer(const std::string& name, const Dims& dims,
                                 onnx::TensorProto::DataType type);
  onnx::GraphProto& graph_;
  bool initializers_are_inputs_;
};

// An array of the parameters in file layout.
std::vector<float> file_values(const Network::Array& array, std::span<const float> values);

// Both write the graph of a network without foldable batch-norm, and the model's opset and
// ir_version. Throw UsageError where the network does not fit. With a temperature, the modern graph
// ends in the softmax of the logits over it.
void write_modern(const Network& network, const Parameters& parameters, Preprocessing preprocessing,
                  std::optional<double> softmax_temperature, onnx::ModelProto& model);
void write_zoo(const Network& network, const Parameters& parameters, Preprocessing preprocessing,
               onnx::ModelProto& model);

}  // namespace ferplus::interop
