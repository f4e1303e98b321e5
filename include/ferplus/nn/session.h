// Runs a network: forward and, in training, backward. A Session owns one arena of memory, planned
// once for its largest batch; afterwards no call allocates.
//
// Thread safety: a Session belongs to one caller at a time (it uses thread_count() threads itself).
// Networks, Parameters that nobody changes and PreparedModels may be shared by many sessions. A
// Session is planned for the thread_count() and the ISA at its construction; make a new one after
// changing either.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ferplus/core/buffer.h>
#include <ferplus/nn/fold.h>
#include <ferplus/nn/network.h>

namespace ferplus {

// A network's weights packed for inference once, batch-norm folded into them (fold.h), immutable,
// shared by sessions. Refers to `network` and `parameters`, which must outlive it.
class PreparedModel {
 public:
  PreparedModel(const Network& network, const Parameters& parameters,
                Precision precision = Precision::fp32);

  // Those that run: without the batch-norm that was folded.
  const Network& network() const { return *network_; }
  const Parameters& parameters() const { return *parameters_; }
  Precision precision() const { return precision_; }
  // Packed weights of an entry of fused_steps; not to be read if the layer has none.
  const void* weights(std::size_t step) const;

 private:
  std::unique_ptr<const FoldedNetwork> folded_;  // if there was something to fold
  const Network* network_;
  const Parameters* parameters_;
  Precision precision_;
  std::vector<std::size_t> offsets_;
  Buffer<std::byte> packed_;
};

class Session {
 public:
  // For inference with `model`, which must outlive the session. Throws UsageError if max_batch < 1.
  Session(const PreparedModel& model, Index max_batch)
      : Session(model.network(), max_batch, Phase::inference, model.precision()) {}
  // `network` must outlive the session. Phase::inference plans for forward only. Throws as above.
  Session(const Network& network, Index max_batch, Phase phase,
          Precision precision = Precision::fp32);

  Index max_batch() const { return max_batch_; }

  // The input of the next forward, for the caller to fill: [batch, …]. REQUIRES: 1 ≤ batch ≤
  // max_batch(). The contents are lost with the next forward.
  TensorView input(Index batch);

  // Logits [batch, outputs] of the images in input(batch), valid until the next call. Inference;
  // throws Error if `model` runs another network or in another precision than the session.
  ConstTensorView forward(Index batch, const PreparedModel& model);
  // Inference with weights that change often (evaluation while training): packs them on the way.
  // REQUIRES: Phase::training, whose arena has room for the packed weights; throws Error otherwise.
  ConstTensorView evaluate(Index batch, const Parameters& parameters);
  // Training; updates the running statistics in parameters.state(). REQUIRES: Phase::training,
  // draws.samples.size() == batch.
  ConstTensorView train(Index batch, Parameters& parameters, const DrawContext& draws);
  // After train, with the same parameters: gradients of every parameter from those of the logits.
  // Overwrites gradients.values().
  void backward(ConstTensorView logits_gradient, const Parameters& parameters,
                Parameters& gradients);

  // After train: the name of the first layer whose output holds a value that is not finite, or
  // nothing.
  std::optional<std::string> first_non_finite_layer() const;

  // Calls observe(step name, pass, seconds) after each layer of each pass; pass is "forward" or
  // "backward". Empty to stop. For profiles.
  using Observer = std::function<void(const std::string&, std::string_view, double)>;
  void observe(Observer observer) { observer_ = std::move(observer); }

 private:
  struct StepPlan {
    LayerPlan plan;          // for max_batch, or for the images of a slice
    std::size_t output = 0;  // offsets into the arena
    std::size_t saved = 0;
  };

  void plan_slices();
  void plan_arena();
  TensorView activation(std::size_t step, Index batch);  // output of a step
  // Whether the gradient of the ReLU that ends a step is left to the step after it.
  bool next_passes_relu(std::size_t step) const;
  struct Pass {
    Phase phase = Phase::inference;
    const PreparedModel* model = nullptr;  // or null: weights are packed on the way
    DrawContext draws{};
  };
  ConstTensorView run(Index batch, const Parameters& parameters, float* state, const Pass& pass);
  // Steps [begin, end) of images [first, first + images) of a batch.
  void forward_steps(std::size_t begin, std::size_t end, Index first, Index images,
                     const Pass& pass);
  void* at(std::size_t offset) { return arena_.data() + offset; }

  const Network* network_;
  Index max_batch_;
  Phase phase_;
  Precision precision_;
  std::vector<Network::Step> layers_;  // fused_steps
  std::vector<StepPlan> steps_;        // of each
  // At inference the first steps, which have the largest activations, take a few images at a time:
  // what one writes is then still in the cache when the next reads it.
  std::size_t sliced_steps_ = 0;
  Index slice_images_ = 0;
  std::size_t input_ = 0, scratch_ = 0, prepared_ = 0;
  std::size_t gradient_[2] = {0, 0};
  Buffer<std::byte> arena_;
  std::vector<ConstTensorView> parameter_views_;
  std::vector<TensorView> state_views_, gradient_views_;
  Index batch_ = 0;  // of the last forward
  Observer observer_;
};

}  // namespace ferplus
