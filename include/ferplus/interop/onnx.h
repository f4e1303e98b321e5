// ONNX files from models and models from ONNX files. A component: built where CMake finds libonnx
// (Debian: libonnx-dev, libprotobuf-dev); elsewhere these functions throw Error that says so.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <ferplus/data/transform.h>
#include <ferplus/nn/model_file.h>

namespace ferplus {

// Whether this build can read and write ONNX.
bool onnx_available();

// modern: opset 17, any batch, input "input" [N, 1, 64, 64], output "logits" [N, 8], initializers
// named as in the model file. zoo: the graph of the model zoo's emotion-ferplus-8 node by node
// (opset 8, ir_version 3, "Input3" [1, 1, 64, 64] → "Plus692_Output_0" [1, 8]), which only vgg13
// (or vgg13_bn, folded) with Preprocessing::raw has.
//
// A model with Preprocessing::raw becomes a graph that takes gray 0 … 255 and normalises it; one
// with ferplus takes faces that are prepared already (data/transform.h).
enum class OnnxLayout { modern, zoo };
OnnxLayout onnx_layout_from_name(std::string_view name);  // throws UsageError

struct OnnxExportOptions {
  OnnxLayout layout = OnnxLayout::modern;
  // modern only: the output is "probabilities", softmax of the logits over the model's temperature.
  // Logits stay as they are: where the file has "ferplus.temperature", divide by it before a
  // softmax.
  bool softmax = false;
};

struct OnnxExportReport {
  std::size_t nodes = 0, bytes = 0;
  // Largest difference between a logit of the model and of the file read back, over
  // `compared_images` random inputs.
  double largest_difference = 0;
  int compared_images = 0;
};

// Writes `model` with its batch-norm folded into the weights (nn/fold.h), atomically;
// preprocessing, classes and the model's metadata ("ferplus.…") become metadata_props. Before that
// the file's bytes are imported again and run: logits further apart than 1e-4 of the largest are an
// Error, and nothing is written. Throws UsageError where the model does not fit the layout.
OnnxExportReport export_onnx(const std::filesystem::path& path, const Model& model,
                             const OnnxExportOptions& options);

struct OnnxImportOptions {
  // What the graph expects of its input: ferplus, or raw gray 0 … 255. Unset: what the file's
  // metadata says, as exports of this library do; else the model gets kUnknownPreprocessing.
  std::optional<Preprocessing> preprocessing{};
};

// The network of a file that classifies a gray face of 64×64 ([N, 1, 64, 64] or [N, 64, 64, 1])
// into the eight classes ([N, 8]) by a chain of layers. Operators (opsets 2 to 25): Conv, MaxPool,
// AveragePool, GlobalAveragePool, Gemm, MatMul, BatchNormalization, Relu, Dropout, Identity; Pad
// with zeros before Conv and AveragePool; Add, Sub, Mul and Div with a constant per channel;
// Reshape, Flatten, Squeeze, Unsqueeze and Transpose, whatever order of axes results; a last
// Softmax or LogSoftmax, which is left out; and Constant, ConstantOfShape, Shape, Gather, Concat,
// Slice, Cast where all is known beforehand.
//
// Batch-norm is folded; grouped, dilated and non-square kernels become full square ones. A network
// that equals one of models.h but for dropout gets its name and its names of parameters, any other
// is "imported".
//
// Throws Error that names the file and, if it is in one, the node and operator: unsupported
// operators, attributes, types, shapes and opsets; branches; values that nothing makes or that are
// not finite; data outside the file; more than kMaxOnnxBytes. Memory is bounded by a multiple of
// the file's size. Thread-safe.
Model import_onnx(const std::filesystem::path& path, const OnnxImportOptions& options);
Model import_onnx(std::span<const std::byte> bytes, const std::string& name,
                  const OnnxImportOptions& options);

inline constexpr std::size_t kMaxOnnxBytes = std::size_t{1} << 30;

}  // namespace ferplus
