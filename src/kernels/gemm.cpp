#include <algorithm>

#include <ferplus/core/buffer.h>
#include <ferplus/core/parallel.h>
#include <ferplus/kernels/gemm.h>

#include "kernels/blocks.h"
#include "kernels/dispatch.h"
#include "kernels/matrix_product.h"

namespace ferplus {
namespace {

PatchMatrix plain_matrix(const float* data, Index columns, Index leading_dimension) {
  return {.data = data,
          .image_stride = leading_dimension,
          .height = 1,
          .width = 1,
          .channels = columns,
          .kernel_width = 1,
          .out_height = 1,
          .out_width = 1,
          .stride = 1,
          .upsampling = 1,
          .pad_top = 0,
          .pad_left = 0};
}

MatrixProduct product(Index rows, Index columns, Index depth) {
  return {.patches = plain_matrix(nullptr, depth, depth),
          .rows = rows,
          .columns = columns,
          .depth = depth,
          .packed_b = nullptr,
          .packed_pairs = nullptr,
          .bias = nullptr,
          .relu = false,
          .c = nullptr,
          .ldc = columns};
}

TransposedProduct transposed(Index rows, Index columns, Index depth) {
  return {.patches = plain_matrix(nullptr, rows, rows),
          .samples = depth,
          .rows_per_sample = 1,
          .columns = columns,
          .depth = rows,
          .b = nullptr,
          .ldb = columns,
          .c = nullptr,
          .ldc = columns,
          .column_sums = nullptr};
}

}  // namespace

std::size_t packed_bytes(Index depth, Index columns, Precision precision) {
  return packed_floats(kernels(), depth, columns) *
         (precision == Precision::bf16 ? sizeof(Bf16) : sizeof(float));
}

void pack_bf16(Index depth, Index columns, const float* b, Index ldb, void* packed) {
  const KernelTable& k = kernels();
  constexpr Index kRows = 64;
  const Index blocks = ceil_divide(depth, kRows);
  parallel_for(ceil_divide(columns, k.tile_columns) * blocks, [&](Index task) {
    const Index panel = task / blocks, first = task % blocks * kRows;
    const Index rows = std::min(kRows, depth - first), column = panel * k.tile_columns;
    alignas(kAlignment) float rows_of_panel[kRows * kMaxTileColumns];
    pack_panel(k, rows, columns - column, 0, 0, rows, b + first * ldb + column, ldb, false,
               rows_of_panel);
    pack_pairs(k, rows, rows_of_panel,
               static_cast<Bf16*>(packed) + (panel * depth + first) * k.tile_columns);
  });
}

void pack(Index depth, Index columns, const float* b, Index ldb, bool transposed, void* packed) {
  const KernelTable& k = kernels();
  parallel_for(ceil_divide(columns, k.tile_columns), [&](Index panel) {
    pack_panel(k, depth, columns, panel, 0, depth, b, ldb, transposed, static_cast<float*>(packed));
  });
}

bool takes_bf16(Index depth) { return depth % kernels().vector_width == 0; }

void gemm(Index rows, Index columns, Index depth, const float* a, Index lda, const void* packed_b,
          const float* bias, bool relu, float* c, Index ldc, void* workspace, Precision precision) {
  MatrixProduct p = product(rows, columns, depth);
  p.patches = plain_matrix(a, depth, lda);
  if (precision == Precision::bf16) {
    p.packed_pairs = static_cast<const Bf16*>(packed_b);
  } else {
    p.packed_b = static_cast<const float*>(packed_b);
  }
  p.bias = bias;
  p.relu = relu;
  p.c = c;
  p.ldc = ldc;
  matrix_product(kernels(), p, static_cast<float*>(workspace));
}

std::size_t gemm_workspace_bytes(Index rows, Index columns, Index depth, int threads) {
  return matrix_product_workspace_floats(kernels(), product(rows, columns, depth), threads) *
         sizeof(float);
}

void gemm_transposed(Index rows, Index columns, Index depth, const float* a, Index lda,
                     const float* b, Index ldb, float* c, Index ldc, void* workspace) {
  TransposedProduct p = transposed(rows, columns, depth);
  p.patches = plain_matrix(a, rows, lda);
  p.b = b;
  p.ldb = ldb;
  p.c = c;
  p.ldc = ldc;
  transposed_product(kernels(), p, static_cast<float*>(workspace));
}

std::size_t gemm_transposed_workspace_bytes(Index rows, Index columns, Index depth, int threads) {
  return transposed_product_workspace_floats(kernels(), transposed(rows, columns, depth), threads) *
         sizeof(float);
}

}  // namespace ferplus
