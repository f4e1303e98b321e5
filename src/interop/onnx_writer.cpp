#include "interop/onnx_writer.h"

namespace ferplus::interop {
namespace {

void describe(onnx::ValueInfoProto& value, const std::string& name, const Dims& dims,
              onnx::TensorProto::DataType type) {
  value.set_name(name);
  auto& tensor = *value.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  auto& shape = *tensor.mutable_shape();
  for (const std::int64_t d : dims) {
    if (d < 1) {
      shape.add_dim()->set_dim_param("N");
    } else {
      shape.add_dim()->set_dim_value(d);
    }
  }
}

}  // namespace

onnx::AttributeProto& NodeWriter::add(const char* name, onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto& attribute = *proto_.add_attribute();
  attribute.set_name(name);
  attribute.set_type(type);
  return attribute;
}

NodeWriter& NodeWriter::integer(const char* name, std::int64_t value) {
  add(name, onnx::AttributeProto::INT).set_i(value);
  return *this;
}

NodeWriter& NodeWriter::real(const char* name, double value) {
  add(name, onnx::AttributeProto::FLOAT).set_f(static_cast<float>(value));
  return *this;
}

NodeWriter& NodeWriter::text(const char* name, const char* value) {
  add(name, onnx::AttributeProto::STRING).set_s(value);
  return *this;
}

NodeWriter& NodeWriter::integers(const char* name, const Dims& values) {
  auto& attribute = add(name, onnx::AttributeProto::INTS);
  for (const std::int64_t v : values) attribute.add_ints(v);
  return *this;
}

void GraphWriter::input(const std::string& name, const Dims& dims) {
  describe(*graph_.add_input(), name, dims, onnx::TensorProto::FLOAT);
}

void GraphWriter::output(const std::string& name, const Dims& dims) {
  describe(*graph_.add_output(), name, dims, onnx::TensorProto::FLOAT);
}

NodeWriter GraphWriter::node(const std::string& op, const std::string& name,
                             const std::vector<std::string>& inputs, const std::string& output) {
  onnx::NodeProto& node = *graph_.add_node();
  node.set_op_type(op);
  node.set_name(name);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(output);
  return NodeWriter(node);
}

onnx::TensorProto& GraphWriter::initializer(const std::string& name, const Dims& dims,
                                            onnx::TensorProto::DataType type) {
  if (initializers_are_inputs_) describe(*graph_.add_input(), name, dims, type);
  onnx::TensorProto& tensor = *graph_.add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(type);
  for (const std::int64_t d : dims) tensor.add_dims(d);
  return tensor;
}

std::string GraphWriter::floats(const std::string& name, const Dims& dims,
                                std::span<const float> values) {
  initializer(name, dims, onnx::TensorProto::FLOAT)
      .set_raw_data(values.data(), values.size() * sizeof(float));
  return name;
}

std::string GraphWriter::integers(const std::string& name, const Dims& values) {
  initializer(name, {static_cast<std::int64_t>(values.size())}, onnx::TensorProto::INT64)
      .set_raw_data(values.data(), values.size() * sizeof(std::int64_t));
  return name;
}

std::vector<float> file_values(const Network::Array& array, std::span<const float> values) {
  std::vector<float> file(static_cast<std::size_t>(array.spec.shape.elements()));
  to_file_layout(array.spec, values.data() + array.offset, file.data());
  return file;
}

}  // namespace ferplus::interop
