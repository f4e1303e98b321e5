// A node of a graph that is imported: its name for messages and its attributes, typed.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <onnx/onnx_pb.h>

#include <ferplus/core/error.h>

namespace ferplus::interop {

class Node {
 public:
  Node(const onnx::NodeProto& proto, int number, std::int64_t opset)
      : proto_(proto), number_(number), opset_(opset) {}

  const std::string& op() const { return proto_.op_type(); }
  std::int64_t opset() const { return opset_; }
  int inputs() const { return proto_.input_size(); }
  // Empty where it is left out.
  std::string input(int i) const { return i < inputs() ? proto_.input(i) : std::string(); }
  const onnx::NodeProto& proto() const { return proto_; }
  // "node 'Convolution362' (Conv)", or by its number if it has no name.
  std::string label() const;

  // The attribute's value, or the default where it is not given. Throw Error if it has another
  // type.
  std::int64_t integer(const char* name, std::int64_t fallback) const;
  float real(const char* name, float fallback) const;
  std::string text(const char* name, const std::string& fallback) const;
  std::optional<std::vector<std::int64_t>> integers(const char* name) const;
  const onnx::TensorProto* tensor(const char* name) const;

  // Throws Error that names an attribute that nobody asked for: it might have changed the result.
  void check_all_attributes_read() const;

 private:
  const onnx::AttributeProto* find(const char* name,
                                   onnx::AttributeProto::AttributeType type) const;

  const onnx::NodeProto& proto_;
  int number_;
  std::int64_t opset_;
  mutable std::set<std::string> read_;
};

}  // namespace ferplus::interop
