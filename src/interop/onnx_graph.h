// A graph on its way into a chain of layers: what each of its values is, and the operators.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "interop/chain.h"
#include "interop/onnx_activation.h"
#include "interop/onnx_constant.h"
#include "interop/onnx_node.h"

namespace ferplus::interop {

// What an operator works on.
struct OperatorContext {
  const Node& node;
  Chain& chain;
  Budget& budget;
  const Activation& input;
  int input_place;                                // among the node's inputs
  const std::vector<const Constant*>& constants;  // null at input_place and where left out
  std::int64_t batch;

  // Of an input that must be there, as floats.
  const Constant& weights(std::size_t i) const;
  const Constant* optional(std::size_t i) const {
    return i < constants.size() ? constants[i] : nullptr;
  }
  // After a layer was added: its output, as [N, C, H, W] or [N, features].
  Activation output() const;
};

// Appends the node's layers and says where its output is. Throws Error that names no place.
using Operator = Activation (*)(const OperatorContext& context);
// Null if there is none of that name.
Operator find_operator(const std::string& op);

// Of onnx_windows.cpp and onnx_elementwise.cpp.
Activation pad_operator(const OperatorContext& context);
Activation conv_operator(const OperatorContext& context);
Activation max_pool_operator(const OperatorContext& context);
Activation average_pool_operator(const OperatorContext& context);
Activation global_average_pool_operator(const OperatorContext& context);
Activation arithmetic_operator(const OperatorContext& context);
Activation batch_norm_operator(const OperatorContext& context);

class Graph {
 public:
  // `budget_values`: how many values constant folding may make.
  Graph(const onnx::GraphProto& proto, std::int64_t opset, std::int64_t budget_values);

  // Runs all nodes that the output needs. Throws Error that names the node.
  Chain take_apart();

 private:
  struct Uses {
    std::vector<bool> needed;                     // of each node
    std::unordered_map<std::string, int> makers;  // value → node
  };

  void find_input();
  void mark_needed_nodes();
  void run(const Node& node);
  const Constant* constant(const std::string& name);

  const onnx::GraphProto& proto_;
  std::int64_t opset_;
  Budget budget_;
  std::int64_t batch_ = 1;
  Uses uses_;
  std::unordered_map<std::string, const onnx::TensorProto*> initializers_;
  std::unordered_map<std::string, std::unique_ptr<const Constant>> constants_;
  std::unordered_map<std::string, Activation> activations_;
  Chain chain_;
};

}  // namespace ferplus::interop
