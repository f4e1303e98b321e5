// What layers that slide a window over an image share.
#pragma once

#include <string>

#include <ferplus/core/error.h>
#include <ferplus/nn/layers.h>

namespace ferplus {

// "1,1,1,1": top, left, bottom, right.
inline std::string padding_text(const Padding& p) {
  return concat(p.top, ",", p.left, ",", p.bottom, ",", p.right);
}

// Positions of a window of `size` along `padded` pixels, the padding included.
inline Index window_count(Index padded, Index size, Index stride) {
  return padded < size ? 0 : (padded - size) / stride + 1;
}

// The part of a window that lies on the image: window places [begin, end), the first of them at
// image place `start + begin`.
struct WindowPart {
  Index start, begin, end;
};
inline WindowPart window_part(Index position, Index stride, Index padding, Index size,
                              Index image) {
  const Index start = position * stride - padding;
  return {start, start < 0 ? -start : 0, start + size > image ? image - start : size};
}

// Throws UsageError unless every side of the padding is below the window's.
inline void check_padding(std::string_view layer, const Padding& p, Index height, Index width) {
  for (const auto& [side, size] : {std::pair(p.top, height), std::pair(p.bottom, height),
                                   std::pair(p.left, width), std::pair(p.right, width)}) {
    if (side < 0 || side >= size) {
      throw UsageError(concat(layer, " ", height, "x", width, " cannot have a padding of ", side));
    }
  }
}

}  // namespace ferplus
