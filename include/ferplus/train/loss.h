// Losses on logits, with their gradients. p = softmax(z); all work on log-softmax.
#pragma once

#include <ferplus/core/tensor.h>
#include <ferplus/data/label_mode.h>

namespace ferplus {

// Sum of the losses of a batch, logits and targets [N, kClasses], and the gradient of their *mean*
// with respect to the logits, [N, kClasses]; gradient.data may be null.
// As the reference implementation of Barsoum et al. (label_mode.h) trains:
//   cross_entropy: -Σ t·log p, gradient p·Σt - t
//   max_target:    -log max_k(t_k·p_k), gradient p - onehot(k), k the first that reaches the
//   maximum
// Rows of a micro-batch are summed in order, micro-batches in the fixed tree.
double softmax_loss(LossKind kind, ConstTensorView logits, ConstTensorView targets,
                    TensorView gradient);

}  // namespace ferplus
