#include "interop/onnx_graph.h"

#include <algorithm>

#include <ferplus/data/label_mode.h>

namespace ferplus::interop {
namespace {

constexpr int kMaxNodes = 20000;
constexpr std::int64_t kMaxBatch = 1 << 16;

bool is_onnx_domain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

// "?x1x64x64".
std::string shape_text(const onnx::TensorShapeProto& shape) {
  std::string text;
  for (const auto& d : shape.dim()) {
    if (!text.empty()) text += 'x';
    text += d.has_dim_value() ? std::to_string(d.dim_value()) : "?";
  }
  return text;
}

// Whether an axis has that length, or may have any.
bool may_be(const onnx::TensorShapeProto& shape, int axis, std::int64_t size) {
  const auto& d = shape.dim(axis);
  return !d.has_dim_value() || d.dim_value() == size;
}

}  // namespace

const Constant& OperatorContext::weights(std::size_t i) const {
  const Constant* constant = optional(i);
  if (constant == nullptr) throw Error(concat("its input ", i + 1, " is no constant"));
  if (constant->reals() == nullptr) throw Error(concat("its input ", i + 1, " is not float"));
  return *constant;
}

Activation OperatorContext::output() const { return Activation::of_layer(chain.output(), batch); }

Graph::Graph(const onnx::GraphProto& proto, std::int64_t opset, std::int64_t budget_values)
    : proto_(proto), opset_(opset), budget_(budget_values), chain_({1, kInputSide, kInputSide, 1}) {
  if (proto.node_size() > kMaxNodes) {
    throw Error(concat("the graph has ", proto.node_size(), " nodes, more than ", kMaxNodes));
  }
  if (proto.sparse_initializer_size() > 0) throw Error("sparse tensors are not supported");
  for (const onnx::TensorProto& tensor : proto.initializer()) {
    if (!initializers_.emplace(tensor.name(), &tensor).second) {
      throw Error(concat("tensor '", tensor.name(), "' is given twice"));
    }
  }
}

void Graph::find_input() {
  const onnx::ValueInfoProto* input = nullptr;
  for (const onnx::ValueInfoProto& value : proto_.input()) {
    if (initializers_.contains(value.name())) continue;
    if (input != nullptr) {
      throw Error(concat("the graph has two inputs, '", input->name(), "' and '", value.name(),
                         "'; one image is supported"));
    }
    input = &value;
  }
  if (input == nullptr) throw Error("the graph has no input");
  const auto& type = input->type().tensor_type();
  if (type.elem_type() != onnx::TensorProto::FLOAT) {
    throw Error(concat("input '", input->name(), "' is not of type float"));
  }
  const auto& shape = type.shape();
  const bool image = shape.dim_size() == 4;
  const bool first =
      image && may_be(shape, 1, 1) && may_be(shape, 2, kInputSide) && may_be(shape, 3, kInputSide);
  const bool last =
      image && may_be(shape, 1, kInputSide) && may_be(shape, 2, kInputSide) && may_be(shape, 3, 1);
  if (!first && !last) {
    throw Error(concat("input '", input->name(), "' is ", shape_text(shape),
                       "; gray faces of 64x64, Nx1x64x64 or Nx64x64x1, are supported"));
  }
  if (shape.dim(0).has_dim_value()) batch_ = shape.dim(0).dim_value();
  // Some exporters write 0 or -1 for any.
  if (batch_ < 1) batch_ = 1;
  if (batch_ > kMaxBatch) throw Error(concat("a batch of ", batch_, " is too large"));
  activations_.emplace(input->name(), first ? Activation::of_layer(chain_.output(), batch_)
                                            : Activation::channels_last(chain_.output(), batch_));
}

void Graph::mark_needed_nodes() {
  if (proto_.output_size() != 1) {
    throw Error(concat("the graph has ", proto_.output_size(), " outputs; one is supported"));
  }
  for (int i = 0; i < proto_.node_size(); ++i) {
    for (const std::string& name : proto_.node(i).output()) {
      if (name.empty()) continue;
      if (!uses_.makers.emplace(name, i).second || initializers_.contains(name) ||
          activations_.contains(name)) {
        throw Error(concat("value '", name, "' is made twice"));
      }
    }
  }
  uses_.needed.assign(static_cast<std::size_t>(proto_.node_size()), false);
  std::vector<std::string> open = {proto_.output(0).name()};
  while (!open.empty()) {
    const auto maker = uses_.makers.find(open.back());
    open.pop_back();
    if (maker == uses_.makers.end()) continue;
    const auto node = static_cast<std::size_t>(maker->second);
    if (uses_.needed[node]) continue;
    uses_.needed[node] = true;
    const auto& inputs = proto_.node(maker->second).input();
    open.insert(open.end(), inputs.begin(), inputs.end());
  }
}

const Constant* Graph::constant(const std::string& name) {
  const auto found = constants_.find(name);
  if (found != constants_.end()) return found->second.get();
  const auto stored = initializers_.find(name);
  if (stored == initializers_.end()) return nullptr;
  return constants_.emplace(name, std::make_unique<Constant>(read_tensor(*stored->second)))
      .first->second.get();
}

void Graph::run(const Node& node) {
  if (!is_onnx_domain(node.proto().domain())) {
    throw Error(concat("operators of ", node.proto().domain(), " are not supported"));
  }
  std::vector<const Constant*> constants(static_cast<std::size_t>(node.inputs()), nullptr);
  const Activation* input = nullptr;
  int input_place = 0;
  for (int i = 0; i < node.inputs(); ++i) {
    const std::string name = node.input(i);
    if (name.empty()) continue;
    const auto activation = activations_.find(name);
    if (activation != activations_.end()) {
      if (input != nullptr) throw Error("it joins two branches; a chain of layers is supported");
      input = &activation->second;
      input_place = i;
      continue;
    }
    constants[static_cast<std::size_t>(i)] = constant(name);
    if (constants[static_cast<std::size_t>(i)] == nullptr) {
      throw Error(uses_.makers.contains(name)
                      ? concat("it needs '", name, "', which is made after it, or not at all")
                      : concat("it needs '", name,
                               "', which nothing makes: an initializer that "
                               "is missing?"));
    }
  }
  if (node.proto().output_size() < 1) throw Error("it has no output");
  const std::string& output = node.proto().output(0);

  if (input != nullptr && node.op() == "Shape") {
    const Constant dims{.dims = input->dims(), .values = std::vector<float>{}};
    constants_.emplace(output, std::make_unique<Constant>(fold_constants(node, {&dims}, budget_)));
    node.check_all_attributes_read();
    return;
  }
  if (input == nullptr && folds_constants(node.op())) {
    constants_.emplace(output,
                       std::make_unique<Constant>(fold_constants(node, constants, budget_)));
    node.check_all_attributes_read();
    return;
  }
  const Operator apply = find_operator(node.op());
  if (apply == nullptr) throw Error("this operator is not supported");
  if (input == nullptr) throw Error("it works on constants alone");
  if (input->layers != chain_.size()) {
    throw Error(concat("it needs '", node.input(input_place),
                       "', which other layers use too; a chain of layers is supported"));
  }
  if (input->zeros != Padding{} && node.op() != "Conv" && node.op() != "AveragePool") {
    throw Error("it follows a Pad, which is supported before Conv and AveragePool only");
  }
  if (input->finished && node.op() != "Identity")
    throw Error("it follows a softmax, which must be the last layer");
  Activation result = apply({.node = node,
                             .chain = chain_,
                             .budget = budget_,
                             .input = *input,
                             .input_place = input_place,
                             .constants = constants,
                             .batch = batch_});
  node.check_all_attributes_read();
  result.layers = chain_.size();
  activations_.emplace(output, std::move(result));
}

Chain Graph::take_apart() {
  find_input();
  mark_needed_nodes();
  for (int i = 0; i < proto_.node_size(); ++i) {
    if (!uses_.needed[static_cast<std::size_t>(i)]) continue;
    const Node node(proto_.node(i), i, opset_);
    try {
      run(node);
    } catch (const Error& error) {
      throw Error(concat(node.label(), ": ", error.what()));
    }
  }
  const std::string& name = proto_.output(0).name();
  const auto output = activations_.find(name);
  if (output == activations_.end()) {
    throw Error(concat("output '", name, "' is not made from the input"));
  }
  const Activation& last = output->second;
  if (last.dims() != Dims{batch_, kClasses} || !last.is_channels(1) ||
      chain_.output() != Shape{1, kClasses}) {
    throw Error(concat("output '", name, "' is ", dims_text(last.dims()), "; ", batch_, "x",
                       kClasses, ", a score for each class, is supported"));
  }
  return std::move(chain_);
}

}  // namespace ferplus::interop
