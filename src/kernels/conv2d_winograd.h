// Convolution with 3x3 kernels and stride 1 by minimal filtering (Winograd): tiles of 4x4 or 2x2
// outputs are computed in a transformed domain where the convolution is 36 or 16 matrix products,
// with 4 or 2.25 times fewer multiplications. Lavin and Gray, CVPR 2016; the transforms are in
// winograd_impl.inl.
#pragma once

#include <ferplus/kernels/conv2d.h>

#include "kernels/bf16.h"

namespace ferplus {

ConvAlgorithm conv2d_winograd4();
ConvAlgorithm conv2d_winograd2();
// With operands of the products in bfloat16.
ConvAlgorithm conv2d_winograd4_bf16();

namespace winograd {

// Side of the square of transformed coordinates.
constexpr Index size_of(const WinogradTransforms& w) { return w.tile + 2; }
constexpr Index coordinates(const WinogradTransforms& w) { return size_of(w) * size_of(w); }

// Added to strides between coordinates, in elements: powers of two apart, all coordinates of a tile
// would fall into one set of the cache.
inline constexpr Index kStridePadding = 16;

// The input as a pass reads it and the output as it writes it, cut into the same tiles.
TileGrid tiles_of_input(const WinogradTransforms& w, const ConvShape& shape);
TileGrid tiles_of_output(const WinogradTransforms& w, const ConvShape& shape);

// The shape whose forward pass computes the input gradient of `shape` from its output gradient,
// with the kernel turned by 180 degrees.
ConvShape shape_of_backward_data(const ConvShape& shape);

// `input` is what the pass reads: the input, or for the input gradient the output gradient.
// Element: of the operands of the products, float or, for tiles of 4x4, Bf16.
template <typename Element>
std::size_t forward_workspace_bytes(const WinogradTransforms& w, const ConvShape& shape,
                                    int threads);
template <typename Element>
void forward(const WinogradTransforms& w, const ConvShape& shape, const ConvGradient& input,
             const Element* prepared, const TileEpilogue& epilogue, float* output,
             float* workspace);

std::size_t backward_weights_workspace_bytes(const WinogradTransforms& w, const ConvShape& shape,
                                             int threads);
template <typename Element>
void backward_weights(const WinogradTransforms& w, const ConvShape& shape, const float* input,
                      const ConvGradient& output_gradient, float* weights_gradient,
                      float* bias_gradient, float* workspace);

// Distance between two coordinates of the transformed weights, in elements.
Index prepared_stride(const KernelTable& k, Index depth, Index columns);

}  // namespace winograd
}  // namespace ferplus
