// conv2d/<pass>/<algorithm>/<isa>/<layer>/batch:<n>. FLOP/s count direct convolution; fma_share is
// the part of the multiply-add peak measured in this run. backward_weights has the bias gradient
// with it. Weights are prepared outside the timed loop; conv2d_prepare/… times that.
#include <string>

#include <benchmark/benchmark.h>

#include <ferplus/core/buffer.h>
#include <ferplus/core/error.h>
#include <ferplus/core/parallel.h>
#include <ferplus/core/random.h>
#include <ferplus/kernels/conv2d.h>
#include <ferplus/kernels/cpu.h>

#include "fma_peak.h"
#include "layers.h"
#include "report.h"

namespace ferplus::bench {
namespace {

void run_conv(benchmark::State& state, std::string_view isa, const ConvAlgorithm& algorithm,
              ConvPass pass, const ConvShape& shape) {
  set_isa(isa);
  const auto input = random_buffer(shape.input_size(), 1);
  const auto output = random_buffer(shape.output_size(), 2);
  const auto weights = random_buffer(shape.weights_size(), 3);
  const auto bias = random_buffer(shape.out_channels, 4);
  Buffer<float> result(static_cast<std::size_t>(
      pass == ConvPass::forward
          ? shape.output_size()
          : (pass == ConvPass::backward_data ? shape.input_size() : shape.weights_size())));
  Buffer<float> bias_gradient(bias.size());
  Buffer<std::byte> prepared(algorithm.prepared_bytes(shape, pass));
  Buffer<std::byte> workspace(algorithm.workspace_bytes(shape, pass, thread_count()));
  algorithm.prepare(shape, pass, weights.data(), prepared.data());
  for (auto _ : state) {
    switch (pass) {
      case ConvPass::forward:
        algorithm.forward(shape, input.data(), prepared.data(), {.bias = bias.data(), .relu = true},
                          result.data(), workspace.data());
        break;
      case ConvPass::backward_data:
        algorithm.backward_data(shape, {output.data()}, prepared.data(), nullptr, result.data(),
                                workspace.data());
        break;
      case ConvPass::backward_weights:
        algorithm.backward_weights(shape, input.data(), {output.data()}, result.data(),
                                   bias_gradient.data(), workspace.data());
        break;
    }
    benchmark::ClobberMemory();
  }
  report_flops(state, shape.flops(), fma_peak(isa));
}

void run_prepare(benchmark::State& state, std::string_view isa, const ConvAlgorithm& algorithm,
                 ConvPass pass, const ConvShape& shape) {
  set_isa(isa);
  const auto weights = random_buffer(shape.weights_size(), 3);
  Buffer<std::byte> prepared(algorithm.prepared_bytes(shape, pass));
  for (auto _ : state) {
    algorithm.prepare(shape, pass, weights.data(), prepared.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * shape.weights_size() *
                          static_cast<Index>(sizeof(float)));
}

}  // namespace

void register_conv2d() {
  for (std::string_view isa : supported_isas()) {
    for (const ConvAlgorithm& algorithm : conv_algorithms()) {
      for (ConvPass pass : kAllConvPasses) {
        for (const ConvLayer& layer : kConvLayers) {
          const std::string path =
              concat("/", conv_pass_name(pass), "/", algorithm.name, "/", isa, "/", layer.name);
          for (Index batch : {1, 32}) {
            ConvShape shape = layer.shape(batch);
            shape.precision = Precision::bf16;  // lets algorithms run that need it
            if (!algorithm.supports(shape, pass)) continue;
            benchmark::RegisterBenchmark(concat("conv2d", path, "/batch:", batch).c_str(),
                                         [=, &algorithm](benchmark::State& state) {
                                           run_conv(state, isa, algorithm, pass, shape);
                                         })
                ->Unit(benchmark::kMicrosecond)
                ->UseRealTime();
          }
          ConvShape shape = layer.shape(1);
          shape.precision = Precision::bf16;
          if (!algorithm.supports(shape, pass) || pass == ConvPass::backward_weights) continue;
          benchmark::RegisterBenchmark(concat("conv2d_prepare", path).c_str(),
                                       [=, &algorithm](benchmark::State& state) {
                                         run_prepare(state, isa, algorithm, pass, shape);
                                       })
              ->Unit(benchmark::kMicrosecond)
              ->UseRealTime();
        }
      }
    }
  }
}

}  // namespace ferplus::bench
