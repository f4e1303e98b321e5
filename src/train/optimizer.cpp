#include <algorithm>
#include <cmath>

#include <ferplus/core/parallel.h>
#include <ferplus/train/optimizer.h>

namespace ferplus {
namespace {

// Values a task updates: enough to be worth a task, little enough to spread.
constexpr std::size_t kChunk = 1 << 15;

void average_into(std::span<float> average, std::span<const float> values, float keep) {
  const std::size_t chunks = (values.size() + kChunk - 1) / kChunk;
  parallel_for(static_cast<Index>(chunks), [&](Index chunk) {
    const std::size_t begin = static_cast<std::size_t>(chunk) * kChunk;
    const std::size_t end = std::min(begin + kChunk, values.size());
    for (std::size_t i = begin; i < end; ++i) {
      average[i] = keep * average[i] + (1 - keep) * values[i];
    }
  });
}

}  // namespace

Sgd::Sgd(const Network& network, const SgdOptions& options)
    : options_(options), velocity_(network) {
  for (const Network::Array& array : network.parameters()) {
    const std::size_t end = array.offset + static_cast<std::size_t>(array.spec.shape.elements());
    for (std::size_t begin = array.offset; begin < end; begin += kChunk) {
      chunks_.push_back({begin, std::min(begin + kChunk, end), array.spec.decays});
    }
  }
}

void Sgd::step(Parameters& parameters, const Parameters& gradients, double learning_rate,
               Index images) {
  const double share = static_cast<double>(images) / static_cast<double>(options_.batch);
  const double momentum = std::pow(options_.momentum, share);
  const auto mu = static_cast<float>(momentum);
  const auto gain = static_cast<float>(options_.unit_gain ? 1 - momentum : 1);
  const auto rate = static_cast<float>(learning_rate);
  const bool nesterov = options_.nesterov;
  parallel_for(static_cast<Index>(chunks_.size()), [&](Index index) {
    const Chunk& chunk = chunks_[static_cast<std::size_t>(index)];
    const float decay = chunk.decays ? static_cast<float>(options_.weight_decay) : 0.0f;
    float* w = parameters.values().data();
    float* v = velocity_.values().data();
    const float* gradient = gradients.values().data();
    for (std::size_t i = chunk.begin; i < chunk.end; ++i) {
      const float g = gain * (gradient[i] + decay * w[i]);
      v[i] = mu * v[i] + g;
      w[i] -= rate * (nesterov ? g + mu * v[i] : v[i]);
    }
  });
}

void WeightAverage::update(const Parameters& parameters, std::int64_t steps) {
  const double warm = static_cast<double>(steps) / (9.0 + static_cast<double>(steps));
  const auto keep = static_cast<float>(std::min(decay_, warm));
  average_into(average_.values(), parameters.values(), keep);
  average_into(average_.state(), parameters.state(), keep);
}

}  // namespace ferplus
