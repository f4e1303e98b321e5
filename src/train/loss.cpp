#include <algorithm>
#include <array>
#include <cmath>

#include <ferplus/core/parallel.h>
#include <ferplus/train/loss.h>

namespace ferplus {
namespace {

double cross_entropy(const LogProbabilities& log_p, const std::array<double, kClasses>& target) {
  double loss = 0;
  for (std::size_t k = 0; k < kClasses; ++k) loss -= target[k] * log_p[k];
  return loss;
}

// Replaces `target` by the one-hot that the gradient subtracts from p.
double max_target(const LogProbabilities& log_p, std::array<double, kClasses>& target) {
  std::size_t best = 0;
  double largest = -INFINITY;
  for (std::size_t k = 0; k < kClasses; ++k) {
    const double value = std::log(target[k]) + log_p[k];
    if (value > largest) {
      largest = value;
      best = k;
    }
  }
  target.fill(0);
  target[best] = 1;
  return -largest;
}

}  // namespace

LogProbabilities log_softmax(const float* logits) {
  const double largest = *std::max_element(logits, logits + kClasses);
  double sum = 0;
  for (int k = 0; k < kClasses; ++k) sum += std::exp(logits[k] - largest);
  const double log_sum = largest + std::log(sum);
  LogProbabilities log_p;
  for (std::size_t k = 0; k < kClasses; ++k) log_p[k] = logits[k] - log_sum;
  return log_p;
}

bool is_right(std::span<const float> logits, std::span<const float> target) {
  return target[static_cast<std::size_t>(argmax(logits))] == *std::ranges::max_element(target);
}

double softmax_loss(LossKind kind, ConstTensorView logits, ConstTensorView targets,
                    TensorView gradient) {
  const Index rows = logits.batch();
  const auto row_loss = [&](Index row) {
    const LogProbabilities log_p = log_softmax(logits.image(row));
    std::array<double, kClasses> target;
    std::copy_n(targets.image(row), kClasses, target.begin());
    const double loss =
        kind == LossKind::cross_entropy ? cross_entropy(log_p, target) : max_target(log_p, target);
    if (gradient) {
      double total = 0;
      for (double t : target) total += t;
      for (std::size_t k = 0; k < kClasses; ++k) {
        gradient.image(row)[k] = static_cast<float>((std::exp(log_p[k]) * total - target[k]) /
                                                    static_cast<double>(rows));
      }
    }
    return loss;
  };
  return tree_sum(rows, row_loss);
}

}  // namespace ferplus
