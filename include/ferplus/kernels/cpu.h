// Which instruction set the kernels use. Chosen once, at first use.
#pragma once

#include <span>
#include <string_view>

namespace ferplus {

// Name of the ISA in use: "avx512", "avx2", "baseline" (x86-64 or any other), "neon". The best that
// this machine supports, or the one that the environment variable FERPLUS_ISA names. Throws
// UsageError if FERPLUS_ISA names one that is unknown or that this machine cannot run.
std::string_view isa_name();

// Those this machine can run, best first.
std::span<const std::string_view> supported_isas();

// Whether the ISA in use has instructions for products of bfloat16 on this CPU. Elsewhere operands
// are widened to float, which saves memory and costs time.
bool has_native_bf16();

// For tests and benchmarks: switches the kernels to another ISA. Not thread-safe. Buffers packed or
// prepared before become invalid. Throws UsageError as above.
void set_isa(std::string_view name);

}  // namespace ferplus
