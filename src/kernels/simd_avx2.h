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

}  // namespace
}  // namespace ferplus::avx2
