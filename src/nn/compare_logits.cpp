#include "nn/compare_logits.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <ferplus/core/random.h>
#include <ferplus/nn/session.h>

namespace ferplus {
namespace {

std::vector<float> logits_of(const Model& model) {
  const Preprocessing preprocessing = model.preprocessing();
  const PreparedModel prepared(model.network, model.parameters);
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

}  // namespace

LogitComparison compare_logits(const Model& model, const Model& other, double scale) {
  const auto expected = logits_of(model), got = logits_of(other);
  LogitComparison result;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference =
        scale * static_cast<double>(got[i]) - static_cast<double>(expected[i]);
    result.finite = result.finite && std::isfinite(got[i]) && std::isfinite(expected[i]);
    result.largest_difference = std::max(result.largest_difference, std::abs(difference));
    result.largest_logit =
        std::max(result.largest_logit, std::abs(static_cast<double>(expected[i])));
  }
  return result;
}

}  // namespace ferplus
