// The two floating-point formats of 16 bits, as bits: IEEE 754-2008 binary16 ("half", F16 in
// safetensors) and bfloat16, the upper half of a float. The modes of the floating-point unit
// (rounding, FlushDenormals) do not matter.
#pragma once

#include <bit>
#include <cstdint>

namespace ferplus {

inline constexpr float kLargestHalf = 65504;

namespace detail {
// value / 2^shift, rounded to nearest, ties to even. 1 <= shift <= 31.
constexpr std::uint32_t shift_rounded(std::uint32_t value, unsigned shift) {
  const std::uint32_t quotient = value >> shift, half = std::uint32_t{1} << (shift - 1);
  const std::uint32_t rest = value & (2 * half - 1);
  return quotient + (rest > half || (rest == half && (quotient & 1) != 0) ? 1 : 0);
}
}  // namespace detail

// Rounded to nearest, ties to even; from 65520 on infinity. NaNs become quiet.
constexpr std::uint16_t half_from_float(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  constexpr std::uint32_t kInfinity = 0x7f800000, kTwoTo16 = 0x47800000;
  constexpr std::uint32_t kSmallestNormal = 113 << 23, kRebias = 112 << 23;  // 2^-14; of exponents
  const auto with_sign = [&](std::uint32_t half) {
    return static_cast<std::uint16_t>(sign | half);
  };
  if (magnitude > kInfinity) return with_sign(0x7e00);
  if (magnitude >= kTwoTo16) return with_sign(0x7c00);
  if (magnitude >= kSmallestNormal) {
    // A carry out of the mantissa raises the exponent, as it should.
    return with_sign(detail::shift_rounded(magnitude - kRebias, 13));
  }
  const std::uint32_t exponent = magnitude >> 23;
  if (exponent < 102) return with_sign(0);  // below half of the smallest subnormal, 2^-24
  return with_sign(detail::shift_rounded((magnitude & 0x7fffff) | 0x800000, 126 - exponent));
}

// Exact.
constexpr float float_from_half(std::uint16_t half) {
  const std::uint32_t sign = (half & std::uint32_t{0x8000}) << 16;
  const std::uint32_t exponent = half >> 10 & 31, mantissa = half & 0x3ff;
  if (exponent == 31) return std::bit_cast<float>(sign | 0x7f800000 | mantissa << 13);
  if (exponent > 0) return std::bit_cast<float>(sign | (exponent + 112) << 23 | mantissa << 13);
  const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
  return sign == 0 ? magnitude : -magnitude;
}

// Rounded to nearest, ties to even; what is nearer to 2^128 than to the largest is infinity. NaNs
// become quiet.
constexpr std::uint16_t bfloat16_from_float(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<std::uint16_t>(bits >> 16 | 0x40);
  return static_cast<std::uint16_t>(detail::shift_rounded(bits, 16));
}

// Exact.
constexpr float float_from_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

}  // namespace ferplus
