#include <algorithm>
#include <cmath>

#include <ferplus/core/clock.h>
#include <ferplus/core/error.h>
#include <ferplus/nn/session.h>

#include "nn/arena_layout.h"
#include "nn/parameter_views.h"

namespace ferplus {
namespace {

Shape batched(const Shape& shape, Index batch) { return shape.with_batch(batch); }

// Images [first, first + images) of a batch.
TensorView part(TensorView batch, Index first, Index images) {
  return {batch.image(first), batched(batch.shape, images)};
}

std::size_t float_bytes(const Shape& shape) {
  return align_up(static_cast<std::size_t>(shape.elements()) * sizeof(float));
}

// Activations of a whole batch that take more than kCachedBytes leave the caches before the next
// layer reads them; those of a slice of kSliceBytes are still there (measured: 4 % of the inference
// of 32 images).
constexpr std::size_t kCachedBytes = std::size_t{8} << 20, kSliceBytes = std::size_t{4} << 20;

}  // namespace

Session::Session(const Network& network, Index max_batch, Phase phase, Precision precision)
    : network_(&network),
      max_batch_(max_batch),
      phase_(phase),
      precision_(precision),
      layers_(fused_layers(network, precision)),
      parameter_views_(network.parameters().size()),
      state_views_(network.state().size()),
      gradient_views_(network.parameters().size()) {
  if (max_batch < 1) throw UsageError(concat("a batch needs at least one image, not ", max_batch));
  if (phase == Phase::inference) plan_slices();
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Network::Entry& entry = layers_[i];
    const Index images = i < sliced_layers_ ? slice_images_ : max_batch;
    memory_.push_back({.plan = entry.layer->plan(batched(entry.input, images), phase)});
    if (phase == Phase::training) {
      // forward_unprepared() runs the inference phase in the same scratch.
      const LayerPlan inference =
          entry.layer->plan(batched(entry.input, max_batch), Phase::inference);
      LayerPlan& plan = memory_.back().plan;
      plan.scratch_bytes = std::max(plan.scratch_bytes, inference.scratch_bytes);
    }
  }
  plan_arena();
}

void Session::plan_slices() {
  const auto bytes = [](const Shape& shape, Index images) {
    return float_bytes(batched(shape, images));
  };
  std::size_t largest = 0;  // of an image
  for (const Network::Entry& entry : layers_) {
    const std::size_t more =
        std::max(bytes(entry.input, max_batch_), bytes(entry.output, max_batch_));
    if (more <= kCachedBytes) break;
    ++sliced_layers_;
    largest = std::max(largest, bytes(entry.output, 1));
  }
  const auto in_place = [&](std::size_t i) {
    return layers_[i].layer->plan(batched(layers_[i].input, 1), Phase::inference).in_place;
  };
  // The last one reads a slice and writes its part of the batch, so it cannot work in place.
  while (sliced_layers_ > 0 && (in_place(0) || in_place(sliced_layers_ - 1))) --sliced_layers_;
  if (sliced_layers_ == 0) return;
  slice_images_ = std::clamp<Index>(static_cast<Index>(kSliceBytes / largest), 1, max_batch_);
}

void Session::plan_arena() {
  ArenaLayout layout;
  std::size_t scratch = 0;
  for (const LayerMemory& layer : memory_) scratch = std::max(scratch, layer.plan.scratch_bytes);
  scratch_ = layout.add(scratch);
  if (phase_ == Phase::training) {
    plan_training_activations(layout);
  } else {
    plan_inference_activations(layout);
  }
  arena_ = Buffer<std::byte>(layout.size());
}

// Every activation stays until backward; gradients alternate between two buffers.
void Session::plan_training_activations(ArenaLayout& layout) {
  std::size_t prepared = 0;
  for (const LayerMemory& layer : memory_) {
    prepared =
        std::max({prepared, layer.plan.prepared_forward_bytes, layer.plan.prepared_backward_bytes});
  }
  prepared_ = layout.add(prepared);
  // Backward goes from the last layer to the first; the gradient of a layer's input is in the other
  // buffer than that of its output, unless the layer works in place.
  std::size_t gradient_bytes[2] = {}, current = 0;
  for (std::size_t i = memory_.size(); i-- > 0;) {
    gradient_bytes[current] =
        std::max(gradient_bytes[current], float_bytes(memory_[i].plan.output));
    if (!memory_[i].plan.in_place) current = 1 - current;
  }
  gradient_[0] = layout.add(gradient_bytes[0]);
  gradient_[1] = layout.add(gradient_bytes[1]);
  input_ = layout.add(float_bytes(batched(network_->input(), max_batch_)));
  std::size_t previous = input_;
  for (LayerMemory& layer : memory_) {
    layer.output = layer.plan.in_place ? previous : layout.add(float_bytes(layer.plan.output));
    layer.saved = layout.add(layer.plan.saved_bytes);
    previous = layer.output;
  }
}

// Activations of the whole batch alternate between two buffers, those of slices between two of
// their own; an in-place layer stays in its own.
void Session::plan_inference_activations(ArenaLayout& layout) {
  // The last sliced layer reads a slice and writes its part of the batch.
  const auto writes_slice = [&](std::size_t i) { return i + 1 < sliced_layers_; };
  std::size_t largest_slice = 0;
  std::size_t largest = 0;
  for (std::size_t i = 0; i < memory_.size(); ++i) {
    const std::size_t bytes =
        float_bytes(batched(layers_[i].output, writes_slice(i) ? slice_images_ : max_batch_));
    std::size_t& most = writes_slice(i) ? largest_slice : largest;
    most = std::max(most, bytes);
  }
  const std::size_t slices[2] = {layout.add(largest_slice), layout.add(largest_slice)};
  const std::size_t input_bytes = float_bytes(batched(network_->input(), max_batch_));
  const std::size_t buffers[2] = {layout.add(std::max(largest, input_bytes)), layout.add(largest)};
  input_ = buffers[0];
  std::size_t current = 0;
  for (std::size_t i = 0; i < memory_.size(); ++i) {
    if (i + 1 == sliced_layers_) {
      current = 1;
    } else if (!memory_[i].plan.in_place) {
      current = 1 - current;
    }
    memory_[i].output = writes_slice(i) ? slices[current] : buffers[current];
  }
}

void Session::check_batch(Index batch) const {
  if (batch < 1 || batch > max_batch_) {
    throw Error(concat("a batch of ", batch, " images in a session for 1 to ", max_batch_));
  }
}

TensorView Session::input_view(Index batch) {
  return {static_cast<float*>(at(input_)), batched(network_->input(), batch)};
}

TensorView Session::input(Index batch) {
  check_batch(batch);
  backward_possible_ = false;
  return input_view(batch);
}

TensorView Session::activation(std::size_t layer, Index batch) {
  return {static_cast<float*>(at(memory_[layer].output)), batched(layers_[layer].output, batch)};
}

ConstTensorView Session::forward(Index batch, const PreparedModel& model) {
  if (&model.network() != network_) {
    throw Error("a session runs the network that it was made for: make it from the prepared model");
  }
  if (model.precision() != precision_) {
    throw Error(concat("a model prepared for ", precision_name(model.precision()),
                       " in a session for ", precision_name(precision_)));
  }
  if (!model.kernels().is_current()) {
    throw Error(
        "the instruction set or the convolution algorithms have changed since this model was "
        "prepared: prepare it again");
  }
  // Inference reads the state only; the views are mutable for training's sake.
  return run(batch, model.parameters(), const_cast<float*>(model.parameters().state().data()),
             {.model = &model});
}

ConstTensorView Session::forward_unprepared(Index batch, const Parameters& parameters) {
  return run(batch, parameters, const_cast<float*>(parameters.state().data()), {});
}

ConstTensorView Session::forward_training(Index batch, Parameters& parameters,
                                          const DrawContext& draws) {
  if (std::ssize(draws.keys) != batch) {
    throw Error(concat("draws for ", draws.keys.size(), " images in a batch of ", batch));
  }
  const ConstTensorView logits =
      run(batch, parameters, parameters.state().data(), {.phase = Phase::training, .draws = draws});
  backward_possible_ = true;
  return logits;
}

// Layers choose their algorithm, and with it how they read packed weights and how much scratch they
// use, at each call.
void Session::check_kernels() const {
  if (kernels_.is_current() && threads_ == thread_count()) return;
  throw Error(
      "the instruction set, the convolution algorithms or the number of threads have changed since "
      "this session was made: make a new one");
}

ConstTensorView Session::run(Index batch, const Parameters& parameters, float* state,
                             const Pass& pass) {
  if (phase_ == Phase::inference && pass.model == nullptr) {
    throw Error("a session planned for inference runs prepared models only");
  }
  check_batch(batch);
  check_kernels();
  backward_possible_ = false;
  fill_views(network_->parameters(), parameters.values().data(), parameter_views_);
  fill_views(network_->state(), state, state_views_);
  batch_ = batch;
  if (sliced_layers_ > 0) {
    for (Index first = 0; first < batch; first += slice_images_) {
      forward_layers(0, sliced_layers_, first, std::min(slice_images_, batch - first), pass);
    }
  }
  forward_layers(sliced_layers_, layers_.size(), 0, batch, pass);
  if (layers_.empty()) return input_view(batch);
  return activation(layers_.size() - 1, batch);
}

void Session::forward_layers(std::size_t begin, std::size_t end, Index first, Index images,
                             const Pass& pass) {
  for (std::size_t i = begin; i < end; ++i) {
    const Network::Entry& entry = layers_[i];
    const SteadyTime start = observer_ ? steady_now() : SteadyTime();
    const TensorView input =
        i == 0 ? part(input_view(batch_), first, images) : activation(i - 1, images);
    const TensorView output = i + 1 == sliced_layers_ ? part(activation(i, batch_), first, images)
                                                      : activation(i, images);
    const auto parameter_views =
        std::span(parameter_views_).subspan(entry.first_parameter, entry.parameter_count);
    const void* prepared = pass.model != nullptr ? pass.model->weights(i) : nullptr;
    if (pass.model == nullptr && memory_[i].plan.prepared_forward_bytes > 0) {
      entry.layer->prepare(input.shape, Direction::forward, parameter_views, at(prepared_));
      prepared = at(prepared_);
    }
    entry.layer->forward(
        {.phase = pass.phase,
         .input = input,
         .output = output,
         .parameters = parameter_views,
         .state = std::span(state_views_).subspan(entry.first_state, entry.state_count),
         .prepared = prepared,
         .saved = pass.phase == Phase::training ? at(memory_[i].saved) : nullptr,
         .scratch = at(scratch_),
         .draws = pass.draws});
    if (observer_) observer_(entry.name, Direction::forward, seconds_since(start));
  }
}

bool Session::next_applies_relu_gradient(std::size_t layer) const {
  return layers_[layer].layer->ends_with_relu() && layer + 1 < layers_.size() &&
         layers_[layer + 1].layer->can_apply_input_relu_gradient();
}

void Session::backward(ConstTensorView logits_gradient, const Parameters& parameters,
                       Parameters& gradients) {
  if (!backward_possible_ || logits_gradient.shape != batched(network_->output(), batch_)) {
    throw Error("backward follows forward_training, with gradients of its logits");
  }
  check_kernels();
  fill_views(network_->parameters(), parameters.values().data(), parameter_views_);
  fill_views(network_->parameters(), gradients.values().data(), gradient_views_);
  std::size_t current = 0;
  std::copy_n(logits_gradient.data, logits_gradient.elements(),
              static_cast<float*>(at(gradient_[current])));
  for (std::size_t i = layers_.size(); i-- > 0;) {
    const Network::Entry& entry = layers_[i];
    const LayerPlan& plan = memory_[i].plan;
    const SteadyTime start = observer_ ? steady_now() : SteadyTime();
    const auto parameter_views =
        std::span(parameter_views_).subspan(entry.first_parameter, entry.parameter_count);
    const TensorView input = i == 0 ? input_view(batch_) : activation(i - 1, batch_);
    const TensorView output_gradient{static_cast<float*>(at(gradient_[current])),
                                     batched(entry.output, batch_)};
    if (!plan.in_place) current = 1 - current;
    TensorView input_gradient{static_cast<float*>(at(gradient_[current])), input.shape};
    if (i == 0) input_gradient.data = nullptr;
    const bool needs_weights = plan.prepared_backward_bytes > 0 && input_gradient;
    if (needs_weights) {
      entry.layer->prepare(input.shape, Direction::backward, parameter_views, at(prepared_));
    }
    entry.layer->backward(
        {.input = input,
         .output = activation(i, batch_),
         .output_gradient = output_gradient,
         .input_gradient = input_gradient,
         .parameters = parameter_views,
         .parameter_gradients = std::span<const TensorView>(gradient_views_)
                                    .subspan(entry.first_parameter, entry.parameter_count),
         .prepared = needs_weights ? at(prepared_) : nullptr,
         .saved = at(memory_[i].saved),
         .scratch = at(scratch_),
         .apply_input_relu_gradient = i > 0 && next_applies_relu_gradient(i - 1),
         .output_relu_gradient_applied = next_applies_relu_gradient(i)});
    if (observer_) observer_(entry.name, Direction::backward, seconds_since(start));
  }
}

std::optional<std::string> Session::first_non_finite_layer() const {
  for (std::size_t i = 0; i < memory_.size(); ++i) {
    const auto* values = reinterpret_cast<const float*>(arena_.data() + memory_[i].output);
    const Index count = batched(layers_[i].output, batch_).elements();
    if (!std::all_of(values, values + count, [](float v) { return std::isfinite(v); })) {
      return layers_[i].name;
    }
  }
  return std::nullopt;
}

}  // namespace ferplus
