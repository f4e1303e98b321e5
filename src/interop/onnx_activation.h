// Where the values of a graph's activation are in ours. A graph may hold an image as [N, C, H, W],
// as [N, H, W, C] or flattened in either order; ours is always [N, H, W, C] or [N, features] in
// memory. An Activation says which of our axes each of the graph's axes runs over, so that
// Transpose, Reshape, Flatten and Squeeze change the description only.
#pragma once

#include <cstdint>
#include <vector>

#include <ferplus/nn/layers.h>

#include "interop/onnx_constant.h"

namespace ferplus::interop {

enum class Axis { n, h, w, c };

// One of our axes that is longer than 1; features count as channels.
struct Factor {
  Axis axis;
  std::int64_t size;
  bool operator==(const Factor&) const = default;
};

class Activation {
 public:
  // A layer's output of that shape (ours, batch 1) as the graph's [N, C, H, W] or [N, features].
  static Activation of_layer(const Shape& shape, std::int64_t batch);
  // The same as [N, H, W, C].
  static Activation channels_last(const Shape& shape, std::int64_t batch);

  Dims dims() const;
  std::size_t rank() const { return axes_.size(); }

  // As operators see it. Throw Error, naming no place, if axes would have to be split or do not
  // fit.
  Activation reshaped(const Dims& dims) const;
  Activation transposed(const std::optional<Dims>& order) const;

  // Throws Error unless it is [N, C, H, W], as convolutions and poolings want it.
  void check_image() const;
  // The order in which axis 1 of [N, features] runs over our axes. Throws Error unless it is that.
  const std::vector<Factor>& features() const;
  // Whether this axis runs over our channels (or features) and nothing else, or has length 1.
  bool is_channels(std::size_t axis) const;

  // Rows and columns of zeros around the image, from a Pad, for the next window to take.
  Padding zeros{};
  // Layers that the chain had when a layer made this: what is not of the last one cannot go on.
  std::size_t layers = 0;
  // Nothing but renaming may follow: a Softmax made it.
  bool finished = false;

 private:
  std::vector<std::vector<Factor>> axes_;
};

}  // namespace ferplus::interop
