// The vector type of AVX-512F and the operations that the kernels need.
#pragma once

#include <immintrin.h>

namespace ferplus::avx512 {
namespace {

using Vector = __m512;
constexpr int kWidth = 16;
constexpr int kTileRows = 14;
constexpr int kTileColumns = 2 * kWidth;
constexpr int kDepthBlock = 128;

inline Vector load(const float* from) { return _mm512_loadu_ps(from); }
inline void store(float* to, Vector value) { _mm512_storeu_ps(to, value); }
inline Vector broadcast(float value) { return _mm512_set1_ps(value); }
inline Vector multiply_add(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
// Operands in this order: a NaN stays a NaN. (Masked, because GCC 12 warns inside the plain one.)
inline Vector positive_part(Vector a) { return _mm512_maskz_max_ps(0xffff, Vector{}, a); }
// Bit i is set where lane i of a is above that of b.
inline unsigned greater(Vector a, Vector b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
// The lanes of a whose bits are set, 0 elsewhere.
inline Vector where(unsigned bits, Vector a) {
  return _mm512_maskz_mov_ps(static_cast<__mmask16>(bits), a);
}
// a where the condition is above 0, 0 elsewhere.
inline Vector where_positive(Vector condition, Vector a) {
  return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(condition, Vector{}, _CMP_GT_OQ), a);
}
// b where it is above a, else a.
inline Vector larger(Vector a, Vector b) { return _mm512_maskz_max_ps(0xffff, b, a); }

}  // namespace
}  // namespace ferplus::avx512
