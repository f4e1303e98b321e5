#include <algorithm>

#include <ferplus/core/buffer.h>
#include <ferplus/core/error.h>
#include <ferplus/core/parallel.h>
#include <ferplus/kernels/conv2d.h>
#include <ferplus/kernels/elementwise.h>
#include <ferplus/nn/layers.h>

#include "nn/window.h"

namespace ferplus {
namespace {

class Conv2d final : public Layer {
 public:
  explicit Conv2d(const Conv2dOptions& options) : options_(options) {
    if (options.filters < 1 || options.kernel < 1 || options.stride < 1) {
      throw UsageError("conv2d needs filters, kernel and stride of at least 1");
    }
    if (options.padding) check_padding("conv2d", *options.padding, options.kernel, options.kernel);
  }

  std::string_view kind() const override { return "conv2d"; }
  LayerOptions options() const override { return options_; }
  std::string describe() const override {
    return concat("conv2d ", options_.kernel, "x", options_.kernel, ", ", options_.filters,
                  " filters", options_.stride == 1 ? "" : concat(", stride ", options_.stride),
                  options_.padding ? concat(", padding ", padding_text(*options_.padding)) : "",
                  options_.tail.relu ? ", relu" : "", options_.tail.pool ? ", max_pool 2x2" : "");
  }

  std::unique_ptr<Layer> with_tail(const Tail& tail, const Shape& input) const override {
    if (options_.tail.relu || options_.tail.pool) return nullptr;
    if (tail.pool && !every_pass_can_pool(conv_shape(input))) return nullptr;
    Conv2dOptions options = options_;
    options.tail = tail;
    return make_conv2d(options);
  }

  std::unique_ptr<Layer> with_precision(Precision precision) const override {
    Conv2dOptions options = options_;
    options.precision = precision;
    return make_conv2d(options);
  }

  bool ends_with_relu() const override { return options_.tail.relu; }
  bool can_apply_input_relu_gradient() const override { return true; }

  std::optional<ConvShape> convolution(const Shape& input) const override {
    return conv_shape(input);
  }

  LayerPlan plan(const Shape& input, Phase phase) const override {
    if (input.rank() != 4) {
      throw Error(concat("conv2d needs an input of rank 4, got ", input.to_string()));
    }
    const ConvShape shape = conv_shape(input);
    if (shape.out_height < 1 || shape.out_width < 1 ||
        (options_.tail.pool && !every_pass_can_pool(shape))) {
      throw Error(concat(describe(), " cannot take an input of ", input.to_string()));
    }
    LayerPlan plan;
    plan.output = {shape.batch, shape.out_height, shape.out_width, shape.out_channels};
    if (options_.tail.pool) {
      plan.output = {shape.batch, shape.out_height / 2, shape.out_width / 2, shape.out_channels};
    }
    const Index window = options_.kernel * options_.kernel;
    plan.parameters.push_back(
        {.name = "weight",
         .shape = {options_.kernel, options_.kernel, input[3], options_.filters},
         .initial = InitialValue::random,
         .decays = true,
         .fan_in = window * input[3],
         .fan_out = window * options_.filters,
         .layout = FileLayout::convolution});
    if (options_.bias) plan.parameters.push_back({.name = "bias", .shape = {options_.filters}});

    const auto& forward = choose_conv_algorithm(shape, ConvPass::forward);
    plan.prepared_forward_bytes = forward.prepared_bytes(shape, ConvPass::forward);
    plan.scratch_bytes = forward.workspace_bytes(shape, ConvPass::forward, thread_count());
    if (phase == Phase::training) {
      if (options_.tail.pool) plan.saved_bytes = forward.places_bytes(shape);
      for (ConvPass pass : {ConvPass::backward_data, ConvPass::backward_weights}) {
        const auto& algorithm = choose_conv_algorithm(shape, pass);
        plan.prepared_backward_bytes += algorithm.prepared_bytes(shape, pass);
        plan.scratch_bytes =
            std::max(plan.scratch_bytes, algorithm.workspace_bytes(shape, pass, thread_count()));
      }
    }
    return plan;
  }

  void prepare(const Shape& input, Direction direction, std::span<const ConstTensorView> parameters,
               void* prepared) const override {
    const ConvPass pass =
        direction == Direction::forward ? ConvPass::forward : ConvPass::backward_data;
    const ConvShape shape = conv_shape(input);
    choose_conv_algorithm(shape, pass).prepare(shape, pass, parameters[0].data, prepared);
  }

  void forward(const ForwardArguments& a) const override {
    const ConvShape shape = conv_shape(a.input.shape);
    choose_conv_algorithm(shape, ConvPass::forward)
        .forward(shape, a.input.data, a.prepared,
                 {.bias = options_.bias ? a.parameters[1].data : nullptr,
                  .relu = options_.tail.relu,
                  .pool = options_.tail.pool,
                  .places = a.saved},
                 a.output.data, a.scratch);
  }

  void backward(const BackwardArguments& a) const override {
    const ConvShape shape = conv_shape(a.input.shape);
    if (options_.tail.relu && !a.output_relu_gradient_applied) {
      parallel_for(shape.batch, [&](Index n) {
        elementwise().relu_gradient(a.output.stride(), a.output.image(n),
                                    a.output_gradient.image(n));
      });
    }
    const ConvGradient gradient{a.output_gradient.data, options_.tail.pool ? a.saved : nullptr};
    choose_conv_algorithm(shape, ConvPass::backward_weights)
        .backward_weights(shape, a.input.data, gradient, a.parameter_gradients[0].data,
                          options_.bias ? a.parameter_gradients[1].data : nullptr, a.scratch);
    if (a.input_gradient) {
      choose_conv_algorithm(shape, ConvPass::backward_data)
          .backward_data(shape, gradient, a.prepared,
                         a.apply_input_relu_gradient ? a.input.data : nullptr,
                         a.input_gradient.data, a.scratch);
    }
  }

 private:
  static bool every_pass_can_pool(const ConvShape& shape) {
    return std::ranges::all_of(kAllConvPasses, [&](ConvPass pass) {
      return choose_conv_algorithm(shape, pass).can_pool(shape);
    });
  }

  ConvShape conv_shape(const Shape& input) const {
    const Index stride = options_.stride, kernel = options_.kernel;
    const auto same = [&](Index size) {
      return std::max<Index>((size - 1) / stride * stride + kernel - size, 0);
    };
    const auto padding =
        options_.padding.value_or(Padding{.top = same(input[1]) / 2,
                                          .left = same(input[2]) / 2,
                                          .bottom = same(input[1]) - same(input[1]) / 2,
                                          .right = same(input[2]) - same(input[2]) / 2});
    return {.batch = input[0],
            .height = input[1],
            .width = input[2],
            .in_channels = input[3],
            .out_channels = options_.filters,
            .kernel_height = options_.kernel,
            .kernel_width = options_.kernel,
            .stride = options_.stride,
            .pad_top = padding.top,
            .pad_left = padding.left,
            .out_height = window_count(padding.top + input[1] + padding.bottom, kernel, stride),
            .out_width = window_count(padding.left + input[2] + padding.right, kernel, stride),
            .precision = options_.precision};
  }

  Conv2dOptions options_;
};

}  // namespace

std::unique_ptr<Layer> make_conv2d(const Conv2dOptions& options) {
  return std::make_unique<Conv2d>(options);
}

}  // namespace ferplus
