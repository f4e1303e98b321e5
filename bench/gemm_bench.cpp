// gemm/<pass>/<isa>/<layer>/batch:<n>: the dense layers.
#include <benchmark/benchmark.h>

#include <ferplus/core/buffer.h>
#include <ferplus/core/error.h>
#include <ferplus/core/parallel.h>
#include <ferplus/kernels/cpu.h>
#include <ferplus/kernels/gemm.h>

#include "fma_peak.h"
#include "layers.h"
#include "report.h"

namespace ferplus::bench {
namespace {

void run_forward(benchmark::State& state, std::string_view isa, const DenseLayer& layer,
                 Index batch) {
  set_isa(isa);
  const auto input = random_buffer(batch * layer.inputs, 1);
  const auto weights = random_buffer(layer.inputs * layer.outputs, 2);
  const auto bias = random_buffer(layer.outputs, 3);
  Buffer<float> output(static_cast<std::size_t>(batch * layer.outputs));
  Buffer<std::byte> packed(packed_bytes(layer.inputs, layer.outputs));
  Buffer<std::byte> workspace(gemm_workspace_bytes(thread_count()));
  pack(layer.inputs, layer.outputs, weights.data(), layer.outputs, Transposed::no, packed.data());
  for (auto _ : state) {
    gemm(batch, layer.outputs, layer.inputs, input.data(), layer.inputs, packed.data(),
         output.data(), layer.outputs, workspace.data(), {.bias = bias.data(), .relu = true});
    benchmark::ClobberMemory();
  }
  report_flops(state, 2.0 * static_cast<double>(batch * layer.inputs * layer.outputs),
               fma_peak(isa));
}

void run_weights_gradient(benchmark::State& state, std::string_view isa, const DenseLayer& layer,
                          Index batch) {
  set_isa(isa);
  const auto input = random_buffer(batch * layer.inputs, 1);
  const auto output_gradient = random_buffer(batch * layer.outputs, 2);
  Buffer<float> gradient(static_cast<std::size_t>(layer.inputs * layer.outputs));
  Buffer<std::byte> workspace(gemm_transposed_workspace_bytes(batch, thread_count()));
  for (auto _ : state) {
    gemm_transposed(layer.inputs, layer.outputs, batch, input.data(), layer.inputs,
                    output_gradient.data(), layer.outputs, gradient.data(), layer.outputs,
                    workspace.data());
    benchmark::ClobberMemory();
  }
  report_flops(state, 2.0 * static_cast<double>(batch * layer.inputs * layer.outputs),
               fma_peak(isa));
}

void run_pack(benchmark::State& state, std::string_view isa, const DenseLayer& layer,
              Transposed transposed) {
  set_isa(isa);
  const bool swaps = transposed == Transposed::yes;
  const Index depth = swaps ? layer.outputs : layer.inputs;
  const Index columns = swaps ? layer.inputs : layer.outputs;
  const auto weights = random_buffer(layer.inputs * layer.outputs, 2);
  Buffer<std::byte> packed(packed_bytes(depth, columns));
  for (auto _ : state) {
    pack(depth, columns, weights.data(), layer.outputs, transposed, packed.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * layer.inputs * layer.outputs *
                          static_cast<Index>(sizeof(float)));
}

template <typename Run>
void register_one(const std::string& name, Run run) {
  benchmark::RegisterBenchmark(name.c_str(), run)->Unit(benchmark::kMicrosecond)->UseRealTime();
}

}  // namespace

void register_gemm() {
  for (std::string_view isa : supported_isas()) {
    for (const DenseLayer& layer : kDenseLayers) {
      for (Index batch : {1, 32}) {
        const std::string path = concat("/", isa, "/", layer.name, "/batch:", batch);
        register_one("gemm/forward" + path,
                     [=](benchmark::State& state) { run_forward(state, isa, layer, batch); });
        register_one("gemm/weights_gradient" + path, [=](benchmark::State& state) {
          run_weights_gradient(state, isa, layer, batch);
        });
      }
      for (Transposed transposed : {Transposed::no, Transposed::yes}) {
        const char* name = transposed == Transposed::yes ? "gemm/pack_transposed/" : "gemm/pack/";
        register_one(concat(name, isa, "/", layer.name),
                     [=](benchmark::State& state) { run_pack(state, isa, layer, transposed); });
      }
    }
  }
}

}  // namespace ferplus::bench
