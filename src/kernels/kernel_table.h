// What a per-ISA source exports: plain data and function pointers. Included by those sources, so it
// may use nothing but <cstdint>: no STL, no Eigen, no inline functions (see kernels_avx512.cpp).
#pragma once

#include <cstdint>

namespace ferplus {

// Rows of the tallest register tile of any ISA.
inline constexpr int kMaxTileRows = 14;

// A matrix whose row (n, y, x), flattened, is the patch of image n that one output pixel sees, and
// whose column (r, s, c), flattened, is a kernel tap and channel: what im2col would store. Element:
// image(n, (y*stride + r - pad_top) / upsampling, (x*stride + s - pad_left) / upsampling, c), and 0
// outside the image or where the division leaves a remainder. A plain matrix [rows, channels] is
// the case of 1x1 images and kernels.
struct PatchMatrix {
  const float* data;
  std::int64_t image_stride;
  std::int64_t height, width, channels;
  std::int64_t kernel_width;
  std::int64_t out_height, out_width;
  std::int64_t stride, upsampling, pad_top, pad_left;
};

// Copies columns [first_depth, first_depth + depth) of rows [first_row, first_row + rows) so that
// element (i, d) of the part lands at out[(d / vector_width) * block_stride + i * row_stride +
// d % vector_width].
using GatherFunction = void (*)(const PatchMatrix* patches, std::int64_t first_row,
                                std::int64_t rows, std::int64_t first_depth, std::int64_t depth,
                                float* out, std::int64_t row_stride, std::int64_t block_stride);

// How a tile of a product is stored. The bias has tile_columns entries, or is null.
struct Epilogue {
  bool accumulate;  // add the sum to what is there (blockwise sums round less than one long sum)
  bool relu;
  const float* bias;
};

// c[R, tile_columns] (+)= a · b for R rows; element (i, d) of a at
// a[(d / vector_width) * R * vector_width + i * vector_width + d % vector_width], b dense
// [depth, tile_columns]. Adds along depth in order.
using MultiplyFunction = void (*)(std::int64_t depth, const float* a, const float* b, float* c,
                                  std::int64_t ldc, const Epilogue* epilogue);

// c[R, tile_columns] (+)= aᵀ · b for a [depth, R] with leading dimension lda, b as above.
using MultiplyTransposedFunction = void (*)(std::int64_t depth, const float* a, std::int64_t lda,
                                            const float* b, float* c, std::int64_t ldc,
                                            bool accumulate);

struct KernelTable {
  const char* isa;
  int vector_width;
  int tile_rows, tile_columns;
  // Depth that is multiplied before a tile goes back to memory, a multiple of vector_width: depth
  // times tile_columns floats of b stay in the L1 cache.
  int depth_block;
  GatherFunction gather;
  // Entry R - 1 works on R rows; those past tile_rows are null.
  MultiplyFunction multiply[kMaxTileRows];
  MultiplyTransposedFunction multiply_transposed[kMaxTileRows];
  // sums[tile_columns] += column sums of b [depth, tile_columns].
  void (*add_column_sums)(std::int64_t depth, const float* b, float* sums);
  // to[i] += from[i]
  void (*add)(std::int64_t count, const float* from, float* to);
};

extern const KernelTable kBaselineKernels;
#if defined(__x86_64__)
extern const KernelTable kAvx2Kernels;
extern const KernelTable kAvx512Kernels;
#elif defined(__aarch64__)
extern const KernelTable kNeonKernels;
#endif

}  // namespace ferplus
