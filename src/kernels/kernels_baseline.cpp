// The kernels for any machine, without flags.
#include <ferplus/kernels/elementwise.h>

#include "kernels/kernel_table.h"
#include "kernels/simd_baseline.h"

namespace ferplus {
namespace baseline {
namespace {
#include "kernels/elementwise_impl.inl"
#include "kernels/kernel_impl.inl"
}  // namespace
}  // namespace baseline

constexpr KernelTable kBaselineKernels = baseline::kernel_table("baseline");
constexpr ElementwiseKernels kBaselineElementwise = baseline::elementwise_table();
}  // namespace ferplus
