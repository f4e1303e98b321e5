// The kernels for any machine, without flags.
#include "kernels/kernel_table.h"
#include "kernels/simd_baseline.h"

namespace ferplus {
namespace baseline {
namespace {
#include "kernels/kernel_impl.inl"
}  // namespace
}  // namespace baseline

constexpr KernelTable kBaselineKernels = baseline::kernel_table("baseline");
}  // namespace ferplus
