// The kernels compiled for AVX2 and FMA3.
//
// This file is compiled with flags beyond the baseline, so it must define nothing that the linker
// could share with other files: an inline function of the STL or Eigen emitted here would hold
// instructions that older machines lack, and may be the copy that everyone gets. Hence no such
// includes, and internal linkage for all but the table (tests/kernels/check_symbols.cmake).
#if defined(__x86_64__)
#include <ferplus/kernels/elementwise.h>

#include "kernels/bf16.h"
#include "kernels/kernel_table.h"
#include "kernels/simd_avx2.h"

namespace ferplus {
namespace avx2 {
namespace {
#include "kernels/simd_bf16_widened.inl"
// Behind it, what uses it.
#include "kernels/elementwise_impl.inl"
#include "kernels/kernel_impl.inl"
}  // namespace
}  // namespace avx2

constexpr KernelTable kAvx2Kernels = avx2::kernel_table();
constexpr ElementwiseKernels kAvx2Elementwise = avx2::elementwise_table();
constexpr Bf16Kernels kAvx2Bf16Kernels = avx2::bf16_kernels();
}  // namespace ferplus
#endif  // __x86_64__
