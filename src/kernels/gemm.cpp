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

}  // namespace

std::size_t packed_bytes(Index depth, Index columns, Precision precision) {
  const Index width = kernels().tile_columns;
  return static_cast<std::size_t>(ceil_divide(columns, width) * width * depth) *
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
    pack_panel(k, rows, columns - column, b + first * ldb + column, ldb, Transposed::no,
               rows_of_panel);
    pack_pairs(k, rows, rows_of_panel,
               static_cast<Bf16*>(packed) + (panel * depth + first) * k.tile_columns);
  });
}

void pack(Index depth, Index columns, const float* b, Index ldb, Transposed transposed,
          void* packed) {
  const KernelTable& k = kernels();
  const Index column_stride = transposed == Transposed::yes ? ldb : 1;
  parallel_for(ceil_divide(columns, k.tile_columns), [&](Index panel) {
    const Index column = panel * k.tile_columns;
    pack_panel(k, depth, columns - column, b + column * column_stride, ldb, transposed,
               static_cast<float*>(packed) + column * depth);
  });
}

bool takes_bf16(Index depth) { return depth % kernels().vector_width == 0; }

void gemm(Index rows, Index columns, Index depth, const float* a, Index lda, const void* packed_b,
          float* c, Index ldc, void* workspace, const GemmOptions& options) {
  matrix_product(kernels(),
                 {.patches = plain_matrix(a, depth, lda),
                  .rows = rows,
                  .columns = columns,
                  .depth = depth,
                  .packed_b = packed_b,
                  .c = c,
                  .ldc = ldc,
                  .bias = options.bias,
                  .relu = options.relu,
                  .precision = options.precision},
                 static_cast<float*>(workspace));
}

std::size_t gemm_workspace_bytes(int threads) {
  return matrix_product_workspace_floats(kernels(), threads) * sizeof(float);
}

void gemm_transposed(Index rows, Index columns, Index depth, const float* a, Index lda,
                     const float* b, Index ldb, float* c, Index ldc, void* workspace) {
  transposed_product(kernels(),
                     {.patches = plain_matrix(a, rows, lda),
                      .rows = rows,
                      .columns = columns,
                      .samples = depth,
                      .depth_per_sample = 1,
                      .b = b,
                      .ldb = ldb,
                      .c = c,
                      .ldc = ldc},
                     static_cast<float*>(workspace));
}

std::size_t gemm_transposed_workspace_bytes(Index depth, int threads) {
  return transposed_product_workspace_floats(depth, threads) * sizeof(float);
}

}  // namespace ferplus
