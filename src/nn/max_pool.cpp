#include <algorithm>

#include <ferplus/core/eigen.h>
#include <ferplus/core/error.h>
#include <ferplus/core/parallel.h>
#include <ferplus/kernels/elementwise.h>
#include <ferplus/nn/layers.h>

#include "nn/window.h"

namespace ferplus {
namespace {

// Windows of any size and stride. Training keeps the place of each maximum, one byte an output.
class MaxPool final : public Layer {
 public:
  explicit MaxPool(const MaxPoolOptions& options) : options_(options) {
    check_padding("max_pool", options.padding, options.size, options.size);
  }

  std::string_view kind() const override { return "max_pool"; }
  LayerOptions options() const override { return options_; }
  std::string describe() const override {
    return concat(
        "max_pool ", options_.size, "x", options_.size, ", stride ", options_.stride,
        options_.padding == Padding{} ? "" : concat(", padding ", padding_text(options_.padding)),
        options_.relu ? ", relu" : "");
  }

  LayerPlan plan(const Shape& input, Phase phase) const override {
    const Padding& p = options_.padding;
    LayerPlan plan;
    if (input.rank() == 4) {
      plan.output = {
          input[0], window_count(p.top + input[1] + p.bottom, options_.size, options_.stride),
          window_count(p.left + input[2] + p.right, options_.size, options_.stride), input[3]};
    }
    if (input.rank() != 4 || plan.output[1] < 1 || plan.output[2] < 1) {
      throw Error(
          concat("max_pool ", options_.size, " cannot take an input of ", input.to_string()));
    }
    if (phase == Phase::training) {
      plan.saved_bytes = static_cast<std::size_t>(plan.output.elements());
    }
    return plan;
  }

  void forward(const ForwardArguments& a) const override {
    const auto input = as_tensor<4>(a.input);
    auto output = as_tensor<4>(a.output);
    const Index height = output.dimension(1), width = output.dimension(2);
    const Index channels = output.dimension(3);
    auto* saved = static_cast<std::uint8_t*>(a.saved);
    parallel_for(output.dimension(0) * height, [&](Index task) {
      const Index n = task / height, y = task % height;
      const WindowPart rows = part_of_rows(y, input.dimension(1));
      for (Index x = 0; x < width; ++x) {
        const WindowPart columns = part_of_columns(x, input.dimension(2));
        float* best = &output(n, y, x, 0);
        std::uint8_t* place = saved == nullptr ? nullptr : saved + (best - output.data());
        const Index first = rows.begin * options_.size + columns.begin;
        if (place != nullptr) std::fill_n(place, channels, static_cast<std::uint8_t>(first));
        std::copy_n(&input(n, rows.start + rows.begin, columns.start + columns.begin, 0), channels,
                    best);
        for (Index r = rows.begin; r < rows.end; ++r) {
          for (Index s = columns.begin; s < columns.end; ++s) {
            const float* values = &input(n, rows.start + r, columns.start + s, 0);
            const auto k = static_cast<std::uint8_t>(r * options_.size + s);
            for (Index c = 0; c < channels; ++c) {
              const bool larger = values[c] > best[c];
              best[c] = larger ? values[c] : best[c];
              if (place != nullptr) place[c] = larger ? k : place[c];
            }
          }
        }
        if (options_.relu) std::for_each_n(best, channels, [](float& v) { v = v < 0 ? 0 : v; });
      }
    });
  }

  void backward(const BackwardArguments& a) const override {
    if (!a.input_gradient) return;
    const auto output_gradient = as_tensor<4>(ConstTensorView(a.output_gradient));
    auto input_gradient = as_tensor<4>(a.input_gradient);
    const Index height = output_gradient.dimension(1), width = output_gradient.dimension(2);
    const Index channels = output_gradient.dimension(3);
    const Padding& p = options_.padding;
    const auto* saved = static_cast<const std::uint8_t*>(a.saved);
    parallel_for(output_gradient.dimension(0), [&](Index n) {
      if (options_.relu) {
        elementwise().relu_gradient(a.output.stride(), a.output.image(n),
                                    a.output_gradient.image(n));
      }
      std::fill_n(a.input_gradient.image(n), a.input_gradient.stride(), 0.0f);
      for (Index y = 0; y < height; ++y) {
        for (Index x = 0; x < width; ++x) {
          const float* gradient = &output_gradient(n, y, x, 0);
          const std::uint8_t* place = saved + (gradient - output_gradient.data());
          const Index top = y * options_.stride - p.top, left = x * options_.stride - p.left;
          for (Index c = 0; c < channels; ++c) {
            const Index k = place[c];
            input_gradient(n, top + k / options_.size, left + k % options_.size, c) += gradient[c];
          }
        }
      }
    });
  }

 private:
  WindowPart part_of_rows(Index y, Index height) const {
    return window_part(y, options_.stride, options_.padding.top, options_.size, height);
  }
  WindowPart part_of_columns(Index x, Index width) const {
    return window_part(x, options_.stride, options_.padding.left, options_.size, width);
  }

  MaxPoolOptions options_;
};

// Windows of 2×2 that do not overlap: the usual case, vectorised; backward looks at the input again
// and keeps nothing.
class MaxPool2x2 final : public Layer {
 public:
  explicit MaxPool2x2(bool relu) : relu_(relu) {}

  std::string_view kind() const override { return "max_pool"; }
  LayerOptions options() const override { return MaxPoolOptions{.relu = relu_}; }
  std::string describe() const override {
    return concat("max_pool 2x2, stride 2", relu_ ? ", relu" : "");
  }
  std::optional<Tail> as_tail() const override { return Tail{.relu = relu_, .pool = true}; }

  LayerPlan plan(const Shape& input, Phase) const override {
    if (input.rank() != 4 || input[1] < 2 || input[2] < 2) {
      throw Error(concat("max_pool 2 cannot take an input of ", input.to_string()));
    }
    return {.output = {input[0], input[1] / 2, input[2] / 2, input[3]}};
  }

  void forward(const ForwardArguments& a) const override {
    const Index height = a.output.shape[1], width = a.output.shape[2], channels = a.output.shape[3];
    const Index input_row = a.input.shape[2] * channels;
    parallel_for(a.output.batch(), [&](Index n) {
      for (Index y = 0; y < height; ++y) {
        elementwise().pool(width, channels, a.input.image(n) + 2 * y * input_row, input_row, relu_,
                           a.output.image(n) + y * width * channels);
      }
    });
  }

  void backward(const BackwardArguments& a) const override {
    if (!a.input_gradient) return;
    const Index height = a.output.shape[1], width = a.output.shape[2], channels = a.output.shape[3];
    const Index input_row = a.input.shape[2] * channels;
    parallel_for(a.output.batch(), [&](Index n) {
      float* gradient = a.input_gradient.image(n);
      for (Index y = 0; y < height; ++y) {
        float* rows = gradient + 2 * y * input_row;
        elementwise().pool_gradient(width, channels, a.input.image(n) + 2 * y * input_row,
                                    input_row, relu_,
                                    a.output_gradient.image(n) + y * width * channels, rows);
        // Beyond the last whole window.
        for (float* row : {rows, rows + input_row}) {
          std::fill(row + 2 * width * channels, row + input_row, 0.0f);
        }
      }
      std::fill(gradient + 2 * height * input_row, gradient + a.input_gradient.stride(), 0.0f);
    });
  }

 private:
  bool relu_;
};

}  // namespace

std::unique_ptr<Layer> make_max_pool(const MaxPoolOptions& options) {
  if (options.size < 1 || options.size > 15 || options.stride < 1) {
    throw UsageError("max-pooling needs a size of 1 to 15 and a stride of at least 1");
  }
  if (options == MaxPoolOptions{.relu = options.relu})
    return std::make_unique<MaxPool2x2>(options.relu);
  return std::make_unique<MaxPool>(options);
}

}  // namespace ferplus
