#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <ferplus/core/error.h>
#include <ferplus/core/names.h>
#include <ferplus/nn/export_model.h>
#include <ferplus/nn/fold.h>
#include <ferplus/nn/layers.h>

#include "nn/compare_logits.h"
#include "nn/stored_weights.h"

namespace ferplus {
namespace {

struct WeightType {
  std::string_view name;
  DType type;
  double tolerance;  // of logits, relative to the largest: beyond it the file would be of no use
};
constexpr std::array<WeightType, 3> kWeightTypes{
    {{"f32", DType::f32, 1e-4}, {"f16", DType::f16, 1e-2}, {"bf16", DType::bf16, 5e-2}}};

// What a checkpoint says beside what it is: train/checkpoint.cpp. The paths in "config" are
// nobody's business but the run's.
constexpr std::array kOfACheckpoint = {"config", "position", "public_data"};

// `folded`, which a table's model may have become, under a name that says what it is.
Network renamed(const Network& folded) {
  if (auto model = matching_model(folded)) return *std::move(model);
  if (!is_model(folded.name())) return folded;
  Network network(folded.name() + "_folded", folded.input());
  for (const Network::Entry& entry : folded.layers()) {
    network.add(entry.name, make_layer(entry.layer->options()));
  }
  return network;
}

// Throws Error if `rounded` is not the same model for practical purposes.
double compare(const Model& model, const Model& rounded, DType type) {
  const LogitComparison compared = compare_logits(model, rounded);
  const auto found = std::ranges::find(kWeightTypes, type, &WeightType::type);
  if (!compared.finite || compared.largest_difference > found->tolerance * compared.largest_logit) {
    throw Error(concat("with weights of ", found->name,
                       compared.finite ? concat(" logits differ by ", compared.largest_difference,
                                                " of up to ", compared.largest_logit)
                                       : std::string(" logits are not finite"),
                       ": nothing was written"));
  }
  return compared.largest_difference;
}

}  // namespace

DType weight_type_from_name(std::string_view name) {
  std::vector<std::string_view> names;
  for (const WeightType& known : kWeightTypes) {
    if (known.name == name) return known.type;
    names.push_back(known.name);
  }
  throw UsageError(unknown_name("type of weights", name, names));
}

ModelExportReport export_model(const std::filesystem::path& path, const Model& model,
                               DType weights) {
  static_cast<void>(model.preprocessing());  // what nobody could use is not worth writing
  FoldedNetwork folded = fold_batch_norm(model.network, model.parameters);
  Model rounded{renamed(folded.network), std::move(folded.parameters), model.metadata};
  for (const char* key : kOfACheckpoint) rounded.metadata.erase(key);
  for (const Network::Array& array : rounded.network.parameters()) {
    const auto count = static_cast<std::size_t>(array.spec.shape.elements());
    round_weights(rounded.parameters.values().subspan(array.offset, count),
                  array.spec.shape.rank() > 1 ? weights : DType::f32, array.spec.name);
  }
  const double difference = compare(model, rounded, weights);
  TensorSet tensors;
  tensors.add(rounded.network, rounded.parameters, "", true, weights);
  save_tensors(path, rounded.network, tensors, rounded.metadata);
  return {.network = rounded.network.name(),
          .bytes = std::filesystem::file_size(path),
          .largest_difference = difference,
          .compared_images = kComparedImages};
}

}  // namespace ferplus
