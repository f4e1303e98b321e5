#include <algorithm>
#include <array>
#include <cmath>

#include <ferplus/core/parallel.h>
#include <ferplus/nn/probabilities.h>
#include <ferplus/train/loss.h>

namespace ferplus {
namespace {

using Row = std::array<double, kClasses>;

struct RowLoss {
  double loss = 0;
  Row pulls_towards{};  // the gradient is p times its sum, minus it
};

RowLoss cross_entropy(const LogProbabilities& log_p, const Row& target) {
  RowLoss row{.pulls_towards = target};
  for (std::size_t k = 0; k < kClasses; ++k) row.loss -= target[k] * log_p[k];
  return row;
}

RowLoss max_target(const LogProbabilities& log_p, const Row& target) {
  std::size_t best = 0;
  double largest = -INFINITY;
  for (std::size_t k = 0; k < kClasses; ++k) {
    const double value = std::log(target[k]) + log_p[k];
    if (value > largest) {
      largest = value;
      best = k;
    }
  }
  RowLoss row{.loss = -largest};
  row.pulls_towards[best] = 1;
  return row;
}

}  // namespace

double softmax_loss(LossKind kind, ConstTensorView logits, ConstTensorView targets,
                    TensorView gradient) {
  const Index rows = logits.batch();
  const auto row_loss = [&](Index row) {
    const LogProbabilities log_p = log_softmax({logits.image(row), kClasses});
    Row target;
    std::copy_n(targets.image(row), kClasses, target.begin());
    const auto [loss, pulls_towards] =
        kind == LossKind::cross_entropy ? cross_entropy(log_p, target) : max_target(log_p, target);
    if (gradient) {
      double total = 0;
      for (double t : pulls_towards) total += t;
      for (std::size_t k = 0; k < kClasses; ++k) {
        gradient.image(row)[k] = static_cast<float>(
            (std::exp(log_p[k]) * total - pulls_towards[k]) / static_cast<double>(rows));
      }
    }
    return loss;
  };
  return tree_sum(rows, row_loss);
}

}  // namespace ferplus
