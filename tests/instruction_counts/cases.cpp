#include "cases.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <ferplus/core/buffer.h>
#include <ferplus/core/error.h>
#include <ferplus/core/random.h>
#include <ferplus/kernels/conv2d.h>
#include <ferplus/kernels/elementwise.h>
#include <ferplus/kernels/gemm.h>

namespace ferplus::instruction_counts {
namespace {

constexpr int kThreads = 1;

Buffer<float> room_for(Index count) { return Buffer<float>(static_cast<std::size_t>(count)); }

Buffer<float> random_values(Index count, std::uint64_t seed) {
  Buffer<float> values = room_for(count);
  RandomSequence random({.seed = seed, .stream = Stream::synth});
  for (float& value : values.span()) value = static_cast<float>(random.uniform(-1, 1));
  return values;
}

// Like the layers of VGG13, but smaller. The batch is two micro-batches, and with 32 channels
// enough tiles for Winograd's passes to cut them as they do large layers.
ConvShape conv_shape(Index batch, Index size, Index in_channels, Index out_channels) {
  return {.batch = batch,
          .height = size,
          .width = size,
          .in_channels = in_channels,
          .out_channels = out_channels,
          .out_height = size,
          .out_width = size};
}

// One that the algorithm was made for.
ConvShape conv_shape_for(const ConvAlgorithm& algorithm) {
  const ConvShape shape = conv_shape(16, 16, 32, 32);
  ConvShape narrow = shape;
  narrow.precision = Precision::bf16;
  for (const ConvShape& candidate : {shape, narrow}) {
    if (algorithm.supports(candidate, ConvPass::forward)) return candidate;
  }
  return conv_shape(16, 16, 1, 64);
}

void run_convolution(const Count& count, const ConvAlgorithm& algorithm) {
  const ConvShape s = conv_shape_for(algorithm);
  const bool pool = algorithm.can_pool(s);
  const auto input = random_values(s.input_size(), 1), weights = random_values(s.weights_size(), 2);
  const auto bias = random_values(s.out_channels, 3);
  const auto output_gradient = random_values(s.output_size(), 4);
  auto output = room_for(s.output_size()), input_gradient = room_for(s.input_size());
  auto weights_gradient = room_for(s.weights_size()), bias_gradient = room_for(s.out_channels);
  Buffer<std::byte> places(pool ? algorithm.places_bytes(s) : 0);
  void* const kept_places = pool ? places.data() : nullptr;
  const ConvGradient gradient{output_gradient.data(), kept_places};

  for (ConvPass pass : kAllConvPasses) {
    if (!algorithm.supports(s, pass)) continue;
    const std::string name = concat("conv2d/", algorithm.name, "/", conv_pass_name(pass));
    Buffer<std::byte> prepared(algorithm.prepared_bytes(s, pass));
    Buffer<std::byte> workspace(algorithm.workspace_bytes(s, pass, kThreads));
    if (pass != ConvPass::backward_weights) {
      count(name + "/prepare",
            [&] { algorithm.prepare(s, pass, weights.data(), prepared.data()); });
    }
    count(name, [&] {
      switch (pass) {
        case ConvPass::forward:
          algorithm.forward(
              s, input.data(), prepared.data(),
              {.bias = bias.data(), .relu = true, .pool = pool, .places = kept_places},
              output.data(), workspace.data());
          break;
        case ConvPass::backward_data:
          algorithm.backward_data(s, gradient, prepared.data(), input.data(), input_gradient.data(),
                                  workspace.data());
          break;
        case ConvPass::backward_weights:
          algorithm.backward_weights(s, input.data(), gradient, weights_gradient.data(),
                                     bias_gradient.data(), workspace.data());
      }
    });
  }
}

// The products of a dense layer as nn/dense.cpp calls them.
void run_dense(const Count& count) {
  constexpr Index kBatch = 32, kInputs = 512, kUnits = 256;
  const auto input = random_values(kBatch * kInputs, 1),
             weights = random_values(kInputs * kUnits, 2);
  const auto bias = random_values(kUnits, 3), output_gradient = random_values(kBatch * kUnits, 4);
  auto output = room_for(kBatch * kUnits), input_gradient = room_for(kBatch * kInputs);
  auto transposed = room_for(kBatch * kInputs), weights_gradient = room_for(kInputs * kUnits);
  Buffer<std::byte> packed(packed_bytes(kInputs, kUnits));
  Buffer<std::byte> packed_gradient(packed_bytes(kUnits, kBatch));
  Buffer<std::byte> workspace(
      std::max(gemm_workspace_bytes(kThreads), gemm_transposed_workspace_bytes(kBatch, kThreads)));

  count("dense/forward/prepare",
        [&] { pack(kInputs, kUnits, weights.data(), kUnits, Transposed::no, packed.data()); });
  count("dense/forward", [&] {
    gemm(kBatch, kUnits, kInputs, input.data(), kInputs, packed.data(), output.data(), kUnits,
         workspace.data(), {.bias = bias.data(), .relu = true});
  });
  count("dense/backward_data", [&] {
    pack(kUnits, kBatch, output_gradient.data(), kUnits, Transposed::yes, packed_gradient.data());
    gemm(kInputs, kBatch, kUnits, weights.data(), kUnits, packed_gradient.data(), transposed.data(),
         kBatch, workspace.data());
    transpose(kInputs, kBatch, transposed.data(), kBatch, input_gradient.data(), kInputs);
  });
  count("dense/backward_weights", [&] {
    gemm_transposed(kInputs, kUnits, kBatch, input.data(), kInputs, output_gradient.data(), kUnits,
                    weights_gradient.data(), kUnits, workspace.data());
  });
}

void run_elementwise(const Count& count) {
  constexpr Index kRows = 64, kWidth = kRows / 4, kChannels = 64, kValues = kRows * kChannels;
  constexpr Index kPooledRow = 2 * kWidth * kChannels;  // two rows of pixels above each other
  const ElementwiseKernels& k = elementwise();
  const auto x = random_values(kValues, 1);
  const auto mean = random_values(kChannels, 2), scale = random_values(kChannels, 3);
  const auto bias = random_values(kChannels, 4), curve = random_values(kChannels, 5);
  auto y = room_for(kValues), dy = random_values(kValues, 6);
  auto sum = room_for(kChannels), product = room_for(kChannels);
  const ChannelAffine affine{mean.data(), scale.data(), bias.data(), true};
  const std::array<std::uint32_t, 4> counter{1, 2, 3, 4};
  const std::array<std::uint32_t, 2> key{5, 6};
  Buffer<std::uint8_t> kept(static_cast<std::size_t>(kValues / 8));

  count("batch_norm/moments",
        [&] { k.moments(kRows, kChannels, x.data(), mean.data(), sum.data(), product.data()); });
  count("batch_norm/affine", [&] { k.affine(kRows, kChannels, x.data(), &affine, y.data()); });
  count("batch_norm/gradient_sums", [&] {
    k.affine_gradient_sums(kRows, kChannels, x.data(), dy.data(), &affine, sum.data(),
                           product.data());
  });
  count("batch_norm/gradient", [&] {
    k.affine_gradient(kRows, kChannels, x.data(), dy.data(), &affine, scale.data(), bias.data(),
                      curve.data(), y.data());
  });
  count("pool/forward", [&] { k.pool(kWidth, kChannels, x.data(), kPooledRow, true, y.data()); });
  count("pool/gradient", [&] {
    k.pool_gradient(kWidth, kChannels, x.data(), kPooledRow, true, dy.data(), y.data());
  });
  count("relu/gradient", [&] { k.relu_gradient(kValues, x.data(), dy.data()); });
  count("dropout/forward", [&] {
    k.dropout(kValues, y.data(), counter.data(), key.data(), 1 << 14, 4.0f / 3, kept.data());
  });
  count("dropout/gradient", [&] { k.dropout_gradient(kValues, kept.data(), 4.0f / 3, dy.data()); });
}

}  // namespace

void run_cases(const Count& count) {
  for (const ConvAlgorithm& algorithm : conv_algorithms()) run_convolution(count, algorithm);
  run_dense(count);
  run_elementwise(count);
}

}  // namespace ferplus::instruction_counts
