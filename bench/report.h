// What the benchmarks share: operands, counters, and the list of what there is to run.
#pragma once

#include <cstdint>

#include <benchmark/benchmark.h>

#include <ferplus/core/buffer.h>
#include <ferplus/core/tensor.h>

namespace ferplus::bench {

void register_conv2d();
void register_gemm();

// Uniform in [-1, 1), the same for the same seed.
Buffer<float> random_buffer(Index count, std::uint64_t seed);

// Counters FLOP/s and fma_share (of `peak` operations a second, if it is known).
void report_flops(benchmark::State& state, double flops_per_iteration, double peak);

}  // namespace ferplus::bench
