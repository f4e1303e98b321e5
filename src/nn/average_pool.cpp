#include <algorithm>

#include <ferplus/core/eigen.h>
#include <ferplus/core/error.h>
#include <ferplus/core/parallel.h>
#include <ferplus/nn/layers.h>

#include "nn/window.h"

namespace ferplus {
namespace {

class AveragePool final : public Layer {
 public:
  explicit AveragePool(const AveragePoolOptions& options) : options_(options) {
    if (options.height < 1 || options.width < 1 || options.stride < 1) {
      throw UsageError("average pooling needs a height, width and stride of at least 1");
    }
    check_padding("average_pool", options.padding, options.height, options.width);
  }

  std::string_view kind() const override { return "average_pool"; }
  LayerOptions options() const override { return options_; }
  std::string describe() const override {
    const Padding& p = options_.padding;
    return concat("average_pool ", options_.height, "x", options_.width, ", stride ",
                  options_.stride, p == Padding{} ? "" : concat(", padding ", padding_text(p)));
  }

  LayerPlan plan(const Shape& input, Phase) const override {
    const Padding& p = options_.padding;
    LayerPlan plan;
    if (input.rank() == 4) {
      plan.output = {
          input[0], window_count(p.top + input[1] + p.bottom, options_.height, options_.stride),
          window_count(p.left + input[2] + p.right, options_.width, options_.stride), input[3]};
    }
    if (input.rank() != 4 || plan.output[1] < 1 || plan.output[2] < 1) {
      throw Error(concat(describe(), " cannot take an input of ", input.to_string()));
    }
    return plan;
  }

  void forward(const ForwardArguments& a) const override {
    const auto input = as_tensor<4>(a.input);
    auto output = as_tensor<4>(a.output);
    const Index channels = output.dimension(3);
    for_each_window(
        a.input.shape, a.output.shape,
        [&](Index n, Index y, Index x, const WindowPart& rows, const WindowPart& columns) {
          float* mean = &output(n, y, x, 0);
          std::fill_n(mean, channels, 0.0f);
          for (Index r = rows.begin; r < rows.end; ++r) {
            for (Index s = columns.begin; s < columns.end; ++s) {
              const float* values = &input(n, rows.start + r, columns.start + s, 0);
              for (Index c = 0; c < channels; ++c) mean[c] += values[c];
            }
          }
          const float count = divisor(rows, columns);
          for (Index c = 0; c < channels; ++c) mean[c] /= count;
        });
  }

  void backward(const BackwardArguments& a) const override {
    if (!a.input_gradient) return;
    const auto output_gradient = as_tensor<4>(ConstTensorView(a.output_gradient));
    auto input_gradient = as_tensor<4>(a.input_gradient);
    const Index channels = output_gradient.dimension(3);
    parallel_for(a.input_gradient.batch(), [&](Index n) {
      std::fill_n(a.input_gradient.image(n), a.input_gradient.stride(), 0.0f);
    });
    for_each_window(
        a.input.shape, a.output_gradient.shape,
        [&](Index n, Index y, Index x, const WindowPart& rows, const WindowPart& columns) {
          const float* gradient = &output_gradient(n, y, x, 0);
          const float count = divisor(rows, columns);
          for (Index r = rows.begin; r < rows.end; ++r) {
            for (Index s = columns.begin; s < columns.end; ++s) {
              float* values = &input_gradient(n, rows.start + r, columns.start + s, 0);
              for (Index c = 0; c < channels; ++c) values[c] += gradient[c] / count;
            }
          }
        });
  }

 private:
  // body(n, y, x, rows, columns), one image per task, windows in order.
  template <typename Body>
  void for_each_window(const Shape& input, const Shape& output, Body body) const {
    parallel_for(output[0], [&](Index n) {
      for (Index y = 0; y < output[1]; ++y) {
        const WindowPart rows =
            window_part(y, options_.stride, options_.padding.top, options_.height, input[1]);
        for (Index x = 0; x < output[2]; ++x) {
          body(n, y, x, rows,
               window_part(x, options_.stride, options_.padding.left, options_.width, input[2]));
        }
      }
    });
  }

  float divisor(const WindowPart& rows, const WindowPart& columns) const {
    return static_cast<float>(options_.count_padding
                                  ? options_.height * options_.width
                                  : (rows.end - rows.begin) * (columns.end - columns.begin));
  }

  AveragePoolOptions options_;
};

}  // namespace

std::unique_ptr<Layer> make_average_pool(const AveragePoolOptions& options) {
  return std::make_unique<AveragePool>(options);
}

}  // namespace ferplus
