// One layer by itself, with memory of its own for everything it asks for.
#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <ferplus/core/buffer.h>
#include <ferplus/core/random.h>
#include <ferplus/nn/layer.h>

namespace ferplus {

inline std::size_t count_of(const Shape& shape) {
  return static_cast<std::size_t>(shape.elements());
}

inline void fill_uniform(std::span<float> values, double low, double high, std::uint64_t seed) {
  RandomSequence random({.seed = seed, .stream = Stream::synth});
  for (float& value : values) value = static_cast<float>(random.uniform(low, high));
}

// Parameters and inputs are random until a test overwrites them; state has its initial values.
class LayerRunner {
 public:
  LayerRunner(std::unique_ptr<const Layer> layer, const Shape& input, Phase phase,
              std::uint64_t seed = 1)
      : layer_(std::move(layer)),
        plan_(layer_->plan(input, phase)),
        input_shape_(input),
        phase_(phase),
        input_(count_of(input)),
        output_(count_of(plan_.output)),
        input_gradient_(count_of(input)),
        saved_(plan_.saved_bytes),
        scratch_(plan_.scratch_bytes),
        prepared_forward_(plan_.prepared_forward_bytes),
        prepared_backward_(plan_.prepared_backward_bytes),
        samples_(static_cast<std::size_t>(input[0])) {
    fill_uniform(input_.span(), -1, 1, seed);
    for (const ParameterSpec& spec : plan_.parameters) {
      fill_uniform(parameters_.emplace_back(count_of(spec.shape)).span(), -1, 1, ++seed);
      gradients_.emplace_back(count_of(spec.shape));
    }
    for (const ParameterSpec& spec : plan_.state) {
      const float initial = spec.initial == InitialValue::constant ? 1.0f : 0.0f;
      std::ranges::fill(state_.emplace_back(count_of(spec.shape)).span(), initial);
    }
    for (std::size_t n = 0; n < samples_.size(); ++n)
      samples_[n] = static_cast<std::uint32_t>(100 + n);
  }

  const Layer& layer() const { return *layer_; }
  const LayerPlan& plan() const { return plan_; }
  std::span<float> input() { return input_.span(); }
  std::span<float> parameter(std::size_t i) { return parameters_[i].span(); }
  std::span<float> state(std::size_t i) { return state_[i].span(); }
  std::span<const float> gradient(std::size_t i) const { return gradients_[i].span(); }
  std::span<const float> input_gradient() const { return input_gradient_.span(); }
  std::span<std::uint32_t> samples() { return samples_; }
  DrawContext& draws() { return draws_; }

  // Of input(), which an in-place layer leaves as it was.
  std::span<const float> forward() {
    if (plan_.in_place) std::ranges::copy(input_.span(), output_.data());
    if (plan_.prepared_forward_bytes > 0) prepare(Direction::forward, prepared_forward_);
    const std::vector<TensorView> state = views(plan_.state, state_);
    const std::vector<ConstTensorView> parameters = constant(views(plan_.parameters, parameters_));
    draws_.keys = samples_;
    layer_->forward({.phase = phase_,
                     .input = plan_.in_place ? output_view() : input_view(),
                     .output = output_view(),
                     .parameters = parameters,
                     .state = state,
                     .prepared = prepared_forward_.data(),
                     .saved = phase_ == Phase::training ? saved_.data() : nullptr,
                     .scratch = scratch_.data(),
                     .draws = draws_});
    return output_.span();
  }

  // After forward. Gradients hold rubbish before: backward must overwrite them.
  void backward(std::span<const float> output_gradient, bool with_input_gradient = true) {
    for (Buffer<float>& gradient : gradients_) std::ranges::fill(gradient.span(), 777.0f);
    std::ranges::fill(input_gradient_.span(), 777.0f);
    Buffer<float> copy(output_gradient.size());
    std::ranges::copy(output_gradient, copy.data());
    if (plan_.prepared_backward_bytes > 0) prepare(Direction::backward, prepared_backward_);
    const std::vector<TensorView> gradients = views(plan_.parameters, gradients_);
    const std::vector<ConstTensorView> parameters = constant(views(plan_.parameters, parameters_));
    TensorView input_gradient{with_input_gradient ? input_gradient_.data() : nullptr, input_shape_};
    if (plan_.in_place && with_input_gradient) {
      std::ranges::copy(output_gradient, input_gradient_.data());
    }
    layer_->backward(
        {.input = plan_.in_place ? output_view() : input_view(),
         .output = output_view(),
         .output_gradient = {plan_.in_place && with_input_gradient ? input_gradient_.data()
                                                                   : copy.data(),
                             plan_.output},
         .input_gradient = input_gradient,
         .parameters = parameters,
         .parameter_gradients = gradients,
         .prepared = with_input_gradient ? prepared_backward_.data() : nullptr,
         .saved = saved_.data(),
         .scratch = scratch_.data()});
  }

 private:
  TensorView input_view() { return {input_.data(), input_shape_}; }
  TensorView output_view() { return {output_.data(), plan_.output}; }

  static std::vector<TensorView> views(const std::vector<ParameterSpec>& specs,
                                       std::vector<Buffer<float>>& buffers) {
    std::vector<TensorView> result;
    for (std::size_t i = 0; i < specs.size(); ++i) {
      result.push_back({buffers[i].data(), specs[i].shape});
    }
    return result;
  }
  static std::vector<ConstTensorView> constant(const std::vector<TensorView>& views) {
    return {views.begin(), views.end()};
  }
  void prepare(Direction direction, Buffer<std::byte>& prepared) {
    layer_->prepare(input_shape_, direction, constant(views(plan_.parameters, parameters_)),
                    prepared.data());
  }

  std::unique_ptr<const Layer> layer_;
  LayerPlan plan_;
  Shape input_shape_;
  Phase phase_;
  Buffer<float> input_, output_, input_gradient_;
  Buffer<std::byte> saved_, scratch_, prepared_forward_, prepared_backward_;
  std::vector<Buffer<float>> parameters_, gradients_, state_;
  std::vector<std::uint32_t> samples_;
  DrawContext draws_{.seed = 5, .epoch = 2, .keys = {}};
};

}  // namespace ferplus
