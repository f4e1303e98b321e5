// The kernels compiled for AVX-512 (F, DQ, BW, VL).
//
// This file is compiled with flags beyond the baseline, so it must define nothing that the linker
// could share with other files: an inline function of the STL or Eigen emitted here would hold
// instructions that older machines lack, and may be the copy that everyone gets. Hence no such
// includes, and internal linkage for all but the table (tests/kernels/check_symbols.cmake).
#if defined(__x86_64__)
#include <ferplus/kernels/elementwise.h>

#include "kernels/bf16.h"
#include "kernels/kernel_table.h"
#include "kernels/simd_avx512.h"

namespace ferplus {
namespace avx512 {
namespace {
#include "kernels/simd_bf16_widened.inl"
// Behind it, what uses it.
#include "kernels/elementwise_impl.inl"
#include "kernels/kernel_impl.inl"
}  // namespace
}  // namespace avx512

constexpr KernelTable kAvx512Kernels = avx512::kernel_table();
constexpr ElementwiseKernels kAvx512Elementwise = avx512::elementwise_table();
constexpr Bf16Kernels kAvx512Bf16Kernels = avx512::bf16_kernels();
}  // namespace ferplus
#endif  // __x86_64__
