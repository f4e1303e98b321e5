#include <cmath>

#include <ferplus/core/error.h>
#include <ferplus/core/parallel.h>
#include <ferplus/kernels/elementwise.h>
#include <ferplus/nn/layers.h>

namespace ferplus {
namespace {

class Dropout final : public Layer {
 public:
  explicit Dropout(const DropoutOptions& options)
      : options_(options),
        threshold_(static_cast<std::uint32_t>(std::lround(options.rate * 65536))),
        scale_(static_cast<float>(1.0 / (1.0 - threshold_ / 65536.0))) {
    if (!(options.rate >= 0 && options.rate < 1) || threshold_ > 65535) {
      throw UsageError(concat("dropout rate must be at least 0 and below 1, not ", options.rate));
    }
  }

  std::string_view kind() const override { return "dropout"; }
  LayerOptions options() const override { return options_; }
  std::string describe() const override { return concat("dropout ", options_.rate); }

  LayerPlan plan(const Shape& input, Phase phase) const override {
    LayerPlan plan{.output = input, .in_place = true};
    if (phase == Phase::training) {
      plan.saved_bytes = static_cast<std::size_t>(input[0] * kept_bytes(input));
    }
    return plan;
  }

  void forward(const ForwardArguments& a) const override {
    if (a.phase != Phase::training || threshold_ == 0) return;
    parallel_for(a.output.batch(), [&](Index n) {
      std::array<std::uint32_t, 4> counter;
      std::array<std::uint32_t, 2> key;
      const auto stream = static_cast<std::uint32_t>(Stream::dropout) + options_.stream;
      random_counter({.seed = a.draws.seed,
                      .stream = static_cast<Stream>(stream),
                      .epoch = a.draws.epoch,
                      .sample = a.draws.keys[static_cast<std::size_t>(n)]},
                     counter, key);
      elementwise().dropout(a.output.stride(), a.output.image(n), counter.data(), key.data(),
                            threshold_, scale_,
                            static_cast<std::uint8_t*>(a.saved) + n * kept_bytes(a.output.shape));
    });
  }

  void backward(const BackwardArguments& a) const override {
    if (threshold_ == 0) return;
    parallel_for(a.output_gradient.batch(), [&](Index n) {
      const TensorView& gradient = a.output_gradient;
      elementwise().dropout_gradient(
          gradient.stride(),
          static_cast<const std::uint8_t*>(a.saved) + n * kept_bytes(gradient.shape), scale_,
          gradient.image(n));
    });
  }

 private:
  // Of the mask of one image.
  static Index kept_bytes(const Shape& shape) {
    constexpr Index kGroup = 128;  // ElementwiseKernels::dropout
    const Index values = shape[0] == 0 ? 0 : shape.elements() / shape[0];
    return (values + kGroup - 1) / kGroup * (kGroup / 8);
  }

  DropoutOptions options_;
  std::uint32_t threshold_;  // a value is dropped if its 16 random bits are below this
  float scale_;
};

}  // namespace

std::unique_ptr<Layer> make_dropout(const DropoutOptions& options) {
  return std::make_unique<Dropout>(options);
}

}  // namespace ferplus
