// TensorViews as Eigen objects, without a copy. For the library's own .cpp files and for programs
// that embed it and compute with Eigen. Eigen and the per-ISA kernel files never meet: the latter
// include neither this header nor any other that reaches Eigen.
#pragma once

#include <array>

#include <Eigen/Core>
#include <unsupported/Eigen/CXX11/Tensor>

#include <ferplus/core/tensor.h>

namespace ferplus {

using RowMajorMatrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// The view as a row-major Eigen tensor of its own rank. REQUIRES: view.shape.rank() == Rank.
template <int Rank>
Eigen::TensorMap<Eigen::Tensor<float, Rank, Eigen::RowMajor>> as_tensor(TensorView view) {
  assert(view.shape.rank() == Rank);
  std::array<Index, Rank> dimensions;
  for (int axis = 0; axis < Rank; ++axis) {
    dimensions[static_cast<std::size_t>(axis)] = view.shape[axis];
  }
  return {view.data, dimensions};
}
template <int Rank>
Eigen::TensorMap<Eigen::Tensor<const float, Rank, Eigen::RowMajor>> as_tensor(
    ConstTensorView view) {
  assert(view.shape.rank() == Rank);
  std::array<Index, Rank> dimensions;
  for (int axis = 0; axis < Rank; ++axis) {
    dimensions[static_cast<std::size_t>(axis)] = view.shape[axis];
  }
  return {view.data, dimensions};
}

// The view as a matrix whose columns are the last dimension: for activations, one row per pixel and
// one column per channel.
inline Eigen::Map<RowMajorMatrix> as_matrix(TensorView view) {
  const Index columns = view.shape[view.shape.rank() - 1];
  return {view.data, columns == 0 ? 0 : view.elements() / columns, columns};
}
inline Eigen::Map<const RowMajorMatrix> as_matrix(ConstTensorView view) {
  const Index columns = view.shape[view.shape.rank() - 1];
  return {view.data, columns == 0 ? 0 : view.elements() / columns, columns};
}

}  // namespace ferplus
