// Products of a patch matrix (see kernel_table.h) with a packed matrix, cut into cache blocks and
// tasks: what gemm.h and the convolution algorithm matrix_product share.
#pragma once

#include <cstddef>

#include <ferplus/core/tensor.h>

#include "kernels/bf16.h"

namespace ferplus {

// A packed matrix [depth, columns] is a sequence of panels of tile_columns columns, each dense
// [depth, tile_columns], the last one padded with zeros.
std::size_t packed_floats(const KernelTable& k, Index depth, Index columns);

// Writes rows [first_depth, first_depth + depth) of panel `panel` of a packed matrix
// [total_depth, columns]; b holds those rows (or, transposed, those columns) only.
void pack_panel(const KernelTable& k, Index total_depth, Index columns, Index panel,
                Index first_depth, Index depth, const float* b, Index ldb, bool transposed,
                float* packed);

// Rounds `rows` rows, even, of a panel and lays the pairs of them out as MultiplyBf16Function
// wants.
void pack_pairs(const KernelTable& k, Index rows, const float* panel, Bf16* packed);

// c[rows, columns] = patches · b + bias, clamped at 0 with relu. Row i depends on row i of the
// patch matrix alone.
struct MatrixProduct {
  PatchMatrix patches;
  Index rows, columns, depth;
  const float* packed_b;
  const Bf16* packed_pairs;  // instead of packed_b if not null; depth is a multiple of vector_width
  const float* bias;
  bool relu;
  float* c;
  Index ldc;
};
std::size_t matrix_product_workspace_floats(const KernelTable& k, const MatrixProduct& product,
                                            int threads);
void matrix_product(const KernelTable& k, const MatrixProduct& product, float* workspace);

// c[depth, columns] = patchesᵀ · b with b [rows, columns], and column_sums[columns] (may be null)
// of b. The rows are those of `samples` samples of rows_per_sample each; they are summed within
// micro-batches of kMicroBatch samples in order, and these by the tree of core/parallel.h.
struct TransposedProduct {
  PatchMatrix patches;
  Index samples, rows_per_sample, columns, depth;
  const float* b;
  Index ldb;
  float* c;
  Index ldc;
  float* column_sums;
};
std::size_t transposed_product_workspace_floats(const KernelTable& k,
                                                const TransposedProduct& product, int threads);
void transposed_product(const KernelTable& k, const TransposedProduct& product, float* workspace);

}  // namespace ferplus
