// Four lanes in the compiler's own vector type: SSE2 on x86-64, whatever there is elsewhere. No
// fused multiply-add, which the baseline of x86-64 lacks.
#pragma once

namespace ferplus::baseline {
namespace {

typedef float Vector __attribute__((vector_size(16)));
constexpr int kWidth = 4;
constexpr int kTileRows = 6;
constexpr int kTileColumns = 2 * kWidth;
constexpr int kDepthBlock = 256;

inline Vector load(const float* from) {
  Vector value;
  __builtin_memcpy(&value, from, sizeof(value));
  return value;
}
inline void store(float* to, Vector value) { __builtin_memcpy(to, &value, sizeof(value)); }
inline Vector broadcast(float value) { return Vector{value, value, value, value}; }
inline Vector multiply_add(Vector a, Vector b, Vector c) { return a * b + c; }
// A NaN compares false, and stays.
inline Vector positive_part(Vector a) { return a < Vector{} ? Vector{} : a; }

}  // namespace
}  // namespace ferplus::baseline
