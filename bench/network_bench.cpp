// Benchmarks of whole networks: a training step from the images of a batch to the updated weights,
// and inference.
#include <memory>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <ferplus/data/batch.h>
#include <ferplus/data/synth.h>
#include <ferplus/nn/models.h>
#include <ferplus/nn/session.h>
#include <ferplus/train/loss.h>
#include <ferplus/train/optimizer.h>

namespace ferplus {
namespace {

constexpr Index kTrainBatch = 32;

void training_step(benchmark::State& state, const std::string& name) {
  const Dataset dataset = synthesize({.count = 400});
  const DatasetFaces faces(dataset);
  BatchLoader loader(faces, select(dataset, Split::train, LabelMode::majority),
                     {.batch_size = kTrainBatch});
  const Network network = build_model(name);
  Parameters parameters(network), gradients(network);
  initialize(network, parameters, Initialization::he_normal, 1);
  Sgd optimizer(network, {});
  Session session(network, kTrainBatch, Phase::training);
  std::vector<float> targets(kTrainBatch * kClasses), logits_gradient(targets.size());
  const TensorView target_view{targets.data(), {kTrainBatch, kClasses}};
  const TensorView gradient_view{logits_gradient.data(), {kTrainBatch, kClasses}};
  const std::vector<std::uint64_t> draw_keys(kTrainBatch, 7);
  Index step = 0;
  for (auto _ : state) {
    loader.load(0, step % (loader.batches() - 1), session.input(kTrainBatch), target_view);
    const ConstTensorView logits = session.train(
        kTrainBatch, parameters, {1, static_cast<std::uint32_t>(step), std::span(draw_keys)});
    softmax_loss(LossKind::cross_entropy, logits, target_view, gradient_view);
    session.backward(gradient_view, parameters, gradients);
    optimizer.step(parameters, gradients, 1e-4, kTrainBatch);
    ++step;
  }
  state.SetItemsProcessed(state.iterations() * kTrainBatch);
}

void inference(benchmark::State& state, const std::string& name, Index batch) {
  const Network network = build_model(name);
  Parameters parameters(network);
  initialize(network, parameters, Initialization::he_normal, 1);
  const PreparedModel prepared(network, parameters);
  Session session(network, batch, Phase::inference);
  const TensorView input = session.input(batch);
  RandomSequence random({.seed = 1, .stream = Stream::synth});
  std::vector<float> images(static_cast<std::size_t>(input.elements()));
  for (float& value : images) value = static_cast<float>(random.normal());
  for (auto _ : state) {
    std::copy(images.begin(), images.end(), session.input(batch).data);
    benchmark::DoNotOptimize(session.forward(batch, prepared).data);
  }
  state.SetItemsProcessed(state.iterations() * batch);
}

const bool kRegistered = [] {
  for (const std::string name : {"vgg13", "vgg13_bn"}) {
    benchmark::RegisterBenchmark(("network/train/" + name + "/batch:32").c_str(),
                                 [name](benchmark::State& state) { training_step(state, name); })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
    for (Index batch : {1, 32}) {
      const std::string row = "network/infer/" + name + "/batch:" + std::to_string(batch);
      benchmark::RegisterBenchmark(
          row.c_str(), [name, batch](benchmark::State& state) { inference(state, name, batch); })
          ->UseRealTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
  return true;
}();

}  // namespace
}  // namespace ferplus
