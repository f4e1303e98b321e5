#include "kernels/conv2d_direct.h"

#include <algorithm>
#include <cstring>

#include <ferplus/core/parallel.h>

#include "kernels/blocks.h"
#include "kernels/dispatch.h"
#include "kernels/matrix_product.h"

namespace ferplus {
namespace {

// Output rows of a task of the forward pass.
constexpr Index kRowsPerTask = 8;

bool supports(const ConvShape& shape, ConvPass pass) {
  return pass != ConvPass::backward_data && shape.kernel_height == 3 && shape.kernel_width == 3 &&
         shape.stride == 1 && shape.in_channels <= kDirectChannels && shape.out_channels % 16 == 0;
}

std::size_t prepared_bytes(const ConvShape& shape, ConvPass pass) {
  if (pass == ConvPass::backward_weights) return 0;
  return packed_bytes(9 * shape.in_channels, shape.out_channels);
}

void prepare(const ConvShape& shape, ConvPass pass, const float* weights, void* prepared) {
  if (pass == ConvPass::backward_weights) return;
  const KernelTable& k = kernels();
  const Index depth = 9 * shape.in_channels;
  for (Index column = 0; column < shape.out_channels; column += k.tile_columns) {
    pack_panel(k, depth, shape.out_channels - column, weights + column, shape.out_channels,
               Transposed::no, static_cast<float*>(prepared) + column * depth);
  }
}

// A row with its padding, and enough behind it for one register tile.
Index padded_row(const ConvShape& shape) {
  return (std::max<Index>(shape.out_width, kMaxTileRows) + 2) * shape.in_channels;
}

Index gradient_floats(const ConvShape& shape) { return shape.weights_size() + shape.out_channels; }

Index floats_per_thread(const ConvShape& shape, ConvPass pass) {
  if (pass == ConvPass::forward) {
    return (kRowsPerTask + 2) * padded_row(shape) + kMaxTileRows * shape.out_channels;
  }
  return 3 * padded_row(shape);
}

std::size_t workspace_bytes(const ConvShape& shape, ConvPass pass, int threads) {
  const Index sums = pass == ConvPass::backward_weights ? shape.batch * gradient_floats(shape) : 0;
  return static_cast<std::size_t>(threads * floats_per_thread(shape, pass) + sums) * sizeof(float);
}

// Row y of an image, shifted by the padding and surrounded by zeros.
void copy_row(const ConvShape& shape, const float* image, Index y, float* padded) {
  std::fill_n(padded, padded_row(shape), 0.0f);
  if (y < 0 || y >= shape.height) return;
  const Index first = std::max<Index>(0, -shape.pad_left);
  const Index last = std::min(shape.width, shape.out_width + 2 - shape.pad_left);
  if (first >= last) return;
  std::copy_n(image + (y * shape.width + first) * shape.in_channels,
              (last - first) * shape.in_channels,
              padded + (first + shape.pad_left) * shape.in_channels);
}

void forward(const ConvShape& shape, const float* input, const void* prepared, const ConvTail& tail,
             float* output, void* workspace) {
  const KernelTable& k = kernels();
  const DirectForward run = k.direct_forward[shape.in_channels - 1];
  const Index row_size = padded_row(shape), output_row = shape.out_width * shape.out_channels;
  const Blocks blocks = even_blocks(shape.out_height, kRowsPerTask, 1);
  parallel_for(shape.batch * blocks.count, [&](Index task) {
    const Index n = task / blocks.count, first = blocks.begin(task % blocks.count);
    const Index rows = blocks.size(task % blocks.count);
    float* const padded = static_cast<float*>(workspace) +
                          thread_index() * floats_per_thread(shape, ConvPass::forward);
    float* const spare = padded + (kRowsPerTask + 2) * row_size;
    const float* image = input + n * shape.height * shape.width * shape.in_channels;
    for (Index i = 0; i < rows + 2; ++i) {
      copy_row(shape, image, first + i - shape.pad_top, padded + i * row_size);
    }
    for (Index i = 0; i < rows; ++i) {
      run(shape.out_width, padded + i * row_size, row_size, static_cast<const float*>(prepared),
          shape.out_channels, tail.bias, tail.relu,
          output + (n * shape.out_height + first + i) * output_row, spare);
    }
  });
}

void backward_weights(const ConvShape& shape, const float* input,
                      const ConvGradient& output_gradient, float* weights_gradient,
                      float* bias_gradient, void* workspace) {
  const KernelTable& k = kernels();
  const DirectWeights run = k.direct_weights[shape.in_channels - 1];
  const Index row_size = padded_row(shape), output_row = shape.out_width * shape.out_channels;
  const Index part = gradient_floats(shape);
  float* const own = static_cast<float*>(workspace);
  float* const sums = own + thread_count() * floats_per_thread(shape, ConvPass::backward_weights);
  parallel_for(shape.batch, [&](Index n) {
    float* const padded =
        own + thread_index() * floats_per_thread(shape, ConvPass::backward_weights);
    const float* image = input + n * shape.height * shape.width * shape.in_channels;
    std::fill_n(sums + n * part, part, 0.0f);
    for (Index y = 0; y < shape.out_height; ++y) {
      for (Index i = 0; i < 3; ++i) {
        copy_row(shape, image, y + i - shape.pad_top, padded + i * row_size);
      }
      run(shape.out_width, padded, row_size,
          output_gradient.data + (n * shape.out_height + y) * output_row, shape.out_channels,
          sums + n * part);
    }
  });
  tree_combine(shape.batch, kMicroBatch,
               [&](Index to, Index from) { k.add(part, sums + from * part, sums + to * part); });
  std::copy_n(sums, shape.weights_size(), weights_gradient);
  if (bias_gradient != nullptr) {
    std::copy_n(sums + shape.weights_size(), shape.out_channels, bias_gradient);
  }
}

}  // namespace

ConvAlgorithm conv2d_direct() {
  return {.name = "direct",
          .tolerance = 7e-7,
          .supports = supports,
          .prepared_bytes = prepared_bytes,
          .prepare = prepare,
          .workspace_bytes = workspace_bytes,
          .places_bytes = nullptr,
          .forward = forward,
          .backward_data = nullptr,
          .backward_weights = backward_weights};
}

}  // namespace ferplus
