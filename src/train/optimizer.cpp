#include <algorithm>
#include <cmath>

#include <ferplus/core/parallel.h>
#include <ferplus/train/optimizer.h>

namespace ferplus {
namespace {

// Values a task updates: enough to be worth a task, few enough to stay in the cache between the
// step and the average.
constexpr std::size_t kChunk = 1 << 14;

void average_into(float* average, const float* values, std::size_t count, float keep) {
  for (std::size_t i = 0; i < count; ++i) {
    average[i] = keep * average[i] + (1 - keep) * values[i];
  }
}

}  // namespace

double WeightAverage::decay(std::int64_t steps) const {
  return std::min(decay_, static_cast<double>(steps) / (9.0 + static_cast<double>(steps)));
}

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
               Index images, WeightAverage* average, std::int64_t steps_before) {
  const double share = static_cast<double>(images) / static_cast<double>(options_.batch);
  const double momentum = std::pow(options_.momentum, share);
  const auto mu = static_cast<float>(momentum);
  const auto gain = static_cast<float>(options_.unit_gain ? 1 - momentum : 1);
  const auto rate = static_cast<float>(learning_rate);
  const bool nesterov = options_.nesterov;
  const auto keep = static_cast<float>(average != nullptr ? average->decay(steps_before) : 0);
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
    if (average != nullptr) {
      average_into(average->average().values().data() + chunk.begin, w + chunk.begin,
                   chunk.end - chunk.begin, keep);
    }
  });
  if (average != nullptr) {
    average_into(average->average().state().data(), parameters.state().data(),
                 parameters.state().size(), keep);
  }
}

}  // namespace ferplus
