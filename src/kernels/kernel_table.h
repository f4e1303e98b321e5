// What a per-ISA source exports: plain data and function pointers. Included by those sources, so it
// may use nothing but <cstdint>: no STL, no Eigen, no inline functions (see kernels_avx512.cpp).
#pragma once

#include <cstdint>

#include <ferplus/kernels/elementwise.h>

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

// Images [n, height, width, channels] cut into tiles: tile (n, i, j), flattened, starts at pixel
// (i * step - pad_top, j * step - pad_left), the step being the side of an output tile.
struct TileGrid {
  std::int64_t height, width, channels;
  std::int64_t tiles_down, tiles_across;
  std::int64_t pad_top, pad_left;
};

// Where the coordinates of transformed tiles lie: vector v of coordinate x of tile i at
// x * coordinate_stride + i * tile_stride + v / group * group_stride + v % group * vector_width.
struct TransformLayout {
  std::int64_t coordinate_stride, tile_stride, group_stride, group;
};

// Where the maxima of 2x2 windows stood, two words for each vector of pooled values: a lane's bit
// of the first is set if its maximum was in the right column, of the second if in the lower row.
// The words of the vector that starts at pooled value e are at e / vector_width * 2.
using PoolPlaces = std::uint16_t;

// Transforms channels [first_channel, first_channel + channels) of `tiles` tiles; channels is a
// multiple of vector_width. Pixels outside the image are read from `zeros` [channels]. If sums
// [channels] is not null, the pixels of each tile are added to it. If places is not null, `images`
// are pooled ones [n, height / 2, width / 2, channels] and what is transformed is the images that
// have each pooled value at its place and zeros elsewhere.
using TileTransform = void (*)(const TileGrid* grid, const float* images, const PoolPlaces* places,
                               std::int64_t first_tile, std::int64_t tiles,
                               std::int64_t first_channel, std::int64_t channels,
                               const float* zeros, const TransformLayout* layout, float* out,
                               float* sums);

// What happens to images before they are stored: bias [channels] (may be null), ReLU, and pooling,
// after which images are [n, height / 2, width / 2, channels]; places may be null. Or, without
// pooling, the gradient of a ReLU: 0 where relu_output, laid out as the images, is not positive.
struct TileEpilogue {
  const float* bias = nullptr;
  bool relu = false;
  bool pool = false;
  PoolPlaces* places = nullptr;
  const float* relu_output = nullptr;
};

// Transforms tiles back into images. Pixels outside the image are written to `spare` [channels].
using TileInverse = void (*)(const TileGrid* grid, float* images, std::int64_t first_tile,
                             std::int64_t tiles, std::int64_t first_channel, std::int64_t channels,
                             float* spare, const TransformLayout* layout, const float* in,
                             const TileEpilogue* epilogue);

// The transforms of a minimal filtering algorithm F(tile x tile, 3x3) on
// (tile + 2) x (tile + 2) coordinates.
struct WinogradTransforms {
  int tile;
  TileTransform input;            // patches of tile + 2 pixels square
  TileTransform output_gradient;  // patches of tile x tile pixels
  TileInverse output;
  // Tap (r, s) of row i at taps[(3 * r + s) * tap_stride + i * tile_columns], coordinate x of it
  // at out[x * coordinate_stride + i * tile_columns].
  void (*weights)(std::int64_t rows, const float* taps, std::int64_t tap_stride, float* out,
                  std::int64_t coordinate_stride);
  // The reverse for the sum of products `in`, with rows of `columns` values, a multiple of
  // vector_width.
  void (*weights_gradient)(std::int64_t rows, std::int64_t columns, const float* in,
                           std::int64_t coordinate_stride, float* taps, std::int64_t tap_stride);
};

// Most channels in that the direct convolution takes.
inline constexpr int kDirectChannels = 4;

// One row of output pixels of a 3x3 convolution with stride 1, c [pixels, columns] = patches ·
// packed_b + bias. Element e of kernel row r of the patch of pixel x is
// rows[r * row_stride + x * channels + e]; as many are read as for tile_rows pixels, at least.
// columns is a multiple of vector_width; bias may be null; spare holds [tile_rows, columns].
using DirectForward = void (*)(std::int64_t pixels, const float* rows, std::int64_t row_stride,
                               const float* packed_b, std::int64_t columns, const float* bias,
                               bool relu, float* c, float* spare);

// sums [9 * channels + 1, columns] += patchesᵀ · gradient [pixels, columns], and in the last row
// the sum of the gradient itself.
using DirectWeights = void (*)(std::int64_t pixels, const float* rows, std::int64_t row_stride,
                               const float* gradient, std::int64_t columns, float* sums);

struct KernelTable {
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
  WinogradTransforms winograd2, winograd4;
  // Entry C - 1 works on C channels.
  DirectForward direct_forward[kDirectChannels];
  DirectWeights direct_weights[kDirectChannels];
};

extern const KernelTable kBaselineKernels;
extern const ElementwiseKernels kBaselineElementwise;
#if defined(__x86_64__)
extern const KernelTable kAvx2Kernels;
extern const ElementwiseKernels kAvx2Elementwise;
extern const KernelTable kAvx512Kernels;
extern const ElementwiseKernels kAvx512Elementwise;
#elif defined(__aarch64__)
extern const KernelTable kNeonKernels;
extern const ElementwiseKernels kNeonElementwise;
#endif

}  // namespace ferplus
