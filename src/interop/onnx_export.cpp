#include <ostream>
#include <set>

#include <ferplus/core/error.h>
#include <ferplus/data/label_mode.h>
#include <ferplus/io/file.h>
#include <ferplus/nn/fold.h>

#include "interop/onnx_writer.h"
#include "nn/compare_logits.h"

namespace ferplus {
namespace {

// Of the largest logit: what rounding in another order makes of it, and no more.
constexpr double kTolerance = 1e-4;

// What describes the file that the model came in, or stands elsewhere.
const std::set<std::string> kNotExported = {
    "format",        "network",      "layers", "model_options", "classes",
    "preprocessing", "content_hash", "config", "position",      "public_data"};
// What the graph itself holds if it ends in a softmax.
const std::set<std::string> kInSoftmax = {"temperature", "calibration"};

void add_metadata(onnx::ModelProto& model, const std::string& key, const std::string& value) {
  auto& entry = *model.add_metadata_props();
  entry.set_key(key);
  entry.set_value(value);
}

void write_metadata(const Model& model, Preprocessing preprocessing, bool softmax,
                    onnx::ModelProto& proto) {
  proto.set_producer_name("ferplus");
  proto.set_model_version(1);
  proto.mutable_graph()->set_name("ferplus");
  std::string classes;
  for (const std::string_view name : kClassNames) {
    if (!classes.empty()) classes += ',';
    classes += name;
  }
  add_metadata(proto, "classes", classes);
  add_metadata(proto, "preprocessing", std::string(preprocessing_name(preprocessing)));
  for (const auto& [key, value] : model.metadata) {
    if (kNotExported.contains(key) || (softmax && kInSoftmax.contains(key))) continue;
    add_metadata(proto, "ferplus." + key, value);
  }
}

// Imports `bytes` and runs both networks. Throws Error if they disagree, but for the temperature.
double compare(const std::string& bytes, const Model& model, double temperature) {
  const Model again = import_onnx(std::as_bytes(std::span(bytes)), "the exported graph", {});
  const LogitComparison compared = compare_logits(model, again, temperature);
  if (!compared.finite || compared.largest_difference > kTolerance * compared.largest_logit) {
    throw Error(concat("the exported graph, read back, differs from the model by ",
                       compared.largest_difference, " of logits up to ", compared.largest_logit,
                       ": nothing was written"));
  }
  return compared.largest_difference;
}

}  // namespace

OnnxExportReport export_onnx(const std::filesystem::path& path, const Model& model,
                             const OnnxExportOptions& options) {
  if (options.softmax && options.layout == OnnxLayout::zoo) {
    throw UsageError("layout zoo gives logits: softmax needs --layout modern");
  }
  const Preprocessing preprocessing = model.preprocessing();
  const FoldedNetwork folded = fold_batch_norm(model.network, model.parameters);
  const double temperature = options.softmax ? model.temperature() : 1;
  onnx::ModelProto proto;
  if (options.layout == OnnxLayout::zoo) {
    interop::write_zoo(folded.network, folded.parameters, preprocessing, proto);
  } else {
    interop::write_modern(folded.network, folded.parameters, preprocessing,
                          options.softmax ? std::optional(temperature) : std::nullopt, proto);
  }
  write_metadata(model, preprocessing, options.softmax, proto);
  std::string bytes;
  if (proto.ByteSizeLong() > kMaxOnnxBytes || !proto.SerializeToString(&bytes)) {
    throw Error("the model is too large for an ONNX file");
  }
  const double difference = compare(bytes, model, temperature);
  write_file_atomically(path, [&](std::ostream& out) { out << bytes; });
  return {.nodes = static_cast<std::size_t>(proto.graph().node_size()),
          .bytes = bytes.size(),
          .largest_difference = difference,
          .compared_images = kComparedImages};
}

}  // namespace ferplus
