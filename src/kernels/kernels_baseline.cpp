// The kernels for any machine, without flags.
#include <ferplus/kernels/elementwise.h>

#include "kernels/bf16.h"
#include "kernels/kernel_table.h"
#include "kernels/simd_baseline.h"

namespace ferplus {
namespace baseline {
namespace {
#include "kernels/simd_bf16_widened.inl"
// Behind it, what uses it.
#include "kernels/elementwise_impl.inl"
#include "kernels/kernel_impl.inl"
}  // namespace
}  // namespace baseline

constexpr KernelTable kBaselineKernels = baseline::kernel_table();
constexpr ElementwiseKernels kBaselineElementwise = baseline::elementwise_table();
constexpr Bf16Kernels kBaselineBf16Kernels = baseline::bf16_kernels();
}  // namespace ferplus
