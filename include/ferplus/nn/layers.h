// The layers, written by hand in src/nn/<layer>.cpp. To add one: its file, its options and factory
// here, its row in layer_kinds() and a case in tests/nn/gradient_test.cpp.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include <ferplus/nn/layer.h>

namespace ferplus {

// Cross-correlation with zero padding: [N, H, W, C] → [N, H', W', filters], H' = ceil(H / stride)
// ("same" padding, the smaller half before). Parameters: weight [R, S, C, filters], bias [filters].
struct Conv2dOptions {
  Index filters = 1;
  Index kernel = 3;
  Index stride = 1;
  bool bias = true;  // false before batch-norm, which would cancel it
  Tail tail{};       // 2x2 pooling needs an algorithm that can
  Precision precision = Precision::fp32;
};
std::unique_ptr<Layer> make_conv2d(const Conv2dOptions& options);

// Largest value of each window, [N, H, W, C] → [N, H', W', C], H' = (H - size) / stride + 1, no
// padding. Ties go to the first in row-major order, and so does the gradient. REQUIRES: size ≤ 15.
struct MaxPoolOptions {
  Index size = 2;
  Index stride = 2;
  bool relu = false;  // negative results become 0
};
std::unique_ptr<Layer> make_max_pool(const MaxPoolOptions& options);

// y = x·weight + bias; input of any rank is flattened: [N, …] → [N, units].
// Parameters: weight [inputs, units], bias [units].
struct DenseOptions {
  Index units = 1;
  bool bias = true;  // false before batch-norm, which would cancel it
  Precision precision = Precision::fp32;
};
std::unique_ptr<Layer> make_dense(const DenseOptions& options);

// max(x, 0), in place. Its backward needs the sign pattern of the output only, so layers after it
// may scale the output in place by non-negative factors (dropout).
std::unique_ptr<Layer> make_relu();

// Inverted dropout (Srivastava et al. 2014), in place: in training each value is zeroed with
// probability `rate` or else divided by 1 - rate. The mask is drawn from the counter-based
// generator keyed by (seed, dropout + stream, epoch, sample) and kept as bits for backward. The
// rate is rounded to 1/65536.
struct DropoutOptions {
  double rate = 0.5;    // in [0, 1)
  unsigned stream = 0;  // distinct for each dropout layer of a network
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
};
std::unique_ptr<Layer> make_batch_norm(const BatchNormOptions& options);

// The kinds above, for tests that must not miss one.
std::span<const std::string_view> layer_kinds();

}  // namespace ferplus
