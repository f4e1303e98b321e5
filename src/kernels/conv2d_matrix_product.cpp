#include "kernels/conv2d_matrix_product.h"

#include <algorithm>

#include <ferplus/core/parallel.h>
#include <ferplus/kernels/elementwise.h>

#include "kernels/blocks.h"
#include "kernels/dispatch.h"
#include "kernels/matrix_product.h"

namespace ferplus {
namespace {

Index taps(const ConvShape& shape) { return shape.kernel_height * shape.kernel_width; }

PatchMatrix input_patches(const ConvShape& shape, const float* input) {
  return {.data = input,
          .image_stride = shape.height * shape.width * shape.in_channels,
          .height = shape.height,
          .width = shape.width,
          .channels = shape.in_channels,
          .kernel_width = shape.kernel_width,
          .out_height = shape.out_height,
          .out_width = shape.out_width,
          .stride = shape.stride,
          .upsampling = 1,
          .pad_top = shape.pad_top,
          .pad_left = shape.pad_left};
}

// The input gradient is the convolution of the output gradient, spread out by the stride, with the
// kernel turned by 180 degrees.
PatchMatrix output_gradient_patches(const ConvShape& shape, const float* output_gradient) {
  return {.data = output_gradient,
          .image_stride = shape.out_height * shape.out_width * shape.out_channels,
          .height = shape.out_height,
          .width = shape.out_width,
          .channels = shape.out_channels,
          .kernel_width = shape.kernel_width,
          .out_height = shape.height,
          .out_width = shape.width,
          .stride = 1,
          .upsampling = shape.stride,
          .pad_top = shape.kernel_height - 1 - shape.pad_top,
          .pad_left = shape.kernel_width - 1 - shape.pad_left};
}

bool supports(const ConvShape&, ConvPass) { return true; }

std::size_t prepared_bytes(const ConvShape& shape, ConvPass pass) {
  switch (pass) {
    case ConvPass::forward:
      return packed_bytes(taps(shape) * shape.in_channels, shape.out_channels);
    case ConvPass::backward_data:
      return packed_bytes(taps(shape) * shape.out_channels, shape.in_channels);
    case ConvPass::backward_weights:
      break;
  }
  return 0;
}

void prepare(const ConvShape& shape, ConvPass pass, const float* weights, void* prepared) {
  if (pass == ConvPass::backward_weights) return;
  const KernelTable& k = kernels();
  const bool is_forward = pass == ConvPass::forward;
  const Index depth = is_forward ? shape.in_channels : shape.out_channels;
  const Index columns = is_forward ? shape.out_channels : shape.in_channels;
  const Index panels = ceil_divide(columns, k.tile_columns);
  parallel_for(panels * taps(shape), [&](Index task) {
    const Index column = task / taps(shape) * k.tile_columns, tap = task % taps(shape);
    const Index source_tap = is_forward ? tap : taps(shape) - 1 - tap;
    pack_panel(k, depth, columns - column,
               weights + source_tap * shape.in_channels * shape.out_channels +
                   column * (is_forward ? 1 : shape.out_channels),
               shape.out_channels, is_forward ? Transposed::no : Transposed::yes,
               static_cast<float*>(prepared) + task * depth * k.tile_columns);
  });
}

std::size_t workspace_bytes(const ConvShape& shape, ConvPass pass, int threads) {
  return pass == ConvPass::backward_weights ? gemm_transposed_workspace_bytes(shape.batch, threads)
                                            : gemm_workspace_bytes(threads);
}

void forward(const ConvShape& shape, const float* input, const void* prepared, const ConvTail& tail,
             float* output, void* workspace) {
  matrix_product(kernels(),
                 {.patches = input_patches(shape, input),
                  .rows = shape.batch * shape.out_height * shape.out_width,
                  .columns = shape.out_channels,
                  .depth = taps(shape) * shape.in_channels,
                  .packed_b = prepared,
                  .c = output,
                  .ldc = shape.out_channels,
                  .bias = tail.bias,
                  .relu = tail.relu},
                 static_cast<float*>(workspace));
}

void backward_data(const ConvShape& shape, const ConvGradient& output_gradient,
                   const void* prepared, const float* relu_output, float* input_gradient,
                   void* workspace) {
  matrix_product(kernels(),
                 {.patches = output_gradient_patches(shape, output_gradient.data),
                  .rows = shape.batch * shape.height * shape.width,
                  .columns = shape.in_channels,
                  .depth = taps(shape) * shape.out_channels,
                  .packed_b = prepared,
                  .c = input_gradient,
                  .ldc = shape.in_channels},
                 static_cast<float*>(workspace));
  if (relu_output == nullptr) return;
  const Index image = shape.input_size() / shape.batch;
  parallel_for(shape.batch, [&](Index n) {
    elementwise().relu_gradient(image, relu_output + n * image, input_gradient + n * image);
  });
}

void backward_weights(const ConvShape& shape, const float* input,
                      const ConvGradient& output_gradient, float* weights_gradient,
                      float* bias_gradient, void* workspace) {
  transposed_product(kernels(),
                     {.patches = input_patches(shape, input),
                      .rows = taps(shape) * shape.in_channels,
                      .columns = shape.out_channels,
                      .samples = shape.batch,
                      .depth_per_sample = shape.out_height * shape.out_width,
                      .b = output_gradient.data,
                      .ldb = shape.out_channels,
                      .c = weights_gradient,
                      .ldc = shape.out_channels,
                      .column_sums = bias_gradient},
                     static_cast<float*>(workspace));
}

}  // namespace

ConvAlgorithm conv2d_matrix_product() {
  return {.name = "matrix_product",
          .tolerance = 1e-6,
          .supports = supports,
          .prepared_bytes = prepared_bytes,
          .prepare = prepare,
          .workspace_bytes = workspace_bytes,
          .places_bytes = nullptr,
          .forward = forward,
          .backward_data = backward_data,
          .backward_weights = backward_weights};
}

}  // namespace ferplus
