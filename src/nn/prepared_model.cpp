#include <algorithm>

#include <ferplus/nn/prepared_model.h>

#include "nn/arena_layout.h"
#include "nn/parameter_views.h"

namespace ferplus {
namespace {

// Null if there is no batch-norm.
std::unique_ptr<const FoldedNetwork> fold(const Network& network, const Parameters& parameters) {
  const bool has_norm = std::ranges::any_of(
      network.layers(), [](const Network::Entry& e) { return e.layer->kind() == "batch_norm"; });
  if (!has_norm) return nullptr;
  return std::make_unique<const FoldedNetwork>(fold_batch_norm(network, parameters));
}

}  // namespace

PreparedModel::PreparedModel(const Network& network, const Parameters& parameters,
                             Precision precision)
    : folded_(fold(network, parameters)),
      network_(folded_ ? &folded_->network : &network),
      parameters_(folded_ ? &folded_->parameters : &parameters),
      precision_(precision) {
  ArenaLayout layout;
  std::vector<LayerPlan> plans;
  const std::vector<Network::Entry> layers = fused_layers(*network_, precision);
  for (const Network::Entry& entry : layers) {
    plans.push_back(entry.layer->plan(entry.input, Phase::inference));
    offsets_.push_back(layout.add(plans.back().prepared_forward_bytes));
  }
  packed_ = Buffer<std::byte>(layout.size());
  std::vector<ConstTensorView> views(network_->parameters().size());
  fill_views(network_->parameters(), parameters_->values().data(), views);
  for (std::size_t i = 0; i < plans.size(); ++i) {
    const Network::Entry& entry = layers[i];
    if (plans[i].prepared_forward_bytes == 0) continue;
    entry.layer->prepare(entry.input, Direction::forward,
                         std::span(views).subspan(entry.first_parameter, entry.parameter_count),
                         packed_.data() + offsets_[i]);
  }
}

const void* PreparedModel::weights(std::size_t layer) const {
  return packed_.data() + offsets_[layer];
}

}  // namespace ferplus
