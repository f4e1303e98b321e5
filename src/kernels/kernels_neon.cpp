// The kernels compiled for AArch64 Advanced SIMD.
//
// This file is compiled with flags beyond the baseline, so it must define nothing that the linker
// could share with other files: an inline function of the STL or Eigen emitted here would hold
// instructions that older machines lack, and may be the copy that everyone gets. Hence no such
// includes, and internal linkage for all but the table (tests/kernels/check_symbols.cmake).
#if defined(__aarch64__)
#include <ferplus/kernels/elementwise.h>

#include "kernels/bf16.h"
#include "kernels/kernel_table.h"
#include "kernels/simd_neon.h"

namespace ferplus {
namespace neon {
namespace {
#include "kernels/simd_bf16_widened.inl"
// Behind it, what uses it.
#include "kernels/elementwise_impl.inl"
#include "kernels/kernel_impl.inl"
}  // namespace
}  // namespace neon

constexpr KernelTable kNeonKernels = neon::kernel_table();
constexpr ElementwiseKernels kNeonElementwise = neon::elementwise_table();
constexpr Bf16Kernels kNeonBf16Kernels = neon::bf16_kernels();
}  // namespace ferplus
#endif  // __aarch64__
