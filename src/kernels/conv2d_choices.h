// Which convolution algorithm was fastest, by instruction set, pass and shape.
#pragma once

#include <span>
#include <string_view>

#include <ferplus/kernels/conv2d.h>

namespace ferplus {

// For a convolution with 3x3 kernels, stride 1 and padding that keeps the size.
struct MeasuredChoice {
  std::string_view isa;
  ConvPass pass;
  Index height, width, in_channels, out_channels;
  std::string_view algorithm;
};

// `ferplus_bench --choices` measures and prints the file that defines it.
std::span<const MeasuredChoice> measured_choices();

}  // namespace ferplus
