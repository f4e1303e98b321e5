#include "kernels/conv2d_winograd.h"

#include <algorithm>
#include <type_traits>

#include <ferplus/core/buffer.h>
#include <ferplus/core/parallel.h>

#include "kernels/blocks.h"
#include "kernels/dispatch.h"
#include "kernels/matrix_product.h"

namespace ferplus {
namespace winograd {

TileGrid tiles_of_input(const WinogradTransforms& w, const ConvShape& shape) {
  return {.height = shape.height,
          .width = shape.width,
          .channels = shape.in_channels,
          .tiles_down = ceil_divide(shape.out_height, w.tile),
          .tiles_across = ceil_divide(shape.out_width, w.tile),
          .pad_top = shape.pad_top,
          .pad_left = shape.pad_left};
}

TileGrid tiles_of_output(const WinogradTransforms& w, const ConvShape& shape) {
  return {.height = shape.out_height,
          .width = shape.out_width,
          .channels = shape.out_channels,
          .tiles_down = ceil_divide(shape.out_height, w.tile),
          .tiles_across = ceil_divide(shape.out_width, w.tile),
          .pad_top = 0,
          .pad_left = 0};
}

ConvShape shape_of_backward_data(const ConvShape& shape) {
  return {.batch = shape.batch,
          .height = shape.out_height,
          .width = shape.out_width,
          .in_channels = shape.out_channels,
          .out_channels = shape.in_channels,
          .kernel_height = shape.kernel_height,
          .kernel_width = shape.kernel_width,
          .stride = 1,
          .pad_top = shape.kernel_height - 1 - shape.pad_top,
          .pad_left = shape.kernel_width - 1 - shape.pad_left,
          .out_height = shape.height,
          .out_width = shape.width};
}

Index prepared_stride(const KernelTable& k, Index depth, Index columns) {
  return ceil_divide(columns, k.tile_columns) * k.tile_columns * depth + kStridePadding;
}

}  // namespace winograd

namespace {

// Rows of a panel of weights that are transformed at a time, on the stack.
constexpr Index kPreparedRows = 16;

// Whole vectors of channels on every ISA.
constexpr Index kChannelUnit = 16;

bool supports(const ConvShape& shape, ConvPass) {
  return shape.kernel_height == 3 && shape.kernel_width == 3 && shape.stride == 1 &&
         shape.in_channels % kChannelUnit == 0 && shape.out_channels % kChannelUnit == 0;
}

bool supports_bf16(const ConvShape& shape, ConvPass pass) {
  return shape.precision == Precision::bf16 && supports(shape, pass);
}

template <int kTile>
const WinogradTransforms& transforms() {
  return kTile == 2 ? kernels().winograd2 : kernels().winograd4;
}

std::size_t places_bytes(const ConvShape& shape) {
  const Index vectors = shape.output_size() / 4 / kernels().vector_width;
  return static_cast<std::size_t>(2 * vectors) * sizeof(PoolPlaces);
}

ConvShape forward_shape(const ConvShape& shape, ConvPass pass) {
  return pass == ConvPass::backward_data ? winograd::shape_of_backward_data(shape) : shape;
}

template <int kTile, typename Element>
std::size_t prepared_bytes(const ConvShape& shape, ConvPass pass) {
  if (pass == ConvPass::backward_weights) return 0;
  const ConvShape run = forward_shape(shape, pass);
  return static_cast<std::size_t>(
             winograd::coordinates(transforms<kTile>()) *
             winograd::prepared_stride(kernels(), run.in_channels, run.out_channels)) *
         sizeof(Element);
}

// Each coordinate is a packed matrix (matrix_product.h).
template <int kTile, typename Element>
void prepare(const ConvShape& shape, ConvPass pass, const float* weights, void* prepared) {
  if (pass == ConvPass::backward_weights) return;
  const KernelTable& k = kernels();
  const bool is_forward = pass == ConvPass::forward;
  const ConvShape run = forward_shape(shape, pass);
  const Index depth = run.in_channels, columns = run.out_channels;
  const Index stride = winograd::prepared_stride(k, depth, columns);
  const Index tap_size = shape.in_channels * shape.out_channels;
  const Index blocks = ceil_divide(depth, kPreparedRows);
  parallel_for(ceil_divide(columns, k.tile_columns) * blocks, [&](Index task) {
    const Index panel = task / blocks, first_row = task % blocks * kPreparedRows;
    const Index rows = std::min(kPreparedRows, depth - first_row);
    const Index first_column = panel * k.tile_columns;
    alignas(kAlignment) float taps[9 * kPreparedRows * kMaxTileColumns];
    for (Index tap = 0; tap < 9; ++tap) {
      const float* source = weights + (is_forward ? tap : 8 - tap) * tap_size;
      source += is_forward ? first_row * shape.out_channels + first_column
                           : first_column * shape.out_channels + first_row;
      pack_panel(k, rows, columns - first_column, source, shape.out_channels,
                 is_forward ? Transposed::no : Transposed::yes,
                 taps + tap * kPreparedRows * k.tile_columns);
    }
    Element* const to =
        static_cast<Element*>(prepared) + (panel * depth + first_row) * k.tile_columns;
    if constexpr (std::is_same_v<Element, float>) {
      transforms<kTile>().weights(rows, taps, kPreparedRows * k.tile_columns, to, stride);
    } else {
      constexpr Index kSize = (kTile + 2) * (kTile + 2), kStride = kPreparedRows * kMaxTileColumns;
      alignas(kAlignment) float transformed[kSize * kStride];
      transforms<kTile>().weights(rows, taps, kPreparedRows * k.tile_columns, transformed, kStride);
      for (Index x = 0; x < kSize; ++x) {
        pack_pairs(k, rows, transformed + x * kStride, to + x * stride);
      }
    }
  });
}

template <int kTile, typename Element>
std::size_t workspace_bytes(const ConvShape& shape, ConvPass pass, int threads) {
  const WinogradTransforms& w = transforms<kTile>();
  if (pass == ConvPass::backward_weights) {
    return winograd::backward_weights_workspace_bytes(w, shape, threads);
  }
  return winograd::forward_workspace_bytes<Element>(w, forward_shape(shape, pass), threads);
}

template <int kTile, typename Element>
void forward(const ConvShape& shape, const float* input, const void* prepared, const ConvTail& tail,
             float* output, void* workspace) {
  winograd::forward(transforms<kTile>(), shape, {input}, static_cast<const Element*>(prepared),
                    {.bias = tail.bias,
                     .relu = tail.relu,
                     .pool = tail.pool,
                     .places = static_cast<PoolPlaces*>(tail.places)},
                    output, static_cast<float*>(workspace));
}

template <int kTile, typename Element>
void backward_data(const ConvShape& shape, const ConvGradient& output_gradient,
                   const void* prepared, const float* relu_output, float* input_gradient,
                   void* workspace) {
  winograd::forward(transforms<kTile>(), winograd::shape_of_backward_data(shape), output_gradient,
                    static_cast<const Element*>(prepared), {.relu_output = relu_output},
                    input_gradient, static_cast<float*>(workspace));
}

template <int kTile, typename Element>
void backward_weights(const ConvShape& shape, const float* input,
                      const ConvGradient& output_gradient, float* weights_gradient,
                      float* bias_gradient, void* workspace) {
  winograd::backward_weights<Element>(transforms<kTile>(), shape, input, output_gradient,
                                      weights_gradient, bias_gradient,
                                      static_cast<float*>(workspace));
}

template <int kTile>
ConvAlgorithm winograd_algorithm(std::string_view name, double tolerance) {
  return {.name = name,
          .tolerance = tolerance,
          .supports = supports,
          .prepared_bytes = prepared_bytes<kTile, float>,
          .prepare = prepare<kTile, float>,
          .workspace_bytes = workspace_bytes<kTile, float>,
          .places_bytes = places_bytes,
          .forward = forward<kTile, float>,
          .backward_data = backward_data<kTile, float>,
          .backward_weights = backward_weights<kTile, float>};
}

}  // namespace

ConvAlgorithm conv2d_winograd4_bf16() {
  return {.name = "winograd4_bf16",
          .tolerance = 2e-2,
          .supports = supports_bf16,
          .prepared_bytes = prepared_bytes<4, Bf16>,
          .prepare = prepare<4, Bf16>,
          .workspace_bytes = workspace_bytes<4, Bf16>,
          .places_bytes = places_bytes,
          .forward = forward<4, Bf16>,
          .backward_data = backward_data<4, Bf16>,
          .backward_weights = backward_weights<4, Bf16>};
}
ConvAlgorithm conv2d_winograd4() { return winograd_algorithm<4>("winograd4", 2.5e-6); }
ConvAlgorithm conv2d_winograd2() { return winograd_algorithm<2>("winograd2", 7e-7); }

}  // namespace ferplus
