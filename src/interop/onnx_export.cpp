#include <algorithm>
#include <cmath>
#include <ostream>
#include <set>

#include <ferplus/core/error.h>
#include <ferplus/io/file.h>
#include <ferplus/nn/fold.h>
#include <ferplus/nn/session.h>

#include "interop/onnx_writer.h"

namespace ferplus {
namespace {

constexpr int kComparedImages = 8;
// Of the largest logit: what rounding in another order makes of it, and no more.
constexpr double kTolerance = 1e-4;

// What describes the file that the model came in, or stands elsewhere.
const std::set<std::string> kNotExported = {
    "format",        "network",      "layers", "model_options", "classes",
    "preprocessing", "content_hash", "config", "position",      "data"};

void add_metadata(onnx::ModelProto& model, const std::string& key, const std::string& value) {
  auto& entry = *model.add_metadata_props();
  entry.set_key(key);
  entry.set_value(value);
}

void write_metadata(const Model& model, Preprocessing preprocessing, onnx::ModelProto& proto) {
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
    if (!kNotExported.contains(key)) add_metadata(proto, "ferplus." + key, value);
  }
}

std::vector<float> logits_of(const Network& network, const Parameters& parameters,
                             Preprocessing preprocessing) {
  const PreparedModel prepared(network, parameters);
  Session session(prepared, kComparedImages);
  const TensorView input = session.input(kComparedImages);
  RandomSequence random({.seed = 1, .stream = Stream::synth});
  for (Index i = 0; i < input.elements(); ++i) {
    input.data[i] = preprocessing == Preprocessing::raw
                        ? (static_cast<float>(random.below(256)) - kRawOffset) / kRawDivisor
                        : static_cast<float>(random.normal());
  }
  const ConstTensorView logits = session.forward(kComparedImages, prepared);
  return {logits.data, logits.data + logits.elements()};
}

// Imports `bytes` and runs both networks. Throws Error if they disagree.
double compare(const std::string& bytes, const Model& model, Preprocessing preprocessing) {
  const Model again = import_onnx(std::as_bytes(std::span(bytes)), "the exported graph", {});
  const auto expected = logits_of(model.network, model.parameters, preprocessing);
  const auto got = logits_of(again.network, again.parameters, again.preprocessing());
  double largest = 0, scale = 0;
  bool finite = true;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = static_cast<double>(got[i]) - static_cast<double>(expected[i]);
    finite = finite && std::isfinite(got[i]) && std::isfinite(expected[i]);
    largest = std::max(largest, std::abs(difference));
    scale = std::max(scale, std::abs(static_cast<double>(expected[i])));
  }
  if (!finite || largest > kTolerance * scale) {
    throw Error(concat("the exported graph, read back, differs from the model by ", largest,
                       " of logits up to ", scale, ": nothing was written"));
  }
  return largest;
}

}  // namespace

OnnxExportReport export_onnx(const std::filesystem::path& path, const Model& model,
                             const OnnxExportOptions& options) {
  if (options.softmax && options.layout == OnnxLayout::zoo) {
    throw UsageError("layout zoo gives logits: softmax needs --layout modern");
  }
  const Preprocessing preprocessing = model.preprocessing();
  const FoldedNetwork folded = fold_batch_norm(model.network, model.parameters);
  onnx::ModelProto proto;
  if (options.layout == OnnxLayout::zoo) {
    interop::write_zoo(folded.network, folded.parameters, preprocessing, proto);
  } else {
    interop::write_modern(folded.network, folded.parameters, preprocessing, options.softmax, proto);
  }
  write_metadata(model, preprocessing, proto);
  std::string bytes;
  if (proto.ByteSizeLong() > kMaxOnnxBytes || !proto.SerializeToString(&bytes)) {
    throw Error("the model is too large for an ONNX file");
  }
  const double difference = compare(bytes, model, preprocessing);
  write_file_atomically(path, [&](std::ostream& out) { out << bytes; });
  return {.nodes = static_cast<std::size_t>(proto.graph().node_size()),
          .bytes = bytes.size(),
          .largest_difference = difference,
          .compared_images = kComparedImages};
}

}  // namespace ferplus
