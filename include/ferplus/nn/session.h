// Runs a network: forward and, in training, backward. A Session owns one arena of memory, planned
// once for its largest batch; afterwards no call allocates.
//
// Thread safety: a Session belongs to one caller at a time (it uses thread_count() threads itself).
// Networks, Parameters that nobody changes and PreparedModels may be shared by many sessions.
//
// A Session is planned for the ISA, the convolution algorithms (kernels/conv2d.h) and the
// thread_count() at its construction. Running it after any of them has changed throws Error;
// changing them while another thread runs a session is a data race.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ferplus/core/buffer.h>
#include <ferplus/core/parallel.h>
#include <ferplus/nn/network.h>
#include <ferplus/nn/prepared_model.h>

namespace ferplus {

class ArenaLayout;  // of an arena

class Session {
 public:
  // For inference with `model`, which must outlive the session. Throws UsageError if max_batch < 1.
  Session(const PreparedModel& model, Index max_batch)
      : Session(model.network(), max_batch, Phase::inference, model.precision()) {}
  // `network` must outlive the session. Phase::inference plans for forward only. Throws as above.
  Session(const Network& network, Index max_batch, Phase phase,
          Precision precision = Precision::fp32);

  Index max_batch() const { return max_batch_; }

  // The input of the next pass, for the caller to fill: [batch, …]. Its contents are lost with that
  // pass, what backward needs already with this call. Throws Error unless 1 ≤ batch ≤ max_batch(),
  // as all that take a batch do.
  TensorView input(Index batch);

  // Logits [batch, outputs] of the images in input(batch), valid until the next call. Inference;
  // throws Error if `model` runs another network or in another precision than the session.
  ConstTensorView forward(Index batch, const PreparedModel& model);
  // Inference with weights that change often (evaluation while training): packs them on the way.
  // Throws Error if the session was not made for Phase::training, whose arena has room for them.
  ConstTensorView forward_unprepared(Index batch, const Parameters& parameters);
  // The forward pass of training: dropout drops, batch-norm takes the batch's statistics and
  // updates the running ones in parameters.state(), and what backward needs is kept. Throws Error
  // as forward_unprepared does, and unless draws.keys.size() == batch.
  ConstTensorView forward_training(Index batch, Parameters& parameters, const DrawContext& draws);
  // Gradients of every parameter from those of the logits [batch, outputs]. Follows
  // forward_training, with the same parameters and nothing but first_non_finite_layer() in between;
  // throws Error otherwise. Overwrites gradients.values().
  void backward(ConstTensorView logits_gradient, const Parameters& parameters,
                Parameters& gradients);

  // After forward_training: the name of the first layer whose output holds a value that is not
  // finite, or nothing.
  std::optional<std::string> first_non_finite_layer() const;

  // Calls observe(name, direction, seconds) after each entry of fused_layers in each pass. Empty to
  // stop. For profiles.
  using Observer = std::function<void(const std::string&, Direction, double)>;
  void observe(Observer observer) { observer_ = std::move(observer); }

 private:
  struct LayerMemory {
    LayerPlan plan;          // for max_batch, or for the images of a slice
    std::size_t output = 0;  // offsets into the arena
    std::size_t saved = 0;
  };

  void plan_slices();
  void plan_arena();
  void plan_training_activations(ArenaLayout& layout);
  void plan_inference_activations(ArenaLayout& layout);
  void check_batch(Index batch) const;
  void check_kernels() const;
  TensorView input_view(Index batch);
  TensorView activation(std::size_t layer, Index batch);  // its output
  // Whether the gradient of the ReLU that ends a layer is left to the layer after it.
  bool next_applies_relu_gradient(std::size_t layer) const;
  struct Pass {
    Phase phase = Phase::inference;
    const PreparedModel* model = nullptr;  // or null: weights are packed on the way
    DrawContext draws{};
  };
  ConstTensorView run(Index batch, const Parameters& parameters, float* state, const Pass& pass);
  // Layers [begin, end) of images [first, first + images) of a batch.
  void forward_layers(std::size_t begin, std::size_t end, Index first, Index images,
                      const Pass& pass);
  void* at(std::size_t offset) { return arena_.data() + offset; }

  const Network* network_;
  Index max_batch_;
  Phase phase_;
  Precision precision_;
  KernelChoice kernels_;
  int threads_ = thread_count();
  std::vector<Network::Entry> layers_;  // fused_layers
  std::vector<LayerMemory> memory_;     // of each
  // At inference the first layers, which have the largest activations, take a few images at a time:
  // what one writes is then still in the cache when the next reads it.
  std::size_t sliced_layers_ = 0;
  Index slice_images_ = 0;
  std::size_t input_ = 0, scratch_ = 0, prepared_ = 0;
  std::size_t gradient_[2] = {0, 0};
  Buffer<std::byte> arena_;
  std::vector<ConstTensorView> parameter_views_;
  std::vector<TensorView> state_views_, gradient_views_;
  Index batch_ = 0;                 // of the last pass
  bool backward_possible_ = false;  // all that it needs is there
  Observer observer_;
};

}  // namespace ferplus
