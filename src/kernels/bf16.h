// Products of bfloat16 operands with sums in float. As kernel_table.h: included by per-ISA sources,
// nothing but <cstdint>.
//
// bfloat16 is the upper half of a float, rounded to nearest even: 8 bits of precision. Where the
// CPU has VDPBF16PS two products cost what one costs in float; elsewhere the operands are widened,
// which saves memory but no time. The two round differently (VDPBF16PS flushes denormals and rounds
// after each product), so machines with and without it agree within a tolerance, not in bits.
#pragma once

#include <cstdint>

#include "kernels/kernel_table.h"

namespace ferplus {

using Bf16 = std::uint16_t;

// As MultiplyFunction, with both operands in bfloat16: a laid out as there, b [depth / 2,
// tile_columns, 2], so that the two values of a pair lie side by side. depth is a multiple of
// vector_width.
using MultiplyBf16Function = void (*)(std::int64_t depth, const Bf16* a, const Bf16* b, float* c,
                                      std::int64_t ldc, const Epilogue* epilogue);

// As MultiplyTransposedFunction, with pairs of neighbours along depth side by side: a [depth / 2,
// …, 2] with lda elements between pairs, b [depth / 2, tile_columns, 2]. depth is even.
using MultiplyTransposedBf16Function = void (*)(std::int64_t depth, const Bf16* a, std::int64_t lda,
                                                const Bf16* b, float* c, std::int64_t ldc,
                                                bool accumulate);

// Most channels that the transforms in pairs take at a time.
inline constexpr int kMaxPairChannels = 128;

// As TileTransform, rounding what it writes; in pairs, the values of two tiles lie side by side,
// tile_stride is between pairs of tiles, groups are of 2 · vector_width elements a vector, and a
// last tile without a partner is paired with zeros.
using TileTransformBf16 = void (*)(const TileGrid* grid, const float* images,
                                   const PoolPlaces* places, std::int64_t first_tile,
                                   std::int64_t tiles, std::int64_t first_channel,
                                   std::int64_t channels, const float* zeros,
                                   const TransformLayout* layout, Bf16* out, float* sums);

// In the layouts of the KernelTable of the same ISA.
struct Bf16Kernels {
  bool native;  // has an instruction of its own for it
  MultiplyBf16Function multiply[kMaxTileRows];
  MultiplyTransposedBf16Function multiply_transposed[kMaxTileRows];
  TileTransformBf16 winograd4_input, winograd4_input_pairs, winograd4_output_gradient_pairs;
  // to[i] = from[i], rounded.
  void (*round)(std::int64_t count, const float* from, Bf16* to);
};

extern const Bf16Kernels kBaselineBf16Kernels;
#if defined(__x86_64__)
extern const Bf16Kernels kAvx2Bf16Kernels;
extern const Bf16Kernels kAvx512Bf16Kernels;        // widens
extern const Bf16Kernels kAvx512NativeBf16Kernels;  // VDPBF16PS
#elif defined(__aarch64__)
extern const Bf16Kernels kNeonBf16Kernels;
#endif

}  // namespace ferplus
