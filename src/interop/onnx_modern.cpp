// The layout `modern`: one node a layer, any network of ours.
#include <algorithm>

#include <ferplus/core/error.h>
#include <ferplus/nn/layers.h>

#include "interop/onnx_writer.h"

namespace ferplus::interop {
namespace {

constexpr int kOpset = 17, kIrVersion = 8;

// Writes the layers one after the other; `value_` is the name of what the last one made.
class ModernWriter {
 public:
  ModernWriter(const Network& network, const Parameters& parameters, onnx::GraphProto& graph)
      : network_(network), parameters_(parameters), writer_(graph, false) {}

  void write(Preprocessing preprocessing, std::optional<double> softmax_temperature) {
    const Shape& in = network_.input();
    writer_.input("input", {0, in[3], in[1], in[2]});
    if (preprocessing == Preprocessing::raw) {
      node("Sub", "subtract_offset", {writer_.floats("offset", {}, std::span(&kRawOffset, 1))});
      node("Div", "divide", {writer_.floats("divisor", {}, std::span(&kRawDivisor, 1))});
    }
    for (const Network::Entry& entry : network_.layers()) {
      entry_ = &entry;
      std::visit([&](const auto& options) { layer(options); }, entry.layer->options());
    }
    if (softmax_temperature) {
      const float divisor = static_cast<float>(*softmax_temperature);
      if (divisor != 1) {
        node("Div", "temper", {writer_.floats("temperature", {}, std::span(&divisor, 1))});
      }
      node("Softmax", "last", {}, "probabilities");
    } else {
      node("Identity", "last", {}, "logits");
    }
    writer_.output(value_, {0, network_.output()[1]});
  }

 private:
  NodeWriter node(const std::string& op, const std::string& name,
                  const std::vector<std::string>& others, const std::string& output = "") {
    std::vector<std::string> inputs = {value_};
    inputs.insert(inputs.end(), others.begin(), others.end());
    value_ = output.empty() ? name + "_output" : output;
    return writer_.node(op, name, inputs, value_);
  }

  // The layer's arrays as initializers of the names that they have in model files.
  std::vector<std::string> arrays() {
    std::vector<std::string> names;
    const auto write = [&](const Network::Array& array, std::span<const float> values) {
      names.push_back(
          writer_.floats(array.spec.name, file_shape(array.spec), file_values(array, values)));
    };
    for (std::size_t i = 0; i < entry_->parameter_count; ++i) {
      write(network_.parameters()[entry_->first_parameter + i], parameters_.values());
    }
    for (std::size_t i = 0; i < entry_->state_count; ++i) {
      write(network_.state()[entry_->first_state + i], parameters_.state());
    }
    return names;
  }

  void relu(bool wanted) {
    if (wanted) node("Relu", entry_->name + "_relu", {});
  }

  void layer(const Conv2dOptions& o) {
    Padding p;
    if (o.padding) {
      p = *o.padding;
    } else {
      const auto total = [&](Index size) {
        return std::max<Index>((size - 1) / o.stride * o.stride + o.kernel - size, 0);
      };
      const Index rows = total(entry_->input[1]), columns = total(entry_->input[2]);
      p = {rows / 2, columns / 2, rows - rows / 2, columns - columns / 2};
    }
    node("Conv", entry_->name, arrays())
        .integers("kernel_shape", {o.kernel, o.kernel})
        .integers("strides", {o.stride, o.stride})
        .integers("pads", {p.top, p.left, p.bottom, p.right});
    relu(o.tail.relu);
  }
  void layer(const MaxPoolOptions& o) {
    const Padding& p = o.padding;
    node("MaxPool", entry_->name, {})
        .integers("kernel_shape", {o.size, o.size})
        .integers("strides", {o.stride, o.stride})
        .integers("pads", {p.top, p.left, p.bottom, p.right});
    relu(o.relu);
  }
  void layer(const AveragePoolOptions& o) {
    const Padding& p = o.padding;
    node("AveragePool", entry_->name, {})
        .integers("kernel_shape", {o.height, o.width})
        .integers("strides", {o.stride, o.stride})
        .integers("pads", {p.top, p.left, p.bottom, p.right})
        .integer("count_include_pad", o.count_padding ? 1 : 0);
  }
  void layer(const DenseOptions& o) {
    if (entry_->input.rank() == 4)
      node("Flatten", entry_->name + "_flatten", {}).integer("axis", 1);
    if (o.bias) {
      node("Gemm", entry_->name, arrays()).integer("transB", 1);
    } else {
      node("Gemm", entry_->name, {arrays()[0]}).integer("transB", 1);
    }
  }
  void layer(const ReluOptions&) { node("Relu", entry_->name, {}); }
  void layer(const DropoutOptions&) {}
  void layer(const BatchNormOptions& o) {
    node("BatchNormalization", entry_->name, arrays()).real("epsilon", o.epsilon);
    relu(o.tail.relu);
    if (o.tail.pool) {
      node("MaxPool", entry_->name + "_pool", {})
          .integers("kernel_shape", {2, 2})
          .integers("strides", {2, 2});
    }
  }

  const Network& network_;
  const Parameters& parameters_;
  GraphWriter writer_;
  const Network::Entry* entry_ = nullptr;
  std::string value_ = "input";
};

}  // namespace

void write_modern(const Network& network, const Parameters& parameters, Preprocessing preprocessing,
                  std::optional<double> softmax_temperature, onnx::ModelProto& model) {
  model.set_ir_version(kIrVersion);
  auto& opset = *model.add_opset_import();
  opset.set_domain("");
  opset.set_version(kOpset);
  ModernWriter(network, parameters, *model.mutable_graph())
      .write(preprocessing, softmax_temperature);
}

}  // namespace ferplus::interop
