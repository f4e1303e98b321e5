// The vector type of AArch64 Advanced SIMD and the operations that the kernels need.
#pragma once

#include <arm_neon.h>

namespace ferplus::neon {
namespace {

using Vector = float32x4_t;
constexpr int kWidth = 4;
constexpr int kTileRows = 12;
constexpr int kTileColumns = 2 * kWidth;
constexpr int kDepthBlock = 256;

inline Vector load(const float* from) { return vld1q_f32(from); }
inline void store(float* to, Vector value) { vst1q_f32(to, value); }
inline Vector broadcast(float value) { return vdupq_n_f32(value); }
inline Vector multiply_add(Vector a, Vector b, Vector c) { return vfmaq_f32(c, a, b); }
// FMAX keeps a NaN.
inline Vector positive_part(Vector a) { return vmaxq_f32(a, vdupq_n_f32(0.0f)); }
// Bit i is set where lane i of a is above that of b.
inline unsigned greater(Vector a, Vector b) {
  const uint32x4_t lanes{1, 2, 4, 8};
  return vaddvq_u32(vandq_u32(vcgtq_f32(a, b), lanes));
}
// The lanes of a whose bits are set, 0 elsewhere.
inline Vector where(unsigned bits, Vector a) {
  const uint32x4_t lanes{1, 2, 4, 8};
  const uint32x4_t set = vtstq_u32(vdupq_n_u32(bits), lanes);
  return vreinterpretq_f32_u32(vandq_u32(set, vreinterpretq_u32_f32(a)));
}
// a where the condition is above 0, 0 elsewhere.
inline Vector where_positive(Vector condition, Vector a) {
  const uint32x4_t kept = vcgtq_f32(condition, vdupq_n_f32(0.0f));
  return vreinterpretq_f32_u32(vandq_u32(kept, vreinterpretq_u32_f32(a)));
}
// b where it is above a, else a.
inline Vector larger(Vector a, Vector b) { return vbslq_f32(vcgtq_f32(b, a), b, a); }

}  // namespace
}  // namespace ferplus::neon
