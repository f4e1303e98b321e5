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
// Bit i is set where lane i of a is above that of b.
inline unsigned greater(Vector a, Vector b) {
  const auto lanes = a > b;
  return (lanes[0] & 1u) | (lanes[1] & 2u) | (lanes[2] & 4u) | (lanes[3] & 8u);
}
// The lanes of a whose bits are set, 0 elsewhere.
inline Vector where(unsigned bits, Vector a) {
  typedef unsigned Bits __attribute__((vector_size(16)));
  const Bits lanes{1, 2, 4, 8};
  return (Bits{bits, bits, bits, bits} & lanes) == lanes ? a : Vector{};
}
// a where the condition is above 0, 0 elsewhere.
inline Vector where_positive(Vector condition, Vector a) {
  return condition > Vector{} ? a : Vector{};
}
// b where it is above a, else a.
inline Vector larger(Vector a, Vector b) { return b > a ? b : a; }

}  // namespace
}  // namespace ferplus::baseline
