// The kernels of bf16.h. What they need of their ISA beyond a simd_<isa>.h: Pairs, load_pairs,
// broadcast_pair, multiply_add_pairs and store(Bf16*, Vector).

#include "kernels/register_tile.inl"
#include "kernels/winograd_impl.inl"

template <int kRows>
void multiply_bf16(std::int64_t depth, const Bf16* a, const Bf16* b, float* c, std::int64_t ldc,
                   const Epilogue* epilogue) {
  Vector sum[kRows][2];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) sum[i][0] = sum[i][1] = broadcast(0.0f);
  for (; depth > 0; depth -= kWidth, a += kRows * kWidth) {
#pragma GCC unroll 2
    for (int d = 0; d < kWidth; d += 2, b += 4 * kWidth) {
      const Pairs b0 = load_pairs(b), b1 = load_pairs(b + 2 * kWidth);
      fetch_ahead<4 * kWidth * sizeof(Bf16)>(b);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        const Pairs element = broadcast_pair(a + i * kWidth + d);
        sum[i][0] = multiply_add_pairs(element, b0, sum[i][0]);
        sum[i][1] = multiply_add_pairs(element, b1, sum[i][1]);
      }
    }
  }
  store_tile<kRows>(sum, c, ldc, *epilogue);
}

template <int kRows>
void multiply_transposed_bf16(std::int64_t depth, const Bf16* a, std::int64_t lda, const Bf16* b,
                              float* c, std::int64_t ldc, bool accumulate) {
  Vector sum[kRows][2];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) sum[i][0] = sum[i][1] = broadcast(0.0f);
#pragma GCC unroll 2
  for (std::int64_t d = 0; d < depth; d += 2, a += lda, b += 4 * kWidth) {
    const Pairs b0 = load_pairs(b), b1 = load_pairs(b + 2 * kWidth);
    fetch_ahead<4 * kWidth * sizeof(Bf16)>(b);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const Pairs element = broadcast_pair(a + 2 * i);
      sum[i][0] = multiply_add_pairs(element, b0, sum[i][0]);
      sum[i][1] = multiply_add_pairs(element, b1, sum[i][1]);
    }
  }
  store_tile<kRows>(sum, c, ldc, {accumulate, false, nullptr});
}

void round_to_bf16(std::int64_t count, const float* from, Bf16* to) {
  std::int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) store(to + i, load(from + i));
  if (i == count) return;
  float rest[kWidth] = {};
  Bf16 rounded[kWidth];
  __builtin_memcpy(rest, from + i, static_cast<std::size_t>(count - i) * sizeof(float));
  store(rounded, load(rest));
  __builtin_memcpy(to + i, rounded, static_cast<std::size_t>(count - i) * sizeof(Bf16));
}

template <int kRows>
constexpr MultiplyBf16Function multiply_bf16_entry() {
  if constexpr (kRows <= kTileRows) {
    return multiply_bf16<kRows>;
  } else {
    return nullptr;
  }
}

template <int kRows>
constexpr MultiplyTransposedBf16Function multiply_transposed_bf16_entry() {
  if constexpr (kRows <= kTileRows) {
    return multiply_transposed_bf16<kRows>;
  } else {
    return nullptr;
  }
}

constexpr Bf16Kernels bf16_kernels() {
  constexpr int kCoordinates = Filtering4::kSize * Filtering4::kSize;
  return {kNativeBf16,
          {multiply_bf16_entry<1>(), multiply_bf16_entry<2>(), multiply_bf16_entry<3>(),
           multiply_bf16_entry<4>(), multiply_bf16_entry<5>(), multiply_bf16_entry<6>(),
           multiply_bf16_entry<7>(), multiply_bf16_entry<8>(), multiply_bf16_entry<9>(),
           multiply_bf16_entry<10>(), multiply_bf16_entry<11>(), multiply_bf16_entry<12>(),
           multiply_bf16_entry<13>(), multiply_bf16_entry<14>()},
          {multiply_transposed_bf16_entry<1>(), multiply_transposed_bf16_entry<2>(),
           multiply_transposed_bf16_entry<3>(), multiply_transposed_bf16_entry<4>(),
           multiply_transposed_bf16_entry<5>(), multiply_transposed_bf16_entry<6>(),
           multiply_transposed_bf16_entry<7>(), multiply_transposed_bf16_entry<8>(),
           multiply_transposed_bf16_entry<9>(), multiply_transposed_bf16_entry<10>(),
           multiply_transposed_bf16_entry<11>(), multiply_transposed_bf16_entry<12>(),
           multiply_transposed_bf16_entry<13>(), multiply_transposed_bf16_entry<14>()},
          transform_tiles<InputTransform<Filtering4>, TileRows<Bf16>, Bf16>,
          transform_tiles<InputTransform<Filtering4>, TilePairs<kCoordinates>, Bf16>,
          transform_tiles<OutputGradientTransform<Filtering4>, TilePairs<kCoordinates>, Bf16>,
          round_to_bf16};
}
