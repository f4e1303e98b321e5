// The layers, written by hand in src/nn/<layer>.cpp. To add one: its file, its options and factory
// here, its place in LayerOptions, its row in layer_kinds(), its fields in architecture.cpp and a
// case in tests/nn/gradient_test.cpp.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

#include <ferplus/nn/layer.h>

namespace ferplus {

// Rows and columns around an image.
struct Padding {
  Index top = 0, left = 0, bottom = 0, right = 0;
  bool operator==(const Padding&) const = default;
};

// Every make_… throws UsageError for options that no such layer has: a size, stride or count below
// 1, a rate outside its range.

// Cross-correlation with zero padding: [N, H, W, C] → [N, H', W', filters], H' = ceil(H / stride)
// ("same" padding, the smaller half before), or with a padding given, each side below `kernel`,
// H' = (H + top + bottom - kernel) / stride + 1.
// Parameters: weight [R, S, C, filters], bias [filters].
struct Conv2dOptions {
  Index filters = 1;
  Index kernel = 3;
  Index stride = 1;
  bool bias = true;                  // false before batch-norm, which would cancel it
  Tail tail{};                       // 2x2 pooling needs an algorithm that can
  std::optional<Padding> padding{};  // unset: same
  Precision precision = Precision::fp32;
  bool operator==(const Conv2dOptions&) const = default;
};
std::unique_ptr<Layer> make_conv2d(const Conv2dOptions& options);

// Largest value of each window, [N, H, W, C] → [N, H', W', C],
// H' = (H + top + bottom - size) / stride + 1; padding, each side below `size`, never is the
// largest. Ties go to the first in row-major order, and so does the gradient. size is at most 15.
struct MaxPoolOptions {
  Index size = 2;
  Index stride = 2;
  bool relu = false;  // negative results become 0
  Padding padding{};
  bool operator==(const MaxPoolOptions&) const = default;
};
std::unique_ptr<Layer> make_max_pool(const MaxPoolOptions& options);

// Mean of each window of height × width, sizes as for max-pooling. Padding, each side below the
// window's, counts as zeros if `count_padding`, else not at all.
struct AveragePoolOptions {
  Index height = 2, width = 2;
  Index stride = 2;
  Padding padding{};
  bool count_padding = false;
  bool operator==(const AveragePoolOptions&) const = default;
};
std::unique_ptr<Layer> make_average_pool(const AveragePoolOptions& options);

// y = x·weight + bias; input of any rank is flattened: [N, …] → [N, units].
// Parameters: weight [inputs, units], bias [units].
struct DenseOptions {
  Index units = 1;
  bool bias = true;  // false before batch-norm, which would cancel it
  Precision precision = Precision::fp32;
  bool operator==(const DenseOptions&) const = default;
};
std::unique_ptr<Layer> make_dense(const DenseOptions& options);

// max(x, 0), in place. Its backward needs the sign pattern of the output only, so layers after it
// may scale the output in place by non-negative factors (dropout).
struct ReluOptions {
  bool operator==(const ReluOptions&) const = default;
};
std::unique_ptr<Layer> make_relu();

// Inverted dropout (Srivastava et al. 2014), in place: in training each value is zeroed with
// probability `rate` or else divided by 1 - rate. The mask is drawn from the counter-based
// generator keyed by (seed, dropout + stream, epoch, sample) and kept as bits for backward. The
// rate is rounded to 1/65536.
struct DropoutOptions {
  double rate = 0.5;    // in [0, 1)
  unsigned stream = 0;  // distinct for each dropout layer of a network
  bool operator==(const DropoutOptions&) const = default;
};
std::unique_ptr<Layer> make_dropout(const DropoutOptions& options);

// Ioffe & Szegedy 2015, over batch, rows and columns: y = weight·(x - mean)/sqrt(var + epsilon) +
// bias. Training uses the batch's mean and biased variance and moves running_mean and running_var
// (unbiased) by `momentum` towards them, unless the batch has a single value; inference uses those.
// All four are [C].
struct BatchNormOptions {
  double momentum = 0.1;
  double epsilon = 1e-5;
  double initial_weight = 1;
  Tail tail{};  // the pooling needs images of even height and width
  bool operator==(const BatchNormOptions&) const = default;
};
std::unique_ptr<Layer> make_batch_norm(const BatchNormOptions& options);

// The options of any layer.
struct LayerOptions : std::variant<Conv2dOptions, MaxPoolOptions, AveragePoolOptions, DenseOptions,
                                   ReluOptions, DropoutOptions, BatchNormOptions> {
  using variant::variant;
};
// Throws UsageError as the factories do.
std::unique_ptr<Layer> make_layer(const LayerOptions& options);

// The kinds above, for tests that must not miss one.
std::span<const std::string_view> layer_kinds();

}  // namespace ferplus
