// Transposed copies of matrices.
#pragma once

#include <ferplus/core/tensor.h>

namespace ferplus {

// to[columns, rows] = from[rows, columns]ᵀ, on the calling thread.
void transpose_block(Index rows, Index columns, const float* from, Index from_stride, float* to,
                     Index to_stride);

}  // namespace ferplus
