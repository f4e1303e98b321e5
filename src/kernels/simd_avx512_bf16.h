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

}  // namespace
}  // namespace ferplus::avx512
