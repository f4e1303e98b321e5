// network/<train|infer>/<network>/<precision>/batch:<n>: whole networks (network_steps.h).
#include <string>

#include <benchmark/benchmark.h>

#include <ferplus/core/error.h>

#include "network_steps.h"

namespace ferplus::bench {
namespace {

void training(benchmark::State& state, const std::string& name, Index batch, Precision precision) {
  TrainingStep step(name, batch, precision);
  for (auto _ : state) step.run();
  state.SetItemsProcessed(state.iterations() * batch);
}

void inference(benchmark::State& state, const std::string& name, Index batch, Precision precision) {
  Inference network(name, batch, precision);
  for (auto _ : state) benchmark::DoNotOptimize(network.run());
  state.SetItemsProcessed(state.iterations() * batch);
}

const bool kRegistered = [] {
  for (const std::string name : {"vgg13", "vgg13_bn"}) {
    for (Precision precision : {Precision::fp32, Precision::bf16}) {
      const auto add = [&](std::string_view task, Index batch, auto run) {
        const std::string row =
            concat("network/", task, "/", name, "/", precision_name(precision), "/batch:", batch);
        benchmark::RegisterBenchmark(
            row.c_str(), [=](benchmark::State& state) { run(state, name, batch, precision); })
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
      };
      add("train", 32, training);
      add("infer", 1, inference);
      add("infer", 32, inference);
    }
  }
  return true;
}();

}  // namespace
}  // namespace ferplus::bench
