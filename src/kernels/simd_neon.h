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

}  // namespace
}  // namespace ferplus::neon
