// The kernels in use for products of one type of operand, float or Bf16.
#pragma once

#include "kernels/dispatch.h"

namespace ferplus {

template <typename Element>
struct Operation;

template <>
struct Operation<float> {
  static auto winograd_input(const WinogradTransforms& w) { return w.input; }
  static auto multiply(std::int64_t rows) { return kernels().multiply[rows - 1]; }
};

template <>
struct Operation<Bf16> {
  static auto winograd_input(const WinogradTransforms&) { return bf16_kernels().winograd4_input; }
  static auto multiply(std::int64_t rows) { return bf16_kernels().multiply[rows - 1]; }
};

}  // namespace ferplus
