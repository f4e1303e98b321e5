// Benchmarks of the kernels. Pin the process, and see --benchmark_filter; OMP_NUM_THREADS or
// taskset set the number of threads. --choices alone prints src/kernels/conv2d_choices.cpp anew,
// --worker alone answers tools/peers/bench_peers.py.
#include <string>
#include <string_view>

#include <ferplus/core/parallel.h>
#include <ferplus/core/random.h>
#include <ferplus/kernels/cpu.h>

#include "choices.h"
#include "fma_peak.h"
#include "report.h"
#include "worker.h"

namespace ferplus::bench {

Buffer<float> random_buffer(Index count, std::uint64_t seed) {
  Buffer<float> buffer(static_cast<std::size_t>(count));
  RandomSequence random({.seed = seed, .stream = Stream::synth});
  for (float& value : buffer.span()) value = static_cast<float>(random.uniform(-1.0, 1.0));
  return buffer;
}

void report_flops(benchmark::State& state, double flops_per_iteration, double peak) {
  using benchmark::Counter;
  const double flops = flops_per_iteration * static_cast<double>(state.iterations());
  state.counters["FLOP/s"] = Counter(flops, Counter::kIsRate);
  if (peak > 0.0) state.counters["fma_share"] = Counter(flops / peak, Counter::kIsRate);
}

}  // namespace ferplus::bench

int main(int argc, char** argv) {
  using namespace ferplus;
  if (argc == 2 && std::string_view(argv[1]) == "--choices") {
    bench::print_conv_choices();
    return 0;
  }
  if (argc == 2 && std::string_view(argv[1]) == "--worker") {
    bench::serve_timings();
    return 0;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::AddCustomContext("threads", std::to_string(thread_count()));
  for (std::string_view isa : supported_isas()) {
    benchmark::AddCustomContext("fma_peak_gflops_" + std::string(isa),
                                std::to_string(bench::fma_peak(isa) * 1e-9));
  }
  if (bench::has_vnni()) {
    benchmark::AddCustomContext("int8_peak_gops",
                                std::to_string(bench::fma_peak("avx512_vnni") * 1e-9));
  }
  bench::register_conv2d();
  bench::register_gemm();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
