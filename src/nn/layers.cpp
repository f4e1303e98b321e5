#include <array>

#include <ferplus/nn/layers.h>

namespace ferplus {

std::span<const std::string_view> layer_kinds() {
  static constexpr std::array<std::string_view, 6> kKinds = {"conv2d", "max_pool", "dense",
                                                             "relu",   "dropout",  "batch_norm"};
  return kKinds;
}

}  // namespace ferplus
