// Shapes, and views of float buffers that somebody else owns.
//
// Everywhere in this library a tensor is dense and row-major (the last dimension varies fastest),
// and activations are channels-last: [N, H, W, C] images, rows, columns, channels.
#pragma once

#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <type_traits>

namespace ferplus {

using Index = std::int64_t;

// Up to four dimensions, each at least 0. A value type.
class Shape {
 public:
  static constexpr int kMaxRank = 4;

  constexpr Shape() = default;
  constexpr Shape(std::initializer_list<Index> dimensions) {
    assert(dimensions.size() <= kMaxRank);
    for (Index d : dimensions) dimensions_[static_cast<std::size_t>(rank_++)] = d;
  }

  constexpr int rank() const { return rank_; }
  constexpr Index operator[](int axis) const {
    assert(axis >= 0 && axis < rank_);
    return dimensions_[static_cast<std::size_t>(axis)];
  }
  // Product of all dimensions; 1 for rank 0.
  constexpr Index elements() const {
    Index product = 1;
    for (int axis = 0; axis < rank_; ++axis) product *= (*this)[axis];
    return product;
  }
  // The same shape with its first dimension (the batch) replaced.
  constexpr Shape with_batch(Index batch) const {
    Shape copy = *this;
    assert(rank_ > 0);
    copy.dimensions_[0] = batch;
    return copy;
  }
  constexpr bool operator==(const Shape&) const = default;
  // "32x64x64x1".
  std::string to_string() const {
    std::string text;
    for (int axis = 0; axis < rank_; ++axis) {
      if (axis > 0) text += 'x';
      text += std::to_string((*this)[axis]);
    }
    return text;
  }

 private:
  std::array<Index, kMaxRank> dimensions_{};
  int rank_ = 0;
};

// A pointer and a shape. Copying copies neither the data nor ownership; the buffer must outlive the
// view. Value is float or const float.
template <typename Value>
struct BasicTensorView {
  Value* data = nullptr;
  Shape shape;

  Index elements() const { return shape.elements(); }
  // First dimension: images of a batch, or rows of a matrix.
  Index batch() const { return shape[0]; }
  // Elements of one entry along the first dimension.
  Index stride() const { return shape[0] == 0 ? 0 : shape.elements() / shape[0]; }
  Value* image(Index n) const { return data + n * stride(); }
  explicit operator bool() const { return data != nullptr; }

  operator BasicTensorView<const Value>() const requires(!std::is_const_v<Value>) {
    return {data, shape};
  }
};
using TensorView = BasicTensorView<float>;
using ConstTensorView = BasicTensorView<const float>;

}  // namespace ferplus
