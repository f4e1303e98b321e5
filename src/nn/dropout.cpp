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

  LayerPlan plan(const Shape& input, Phase) const override {
    return {.output = input, .in_place = true};
  }

  void forward(const ForwardArguments& a) const override {
    if (a.phase == Phase::training) mask(a.output, a.draws);
  }

  void backward(const BackwardArguments& a) const override { mask(a.output_gradient, a.draws); }

 private:
  void mask(TensorView tensor, const DrawContext& draws) const {
    if (threshold_ == 0) return;
    const Index size = tensor.stride();
    parallel_for(tensor.batch(), [&](Index n) {
      std::array<std::uint32_t, 4> counter;
      std::array<std::uint32_t, 2> key;
      const auto stream = static_cast<std::uint32_t>(Stream::dropout) + options_.stream;
      random_counter({.seed = draws.seed,
                      .stream = static_cast<Stream>(stream),
                      .epoch = draws.epoch,
                      .sample = draws.samples[static_cast<std::size_t>(n)]},
                     counter, key);
      elementwise().dropout(size, tensor.image(n), counter.data(), key.data(), threshold_, scale_);
    });
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
