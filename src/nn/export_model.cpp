#include <array>
#include <utility>
#include <vector>

#include <ferplus/core/error.h>
#include <ferplus/core/names.h>
#include <ferplus/nn/export_model.h>
#include <ferplus/nn/fold.h>
#include <ferplus/nn/layers.h>

#include "nn/compare_logits.h"

namespace ferplus {
namespace {

constexpr std::array<std::pair<std::string_view, DType>, 3> kWeightTypes = {
    {{"f32", DType::f32}, {"f16", DType::f16}, {"bf16", DType::bf16}}};

// `folded`, which a table's model may have become, under a name that says what it is.
Network renamed(const Network& folded) {
  if (auto model = matching_model(folded)) return *std::move(model);
  if (!is_model(folded.name())) return folded;
  Network network(folded.name() + "_folded", folded.input());
  for (const Network::Step& step : folded.steps()) {
    network.add(step.name, make_layer(step.layer->options()));
  }
  return network;
}

}  // namespace

DType weight_type_from_name(std::string_view name) {
  std::vector<std::string_view> names;
  for (const auto& [known, type] : kWeightTypes) {
    if (known == name) return type;
    names.push_back(known);
  }
  throw UsageError(unknown_name("type of weights", name, names));
}

ModelExportReport export_model(const std::filesystem::path& path, const Model& model,
                               DType weights) {
  static_cast<void>(model.preprocessing());  // what nobody could use is not worth writing
  const FoldedNetwork folded = fold_batch_norm(model.network, model.parameters);
  const Network network = renamed(folded.network);
  TensorSet tensors;
  tensors.add(network, folded.parameters, "", true, weights);
  save_tensors(path, network, tensors, model.metadata);
  const LogitComparison compared = compare_logits(model, load_model(path));
  return {.network = network.name(),
          .bytes = std::filesystem::file_size(path),
          .largest_difference = compared.largest_difference,
          .compared_images = kComparedImages};
}

}  // namespace ferplus
