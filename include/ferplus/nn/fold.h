// Batch-norm at inference is an affine map per channel: right after a convolution or a dense layer
// it is absorbed by that layer's weights and bias.
#pragma once

#include <ferplus/nn/network.h>

namespace ferplus {

struct FoldedNetwork {
  Network network;
  Parameters parameters;
};

// The same function at inference (equal within rounding) without the batch-norm layers that follow
// a convolution or dense layer: weight·s and (bias - mean)·s + shift, with s = gain/sqrt(var +
// epsilon), computed in double. The layers that absorb keep their names and have a bias; a
// batch-norm elsewhere (after a ReLU, say) and all other layers stay as they are. Thread-safe.
FoldedNetwork fold_batch_norm(const Network& network, const Parameters& parameters);

}  // namespace ferplus
