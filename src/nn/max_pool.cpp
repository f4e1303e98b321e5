#include <algorithm>

#include <ferplus/core/eigen.h>
#include <ferplus/core/error.h>
#include <ferplus/core/parallel.h>
#include <ferplus/nn/layers.h>

namespace ferplus {
namespace {

class MaxPool final : public Layer {
 public:
  explicit MaxPool(const MaxPoolOptions& options) : options_(options) {
    if (options.size < 1 || options.size > 15 || options.stride < 1) {
      throw UsageError("max-pooling needs a size of 1 to 15 and a stride of at least 1");
    }
  }

  std::string_view kind() const override { return "max_pool"; }
  std::string describe() const override {
    return concat("max_pool ", options_.size, "x", options_.size, ", stride ", options_.stride);
  }

  LayerPlan plan(const Shape& input, Phase phase) const override {
    if (input.rank() != 4 || input[1] < options_.size || input[2] < options_.size) {
      throw Error(
          concat("max_pool ", options_.size, " cannot take an input of ", input.to_string()));
    }
    LayerPlan plan;
    plan.output = {input[0], (input[1] - options_.size) / options_.stride + 1,
                   (input[2] - options_.size) / options_.stride + 1, input[3]};
    // One byte an output: the place of its maximum in the window.
    if (phase == Phase::training) {
      plan.saved_bytes = static_cast<std::size_t>(plan.output.elements());
    }
    return plan;
  }

  void forward(const ForwardArguments& a) const override {
    const auto input = as_tensor<4>(a.input);
    auto output = as_tensor<4>(a.output);
    const Index height = output.dimension(1), width = output.dimension(2);
    const Index channels = output.dimension(3), input_row = input.dimension(2) * channels;
    auto* saved = static_cast<std::uint8_t*>(a.saved);
    parallel_for(output.dimension(0) * height, [&](Index task) {
      const Index n = task / height, y = task % height;
      for (Index x = 0; x < width; ++x) {
        const float* window = &input(n, y * options_.stride, x * options_.stride, 0);
        float* best = &output(n, y, x, 0);
        std::uint8_t* place = saved == nullptr ? nullptr : saved + (best - output.data());
        std::copy_n(window, channels, best);
        if (place != nullptr) std::fill_n(place, channels, std::uint8_t{0});
        for (Index k = 1; k < options_.size * options_.size; ++k) {
          const float* values =
              window + k / options_.size * input_row + k % options_.size * channels;
          for (Index c = 0; c < channels; ++c) {
            const bool larger = values[c] > best[c];
            best[c] = larger ? values[c] : best[c];
            if (place != nullptr) place[c] = larger ? static_cast<std::uint8_t>(k) : place[c];
          }
        }
      }
    });
  }

  void backward(const BackwardArguments& a) const override {
    if (!a.input_gradient) return;
    const auto output_gradient = as_tensor<4>(ConstTensorView(a.output_gradient));
    auto input_gradient = as_tensor<4>(a.input_gradient);
    const Index height = output_gradient.dimension(1), width = output_gradient.dimension(2);
    const Index channels = output_gradient.dimension(3);
    const Index input_row = input_gradient.dimension(2) * channels;
    const auto* saved = static_cast<const std::uint8_t*>(a.saved);
    parallel_for(output_gradient.dimension(0), [&](Index n) {
      std::fill_n(a.input_gradient.image(n), a.input_gradient.stride(), 0.0f);
      for (Index y = 0; y < height; ++y) {
        for (Index x = 0; x < width; ++x) {
          const float* gradient = &output_gradient(n, y, x, 0);
          const std::uint8_t* place = saved + (gradient - output_gradient.data());
          float* window = &input_gradient(n, y * options_.stride, x * options_.stride, 0);
          for (Index c = 0; c < channels; ++c) {
            const Index k = place[c];
            window[k / options_.size * input_row + k % options_.size * channels + c] += gradient[c];
          }
        }
      }
    });
  }

 private:
  MaxPoolOptions options_;
};

}  // namespace

std::unique_ptr<Layer> make_max_pool(const MaxPoolOptions& options) {
  return std::make_unique<MaxPool>(options);
}

}  // namespace ferplus
