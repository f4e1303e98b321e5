// The vector type of AVX2 with FMA3 and the operations that the kernels need.
#pragma once

#include <immintrin.h>

namespace ferplus::avx2 {
namespace {

using Vector = __m256;
constexpr int kWidth = 8;
constexpr int kTileRows = 6;
constexpr int kTileColumns = 2 * kWidth;
constexpr int kDepthBlock = 256;

inline Vector load(const float* from) { return _mm256_loadu_ps(from); }
inline void store(float* to, Vector value) { _mm256_storeu_ps(to, value); }
inline Vector broadcast(float value) { return _mm256_set1_ps(value); }
inline Vector multiply_add(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
// Operands in this order: a NaN stays a NaN.
inline Vector positive_part(Vector a) { return _mm256_max_ps(_mm256_setzero_ps(), a); }
// Bit i is set where lane i of a is above that of b.
inline unsigned greater(Vector a, Vector b) {
  return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GT_OQ)));
}
// The lanes of a whose bits are set, 0 elsewhere.
inline Vector where(unsigned bits, Vector a) {
  const __m256i lanes = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
  const __m256i set = _mm256_and_si256(_mm256_set1_epi32(static_cast<int>(bits)), lanes);
  return _mm256_and_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(set, lanes)), a);
}
// a where the condition is above 0, 0 elsewhere.
inline Vector where_positive(Vector condition, Vector a) {
  return _mm256_and_ps(_mm256_cmp_ps(condition, Vector{}, _CMP_GT_OQ), a);
}
// b where it is above a, else a.
inline Vector larger(Vector a, Vector b) { return _mm256_max_ps(b, a); }

}  // namespace
}  // namespace ferplus::avx2
