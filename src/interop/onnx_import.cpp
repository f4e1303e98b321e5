
#include <ferplus/core/error.h>
#include <ferplus/interop/onnx.h>
#include <ferplus/io/file.h>
#include <ferplus/nn/architecture.h>

#include "interop/onnx_graph.h"

namespace ferplus {
namespace {

constexpr std::int64_t kMinOpset = 2, kMaxOpset = 25;
// Values that importing may compute: a few copies of the file's own.
constexpr std::int64_t kCopies = 4, kSmallArrays = 1 << 16;
constexpr int kMaxMetadata = 100;
constexpr std::size_t kMaxMetadataText = 100'000;
constexpr std::string_view kOwnPrefix = "ferplus.";

onnx::ModelProto parse(std::span<const std::byte> bytes) {
  if (bytes.size() > kMaxOnnxBytes) {
    throw Error(concat("a file of more than ", kMaxOnnxBytes, " bytes is not supported"));
  }
  onnx::ModelProto model;
  if (!model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) || !model.has_graph()) {
    throw Error("not an ONNX model, or damaged");
  }
  return model;
}

std::int64_t opset_of(const onnx::ModelProto& model) {
  std::int64_t opset = 0;
  for (const onnx::OperatorSetIdProto& set : model.opset_import()) {
    if (set.domain().empty() || set.domain() == "ai.onnx") opset = set.version();
  }
  if (opset < kMinOpset || opset > kMaxOpset) {
    throw Error(
        concat("it is of opset ", opset, "; ", kMinOpset, " to ", kMaxOpset, " are supported"));
  }
  return opset;
}

// What a file of ours says of the model beside its graph.
std::map<std::string, std::string> metadata_of(const onnx::ModelProto& model,
                                               const OnnxImportOptions& options) {
  std::map<std::string, std::string> metadata;
  metadata["preprocessing"] = kUnknownPreprocessing;
  if (model.metadata_props_size() <= kMaxMetadata) {
    for (const onnx::StringStringEntryProto& entry : model.metadata_props()) {
      if (entry.value().size() > kMaxMetadataText) continue;
      if (entry.key() == "preprocessing" &&
          (entry.value() == "ferplus" || entry.value() == "raw")) {
        metadata["preprocessing"] = entry.value();
      } else if (entry.key().starts_with(kOwnPrefix)) {
        metadata.emplace(entry.key().substr(kOwnPrefix.size()), entry.value());
      }
    }
  }
  if (options.preprocessing) metadata["preprocessing"] = preprocessing_name(*options.preprocessing);
  return metadata;
}

Model import_checked(std::span<const std::byte> bytes, const OnnxImportOptions& options) {
  const onnx::ModelProto model = parse(bytes);
  if (model.functions_size() > 0) throw Error("model-local functions are not supported");
  const auto budget =
      kCopies * static_cast<std::int64_t>(bytes.size() / sizeof(float)) + kSmallArrays;
  interop::Chain chain = interop::Graph(model.graph(), opset_of(model), budget).take_apart();
  auto metadata = metadata_of(model, options);
  if (metadata["preprocessing"] == "raw") chain.take_raw_input();
  FoldedNetwork result = chain.build("imported");
  if (!all_finite(result.parameters)) {
    throw Error("its weights, folded with the constants around them, are not finite");
  }
  // What the file of the model will say must be readable.
  network_from_layer_list(result.network.name(), result.network.input(), layer_list(result.network),
                          result.network.parameter_floats() + result.network.state_floats());
  return {std::move(result.network), std::move(result.parameters), std::move(metadata)};
}

}  // namespace

bool onnx_available() { return true; }

Model import_onnx(std::span<const std::byte> bytes, const std::string& name,
                  const OnnxImportOptions& options) {
  try {
    return import_checked(bytes, options);
  } catch (const Error& error) {
    throw file_error(name, 0, error.what());
  }
}

Model import_onnx(const std::filesystem::path& path, const OnnxImportOptions& options) {
  const MappedFile file(path);
  return import_onnx(file.bytes(), path.string(), options);
}

}  // namespace ferplus
