// The layout `zoo`: the graph of the model zoo's emotion-ferplus-8.onnx, as CNTK exported it, with
// its names.
#include <algorithm>
#include <array>

#include <ferplus/core/error.h>
#include <ferplus/nn/layers.h>
#include <ferplus/nn/models.h>

#include "interop/onnx_writer.h"

namespace ferplus::interop {
namespace {

constexpr int kOpset = 8, kIrVersion = 3;

// CNTK's numbers in the names: of a convolution or dense layer, its weights, its bias; what adds
// the bias is + 2, what clamps it + 4 (convolution) or + 14 (dense); then a pooling and, ten
// further on, a dropout.
struct ZooLayer {
  int number, weights, bias;
  int pool = 0;
};
constexpr std::array<ZooLayer, 10> kConvolutions = {{{362, 3, 4},
                                                     {380, 23, 24, 398},
                                                     {418, 63, 64},
                                                     {436, 83, 84, 454},
                                                     {474, 575, 576},
                                                     {492, 595, 596},
                                                     {510, 615, 616, 528},
                                                     {548, 655, 656},
                                                     {566, 675, 676},
                                                     {584, 695, 696, 602}}};
struct ZooDense {
  int times, plus, relu, dropout, weights, bias;
};
constexpr std::array<ZooDense, 3> kDense = {{{622, 624, 636, 646, 1367, 1368},
                                             {656, 658, 670, 680, 1403, 1404},
                                             {690, 692, 0, 0, 1693, 1694}}};

std::string named(const char* kind, int number) { return kind + std::to_string(number); }

class ZooWriter {
 public:
  ZooWriter(const Network& network, const Parameters& parameters, onnx::GraphProto& graph)
      : network_(network), parameters_(parameters), writer_(graph, true) {}

  void write() {
    writer_.input("Input3", {1, 1, 64, 64});
    write_first_dense_weights();
    append("Sub", "Minus340", {writer_.floats("Constant339", {}, std::span(&kRawOffset, 1))});
    append("Div", "Block352", {writer_.floats("Constant343", {}, std::span(&kRawDivisor, 1))});
    for (const ZooLayer& layer : kConvolutions) write_convolution(layer);
    append("Reshape", "Dropout612_Output_0_reshape0",
           {writer_.integers("Dropout612_Output_0_reshape0_shape", {1, 4096})},
           "Dropout612_Output_0_reshape0");
    for (const ZooDense& layer : kDense) write_dense(layer);
    writer_.output(value_, {1, 8});
  }

 private:
  NodeWriter append(const std::string& op, const std::string& name,
                    const std::vector<std::string>& others, const std::string& output = "") {
    std::vector<std::string> inputs = {value_};
    inputs.insert(inputs.end(), others.begin(), others.end());
    value_ = output.empty() ? name + "_Output_0" : output;
    return writer_.node(op, name, inputs, value_);
  }

  // Weights and bias in turn, in file layout.
  std::vector<float> next_array() {
    return file_values(network_.parameters()[next_array_++], parameters_.values());
  }

  // From [units, inputs].
  static std::vector<float> transposed(const std::vector<float>& values, std::size_t units) {
    const std::size_t inputs = values.size() / units;
    std::vector<float> result(values.size());
    for (std::size_t i = 0; i < inputs; ++i) {
      for (std::size_t k = 0; k < units; ++k) result[i * units + k] = values[k * inputs + i];
    }
    return result;
  }

  // The graph begins with them: [256, 4, 4, 1024] to [4096, 1024].
  void write_first_dense_weights() {
    const std::size_t first = 2 * kConvolutions.size();
    const auto values =
        transposed(file_values(network_.parameters()[first], parameters_.values()), 1024);
    writer_.node("Reshape", "Times622_reshape1",
                 {writer_.floats("Parameter1367", {256, 4, 4, 1024}, values),
                  writer_.integers("Parameter1367_reshape1_shape", {4096, 1024})},
                 "Parameter1367_reshape1");
  }

  void write_convolution(const ZooLayer& layer) {
    const auto weights = next_array(), bias = next_array();
    const auto filters = static_cast<std::int64_t>(bias.size());
    const auto channels = static_cast<std::int64_t>(weights.size()) / (9 * filters);
    append("Conv", named("Convolution", layer.number),
           {writer_.floats(named("Parameter", layer.weights), {filters, channels, 3, 3}, weights)})
        .integers("kernel_shape", {3, 3})
        .integers("strides", {1, 1})
        .text("auto_pad", "SAME_UPPER")
        .integer("group", 1)
        .integers("dilations", {1, 1});
    append("Add", named("Plus", layer.number + 2),
           {writer_.floats(named("Parameter", layer.bias), {filters, 1, 1}, bias)});
    append("Relu", named("ReLU", layer.number + 4), {});
    if (layer.pool == 0) return;
    append("MaxPool", named("Pooling", layer.pool), {})
        .integers("kernel_shape", {2, 2})
        .integers("strides", {2, 2})
        .integers("pads", {0, 0, 0, 0})
        .text("auto_pad", "NOTSET");
    append("Dropout", named("Dropout", layer.pool + 10), {}).real("ratio", 0.25);
  }

  void write_dense(const ZooDense& layer) {
    const auto weights = next_array(), bias = next_array();
    const auto units = static_cast<std::int64_t>(bias.size());
    const auto inputs = static_cast<std::int64_t>(weights.size()) / units;
    const bool first = layer.times == kDense.front().times;
    append("MatMul", named("Times", layer.times),
           {first ? "Parameter1367_reshape1"
                  : writer_.floats(named("Parameter", layer.weights), {inputs, units},
                                   transposed(weights, bias.size()))});
    append("Add", named("Plus", layer.plus),
           {writer_.floats(named("Parameter", layer.bias), {units}, bias)});
    if (layer.relu == 0) return;
    append("Relu", named("ReLU", layer.relu), {});
    append("Dropout", named("Dropout", layer.dropout), {}).real("ratio", 0.5);
  }

  const Network& network_;
  const Parameters& parameters_;
  GraphWriter writer_;
  std::string value_ = "Input3";
  std::size_t next_array_ = 0;
};

bool is_vgg13(const Network& network) {
  const auto layers = [](const Network& of) {
    std::vector<LayerOptions> options;
    for (const Network::Entry& entry : of.layers()) {
      if (entry.layer->kind() != "dropout") options.push_back(entry.layer->options());
    }
    return options;
  };
  return layers(network) == layers(build_model("vgg13"));
}

}  // namespace

void write_zoo(const Network& network, const Parameters& parameters, Preprocessing preprocessing,
               onnx::ModelProto& model) {
  if (!is_vgg13(network)) {
    throw UsageError(concat("layout zoo is the graph of vgg13 (or vgg13_bn), not of ",
                            network.name(), ": use --layout modern"));
  }
  if (preprocessing != Preprocessing::raw) {
    throw UsageError(
        "programs for layout zoo feed gray 0 to 255, but this model expects faces with the "
        "preprocessing ferplus: train it with --preprocessing raw, or use --layout modern");
  }
  model.set_ir_version(kIrVersion);
  auto& opset = *model.add_opset_import();
  opset.set_domain("");
  opset.set_version(kOpset);
  ZooWriter(network, parameters, *model.mutable_graph()).write();
}

}  // namespace ferplus::interop
