// The bfloat16 kernels compiled for AVX-512 with AVX512-BF16; kernels_avx512.cpp says what such a
// file must not hold.
#if defined(__x86_64__)
#include "kernels/simd_avx512_bf16.h"

namespace ferplus {
namespace avx512 {
namespace {
#include "kernels/bf16_impl.inl"
}  // namespace
}  // namespace avx512

constexpr Bf16Kernels kAvx512NativeBf16Kernels = avx512::bf16_kernels();
}  // namespace ferplus
#endif  // __x86_64__
