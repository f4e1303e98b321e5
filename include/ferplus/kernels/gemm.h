// Single-precision matrix products on packed operands, for dense layers and convolutions.
// All matrices are row-major. Thread-safe, parallel inside, no allocation, bits independent of the
// number of threads.
#pragma once

#include <cstddef>

#include <ferplus/core/tensor.h>
#include <ferplus/kernels/precision.h>

namespace ferplus {

// Bytes of a packed [depth, columns] right-hand operand (panels of one register tile's width).
std::size_t packed_bytes(Index depth, Index columns, Precision precision = Precision::fp32);

// yes: the operand lies in memory as its transpose.
enum class Transposed { no, yes };
// Packs b [depth, columns], leading dimension ldb; transposed, it is [columns, depth] in memory.
// Parallel.
void pack(Index depth, Index columns, const float* b, Index ldb, Transposed transposed,
          void* packed);

// The same rounded to bfloat16. REQUIRES: takes_bf16(depth), whether depth is whole vectors.
void pack_bf16(Index depth, Index columns, const float* b, Index ldb, void* packed);
bool takes_bf16(Index depth);

struct GemmOptions {
  const float* bias = nullptr;  // [columns], or null
  bool relu = false;            // clamps at 0
  Precision precision = Precision::fp32;
};
// c[rows, columns] = a[rows, depth] · b + bias. With bf16, b is from pack_bf16 and a is rounded
// too. Row i of c depends on row i of a only, bit for bit, whatever `rows` is.
void gemm(Index rows, Index columns, Index depth, const float* a, Index lda, const void* packed_b,
          float* c, Index ldc, void* workspace, const GemmOptions& options = {});
// Enough for any product.
std::size_t gemm_workspace_bytes(int threads);

// to[columns, rows] = from[rows, columns]ᵀ. Parallel.
void transpose(Index rows, Index columns, const float* from, Index from_stride, float* to,
               Index to_stride);

// c[rows, columns] = aᵀ · b with a [depth, rows], b [depth, columns]: the weight gradient of a
// dense layer, whose depth is the batch. Sums over depth in blocks of kMicroBatch joined by the
// fixed tree of core/parallel.h.
void gemm_transposed(Index rows, Index columns, Index depth, const float* a, Index lda,
                     const float* b, Index ldb, float* c, Index ldc, void* workspace);
std::size_t gemm_transposed_workspace_bytes(Index depth, int threads);

}  // namespace ferplus
