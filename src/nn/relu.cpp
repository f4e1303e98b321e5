#include <ferplus/core/eigen.h>
#include <ferplus/core/parallel.h>
#include <ferplus/nn/layers.h>

namespace ferplus {
namespace {

class Relu final : public Layer {
 public:
  std::string_view kind() const override { return "relu"; }
  std::string describe() const override { return "relu"; }

  LayerPlan plan(const Shape& input, Phase) const override {
    return {.output = input, .in_place = true};
  }

  void forward(const ForwardArguments& a) const override {
    parallel_for(a.output.batch(), [&](Index n) {
      Eigen::Map<Eigen::ArrayXf> image(a.output.image(n), a.output.stride());
      image = image.max(0.0f);
    });
  }

  void backward(const BackwardArguments& a) const override {
    parallel_for(a.output.batch(), [&](Index n) {
      const Eigen::Map<const Eigen::ArrayXf> output(a.output.image(n), a.output.stride());
      Eigen::Map<Eigen::ArrayXf> gradient(a.output_gradient.image(n), a.output.stride());
      gradient = (output > 0.0f).select(gradient, 0.0f);
    });
  }
};

}  // namespace

std::unique_ptr<Layer> make_relu() { return std::make_unique<Relu>(); }

}  // namespace ferplus
