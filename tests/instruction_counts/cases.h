// What the instruction counts are of: the kernels of a training step on small fixed operands.
#pragma once

#include <functional>
#include <string>

namespace ferplus::instruction_counts {

// Runs `kernel` and counts its instructions under `name`, "conv2d/winograd4/forward" for instance.
using Count = std::function<void(const std::string& name, const std::function<void()>& kernel)>;

// Every case in turn: every convolution algorithm and pass that the ISA in use has, the matrix
// products of dense layers, and ElementwiseKernels.
void run_cases(const Count& count);

}  // namespace ferplus::instruction_counts
