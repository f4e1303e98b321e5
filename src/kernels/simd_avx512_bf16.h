// bfloat16 with the instructions of AVX512-BF16.
#pragma once

#include "kernels/bf16.h"
#include "kernels/simd_avx512.h"

namespace ferplus::avx512 {
namespace {

constexpr bool kNativeBf16 = true;
using Pairs = __m512bh;

inline Pairs load_pairs(const Bf16* from) { return (Pairs)_mm512_loadu_si512(from); }
inline Pairs broadcast_pair(const Bf16* from) {
  int pair;
  __builtin_memcpy(&pair, from, sizeof(pair));
  return (Pairs)_mm512_set1_epi32(pair);
}
inline Vector multiply_add_pairs(Pairs a, Pairs b, Vector sum) {
  return _mm512_dpbf16_ps(sum, a, b);
}
inline void store(Bf16* to, Vector value) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), (__m256i)_mm512_cvtneps_pbh(value));
}

// Lane i of both, side by side. (Masked, because GCC 12 warns inside the plain instructions.)
inline void store_pair(Bf16* to, Vector first, Vector second) {
  constexpr __mmask16 kAll = 0xffff;
  const __m512i low = _mm512_maskz_cvtepu16_epi32(kAll, (__m256i)_mm512_cvtneps_pbh(first));
  const __m512i high = _mm512_maskz_cvtepu16_epi32(kAll, (__m256i)_mm512_cvtneps_pbh(second));
  _mm512_storeu_si512(to, _mm512_or_si512(low, _mm512_maskz_slli_epi32(kAll, high, 16)));
}

}  // namespace
}  // namespace ferplus::avx512
