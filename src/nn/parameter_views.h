// Views of a network's arrays, one each, in the flat buffers of Parameters.
#pragma once

#include <span>
#include <vector>

#include <ferplus/core/tensor.h>
#include <ferplus/nn/network.h>

namespace ferplus {

inline void fill_views(std::span<const Network::Array> arrays, float* values,
                       std::vector<TensorView>& views) {
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    views[i] = {values + arrays[i].offset, arrays[i].spec.shape};
  }
}

inline void fill_views(std::span<const Network::Array> arrays, const float* values,
                       std::vector<ConstTensorView>& views) {
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    views[i] = {values + arrays[i].offset, arrays[i].spec.shape};
  }
}

}  // namespace ferplus
