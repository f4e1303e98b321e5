#include "interop/onnx_node.h"

namespace ferplus::interop {

std::string Node::label() const {
  const std::string name =
      proto_.name().empty() ? concat("number ", number_ + 1) : concat("'", proto_.name(), "'");
  return concat("node ", name, " (", proto_.op_type(), ")");
}

const onnx::AttributeProto* Node::find(const char* name,
                                       onnx::AttributeProto::AttributeType type) const {
  read_.insert(name);
  for (const onnx::AttributeProto& attribute : proto_.attribute()) {
    if (attribute.name() != name) continue;
    if (attribute.type() != type) {
      throw Error(concat("its attribute '", name, "' is not of type ",
                         onnx::AttributeProto::AttributeType_Name(type)));
    }
    return &attribute;
  }
  return nullptr;
}

std::int64_t Node::integer(const char* name, std::int64_t fallback) const {
  const auto* attribute = find(name, onnx::AttributeProto::INT);
  return attribute == nullptr ? fallback : attribute->i();
}

float Node::real(const char* name, float fallback) const {
  const auto* attribute = find(name, onnx::AttributeProto::FLOAT);
  return attribute == nullptr ? fallback : attribute->f();
}

std::string Node::text(const char* name, const std::string& fallback) const {
  const auto* attribute = find(name, onnx::AttributeProto::STRING);
  return attribute == nullptr ? fallback : attribute->s();
}

std::optional<std::vector<std::int64_t>> Node::integers(const char* name) const {
  const auto* attribute = find(name, onnx::AttributeProto::INTS);
  if (attribute == nullptr) return std::nullopt;
  return std::vector<std::int64_t>(attribute->ints().begin(), attribute->ints().end());
}

const onnx::TensorProto* Node::tensor(const char* name) const {
  const auto* attribute = find(name, onnx::AttributeProto::TENSOR);
  return attribute == nullptr ? nullptr : &attribute->t();
}

void Node::check_all_attributes_read() const {
  for (const onnx::AttributeProto& attribute : proto_.attribute()) {
    if (!read_.contains(attribute.name())) {
      throw Error(concat("its attribute '", attribute.name(), "' is not supported"));
    }
  }
}

}  // namespace ferplus::interop
