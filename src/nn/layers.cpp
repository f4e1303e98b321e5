#include <array>

#include <ferplus/nn/layers.h>

namespace ferplus {

std::span<const std::string_view> layer_kinds() {
  static constexpr std::array<std::string_view, 7> kKinds = {
      "conv2d", "max_pool", "average_pool", "dense", "relu", "dropout", "batch_norm"};
  return kKinds;
}

std::unique_ptr<Layer> make_layer(const LayerOptions& options) {
  struct Make {
    std::unique_ptr<Layer> operator()(const Conv2dOptions& o) const { return make_conv2d(o); }
    std::unique_ptr<Layer> operator()(const MaxPoolOptions& o) const { return make_max_pool(o); }
    std::unique_ptr<Layer> operator()(const AveragePoolOptions& o) const {
      return make_average_pool(o);
    }
    std::unique_ptr<Layer> operator()(const DenseOptions& o) const { return make_dense(o); }
    std::unique_ptr<Layer> operator()(const ReluOptions&) const { return make_relu(); }
    std::unique_ptr<Layer> operator()(const DropoutOptions& o) const { return make_dropout(o); }
    std::unique_ptr<Layer> operator()(const BatchNormOptions& o) const {
      return make_batch_norm(o);
    }
  };
  return std::visit(Make{}, options);
}

}  // namespace ferplus
