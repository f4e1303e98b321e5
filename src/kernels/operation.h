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
  // Of transposed products, whose depth are tiles.
  static constexpr int kTilesTogether = 1;
  static auto transposed_input(const WinogradTransforms& w) { return w.input; }
  static auto transposed_output_gradient(const WinogradTransforms& w) { return w.output_gradient; }
  static auto multiply_transposed(std::int64_t rows) {
    return kernels().multiply_transposed[rows - 1];
  }
};

template <>
struct Operation<Bf16> {
  static auto winograd_input(const WinogradTransforms&) { return bf16_kernels().winograd4_input; }
  static auto multiply(std::int64_t rows) { return bf16_kernels().multiply[rows - 1]; }
  static constexpr int kTilesTogether = 2;
  static auto transposed_input(const WinogradTransforms&) {
    return bf16_kernels().winograd4_input_pairs;
  }
  static auto transposed_output_gradient(const WinogradTransforms&) {
    return bf16_kernels().winograd4_output_gradient_pairs;
  }
  static auto multiply_transposed(std::int64_t rows) {
    return bf16_kernels().multiply_transposed[rows - 1];
  }
};

}  // namespace ferplus
