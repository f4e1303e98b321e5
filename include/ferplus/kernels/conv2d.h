// 2-D convolution on raw buffers: the ordered table of algorithms.
//
// Layouts (all dense, float32): input [N, H, W, C], output [N, OH, OW, K], weights [R, S, C, K]
// (kernel row, kernel column, in channel, out channel), bias [K]. Convolution is cross-correlation,
// as in every CNN framework: output(n,y,x,k) = bias(k) + sum over r,s,c of
// input(n, y*stride + r - pad_top, x*stride + s - pad_left, c) * weights(r,s,c,k), zero outside.
//
// Every function of a ConvAlgorithm is noexcept in effect, thread-safe on distinct outputs and
// workspaces, runs its work on parallel_for, allocates nothing, and gives bits that depend on the
// shape, the operands, the ISA and the algorithm only: not on the number of threads, nor on what
// else is in the batch (image n's output and input gradient depend on image n alone).
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ferplus/core/tensor.h>
#include <ferplus/kernels/cpu.h>
#include <ferplus/kernels/precision.h>

namespace ferplus {

struct ConvShape {
  Index batch = 1, height = 1, width = 1, in_channels = 1;
  Index out_channels = 1, kernel_height = 3, kernel_width = 3, stride = 1;
  Index pad_top = 1, pad_left = 1, out_height = 1, out_width = 1;
  Precision precision = Precision::fp32;  // the lowest that will do

  Index input_size() const { return batch * height * width * in_channels; }
  Index output_size() const { return batch * out_height * out_width * out_channels; }
  Index weights_size() const { return kernel_height * kernel_width * in_channels * out_channels; }
  // Multiply-adds of one pass counted as direct convolution does them, times two.
  double flops() const {
    return 2.0 * static_cast<double>(batch * out_height * out_width) *
           static_cast<double>(weights_size());
  }
  bool operator==(const ConvShape&) const = default;
};

// forward: input, weights → output. backward_data: output gradient, weights → input gradient.
// backward_weights: input, output gradient → weights gradient (summed over the batch by
// micro-batches in the fixed tree of core/parallel.h) and bias gradient.
enum class ConvPass { forward, backward_data, backward_weights };
inline constexpr int kConvPasses = 3;
inline constexpr std::array<ConvPass, kConvPasses> kAllConvPasses{
    ConvPass::forward, ConvPass::backward_data, ConvPass::backward_weights};
// As spelled above. Throws UsageError that lists the names.
std::string_view conv_pass_name(ConvPass pass);
ConvPass conv_pass_from_name(std::string_view name);

// What forward does to results before it stores them, in this order.
struct ConvTail {
  const float* bias = nullptr;  // [K]; may be null
  bool relu = false;            // negative results become 0
  // 2x2 max-pooling of stride 2: the output is [N, OH/2, OW/2, K]. Only where can_pool().
  bool pool = false;
  void* places = nullptr;  // of the maxima, places_bytes, for the backward passes; null: not wanted
};

// dL/d(output). With the places that forward wrote it is that of the pooled output and counts as
// the gradient that has each value at its place and zeros elsewhere.
struct ConvGradient {
  const float* data;
  const void* places = nullptr;
};

struct ConvAlgorithm {
  std::string_view name;  // as --algorithm spells it: "matrix_product"
  // Root-mean-square error relative to a float64 reference that tests hold it to, on unit-variance
  // operands.
  double tolerance;
  bool (*supports)(const ConvShape& shape, ConvPass pass);
  // Bytes of `prepared` weights (packed or transformed); 0 for backward_weights. Must not depend on
  // shape.batch.
  std::size_t (*prepared_bytes)(const ConvShape& shape, ConvPass pass);
  void (*prepare)(const ConvShape& shape, ConvPass pass, const float* weights, void* prepared);
  // Bytes of scratch that the pass needs with `threads` threads; must not decrease with batch.
  std::size_t (*workspace_bytes)(const ConvShape& shape, ConvPass pass, int threads);

  // Null if the algorithm cannot pool. All that can have one form of places.
  std::size_t (*places_bytes)(const ConvShape& shape);

  // The passes; null if no shape supports them.
  void (*forward)(const ConvShape& shape, const float* input, const void* prepared,
                  const ConvTail& tail, float* output, void* workspace);
  // relu_output: null, or the input if a ReLU wrote it. Then the gradient is the one before that
  // ReLU: 0 where the input is not positive.
  void (*backward_data)(const ConvShape& shape, const ConvGradient& output_gradient,
                        const void* prepared, const float* relu_output, float* input_gradient,
                        void* workspace);
  // Overwrites both gradients. bias_gradient may be null.
  void (*backward_weights)(const ConvShape& shape, const float* input,
                           const ConvGradient& output_gradient, float* weights_gradient,
                           float* bias_gradient, void* workspace);

  // Whether forward can pool and the backward passes take places: tiles and windows have to meet
  // alike in both directions.
  bool can_pool(const ConvShape& shape) const {
    return places_bytes != nullptr && shape.out_height % 2 == 0 && shape.out_width % 2 == 0 &&
           (shape.pad_top - shape.pad_left) % 2 == 0;
  }
};

// In the order in which one gives way to the next where it does not support a shape or pass; the
// last one supports all and is the oracle of the others.
std::span<const ConvAlgorithm> conv_algorithms();

// The row of that name. Throws UsageError that lists the names.
const ConvAlgorithm& conv_algorithm(std::string_view name);

// The algorithm that runs for this shape and pass on the ISA in use, and why, the first of:
// "forced" and "autotuned" (both by conv_selection()), "measured" (the committed table,
// src/kernels/conv2d_choices.cpp) or "rule" (fewest multiplications, for shapes that the table
// lacks). Unless forced, Winograd F(4x4) gives way to its lower-precision twin where the shape
// allows that: "precision". Never by thread count or batch: shape.batch is ignored.
struct ConvChoice {
  const ConvAlgorithm& algorithm;
  std::string_view reason;
};
ConvChoice explain_conv_algorithm(const ConvShape& shape, ConvPass pass);
const ConvAlgorithm& choose_conv_algorithm(const ConvShape& shape, ConvPass pass);

// The algorithm for one pass of a convolution of any batch with 3x3 kernels, stride 1 and padding
// that keeps the size.
struct TunedConv {
  ConvPass pass = ConvPass::forward;
  Index height = 1, width = 1, in_channels = 1, out_channels = 1;
  std::string algorithm{};

  ConvShape shape(Index batch) const;
  // Same pass and shape, but for batch and precision.
  bool applies_to(const ConvShape& shape, ConvPass pass) const;
  bool operator==(const TunedConv&) const = default;
};

// What comes before the committed table.
struct ConvSelection {
  // "auto", or forced: the algorithm of that name, or where it does not support the shape and pass,
  // the next one in conv_algorithms() that does.
  std::string algorithm = "auto";
  std::vector<TunedConv> tuned{};  // the first that applies

  bool operator==(const ConvSelection&) const = default;
};
// Throws UsageError: an unknown algorithm, one that does not support its pass and shape.
void validate(const ConvSelection& selection);

// Of the process; at first ConvSelection(). Setting it is not thread-safe, and weights prepared and
// workspaces sized before become invalid. Throws as validate, and then changes nothing.
const ConvSelection& conv_selection();
void set_conv_selection(ConvSelection selection);
// Changes ConvSelection::algorithm alone.
void set_conv_algorithm(std::string_view name);

// What packed weights and planned workspaces depend on beside shapes: the ISA and the selection, at
// first those in use.
struct KernelChoice {
  std::string_view isa = isa_name();
  ConvSelection selection = conv_selection();

  bool is_current() const { return isa == isa_name() && selection == conv_selection(); }
};

// Sets a selection while it lives, then sets the old one again.
class ScopedConvSelection {
 public:
  explicit ScopedConvSelection(ConvSelection selection) : before_(conv_selection()) {
    set_conv_selection(std::move(selection));
  }
  ~ScopedConvSelection() { set_conv_selection(std::move(before_)); }
  ScopedConvSelection(const ScopedConvSelection&) = delete;
  ScopedConvSelection& operator=(const ScopedConvSelection&) = delete;

 private:
  ConvSelection before_;
};

}  // namespace ferplus
