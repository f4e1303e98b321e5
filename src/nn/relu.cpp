#include <ferplus/core/eigen.h>
#include <ferplus/core/parallel.h>
#include <ferplus/kernels/elementwise.h>
#include <ferplus/nn/layers.h>

namespace ferplus {
namespace {

class Relu final : public Layer {
 public:
  std::string_view kind() const override { return "relu"; }
  LayerOptions options() const override { return ReluOptions{}; }
  std::string describe() const override { return "relu"; }

  LayerPlan plan(const Shape& input, Phase) const override {
    return {.output = input, .in_place = true};
  }

  std::optional<Tail> as_tail() const override { return Tail{.relu = true}; }
  std::unique_ptr<Layer> with_tail(const Tail& tail, const Shape&) const override {
    return tail.pool ? make_max_pool({.relu = true}) : nullptr;
  }

  void forward(const ForwardArguments& a) const override {
    parallel_for(a.output.batch(), [&](Index n) {
      Eigen::Map<Eigen::ArrayXf> image(a.output.image(n), a.output.stride());
      image = image.max(0.0f);
    });
  }

  void backward(const BackwardArguments& a) const override {
    parallel_for(a.output.batch(), [&](Index n) {
      elementwise().relu_gradient(a.output.stride(), a.output.image(n), a.output_gradient.image(n));
    });
  }
};

}  // namespace

std::unique_ptr<Layer> make_relu() { return std::make_unique<Relu>(); }

}  // namespace ferplus
