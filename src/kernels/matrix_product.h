// Products of a patch matrix (see kernel_table.h) with a packed matrix, cut into cache blocks and
// tasks: what gemm.h and the convolution algorithm matrix_product share.
#pragma once

#include <cstddef>

#include <ferplus/core/tensor.h>
#include <ferplus/kernels/gemm.h>

#include "kernels/bf16.h"

namespace ferplus {

// A packed matrix [depth, columns] is a sequence of panels of tile_columns columns, each dense
// [depth, tile_columns], the last one padded with zeros.
//
// Writes `depth` rows of one panel to `packed`, where the first of them lies. b points at its first
// element, in a matrix that may lie there transposed as for pack (gemm.h); of the `columns` columns
// from there the panel takes tile_columns.
void pack_panel(const KernelTable& k, Index depth, Index columns, const float* b, Index ldb,
                Transposed transposed, float* packed);

// Rounds `rows` rows, even, of a panel and lays the pairs of them out as MultiplyBf16Function
// wants.
void pack_pairs(const KernelTable& k, Index rows, const float* panel, Bf16* packed);

// c[rows, columns] = patches [rows, depth] · b + bias, clamped at 0 with relu. Row i depends on row
// i of the patch matrix alone.
struct MatrixProduct {
  PatchMatrix patches;
  Index rows, columns, depth;
  const void* packed_b;  // floats, or with bf16 what pack_pairs writes, depth in whole vectors
  float* c;
  Index ldc;
  const float* bias = nullptr;
  bool relu = false;
  Precision precision = Precision::fp32;
};
std::size_t matrix_product_workspace_floats(const KernelTable& k, int threads);
void matrix_product(const KernelTable& k, const MatrixProduct& product, float* workspace);

// c[rows, columns] = patchesᵀ · b with patches [depth, rows] and b [depth, columns], and
// column_sums[columns] (may be null) of b. The depth is that of `samples` samples, depth_per_sample
// each: summed within micro-batches of kMicroBatch samples in order, and these by the tree of
// core/parallel.h.
struct TransposedProduct {
  PatchMatrix patches;
  Index rows, columns, samples, depth_per_sample;
  const float* b;
  Index ldb;
  float* c;
  Index ldc;
  float* column_sums = nullptr;
};
std::size_t transposed_product_workspace_floats(Index samples, int threads);
void transposed_product(const KernelTable& k, const TransposedProduct& product, float* workspace);

}  // namespace ferplus
