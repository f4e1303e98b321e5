#include <algorithm>
#include <array>
#include <cmath>

#include <ferplus/core/buffer.h>
#include <ferplus/core/eigen.h>
#include <ferplus/core/error.h>
#include <ferplus/core/parallel.h>
#include <ferplus/nn/layers.h>

namespace ferplus {
namespace {

// Channels that one task sums at a time, on its stack.
constexpr Index kChannelBlock = 64;
// Rows (pixels) that are summed in float before they join a sum in double.
constexpr Index kFloatRows = 64;

// Two sums per channel over all pixels of the batch. add(row, channel, sum, second) adds a value's
// share to two float sums; these join in double per chunk and micro-batch, and the micro-batches in
// the fixed tree. parts has room for 2·channels doubles per micro-batch; the totals are left in
// parts[0 … channels) and parts[channels … 2·channels).
template <typename Add>
void sum_channels(Index batch, Index rows_per_image, Index channels, double* parts, Add add) {
  const Index blocks = (channels + kChannelBlock - 1) / kChannelBlock;
  parallel_for(micro_batches(batch) * blocks, [&](Index task) {
    const Index part = task / blocks, begin = task % blocks * kChannelBlock;
    const Index width = std::min(kChannelBlock, channels - begin);
    const Index first = part * kMicroBatch * rows_per_image;
    const Index last = std::min(batch, (part + 1) * kMicroBatch) * rows_per_image;
    double* totals = parts + part * 2 * channels + begin;
    std::fill_n(totals, width, 0.0);
    std::fill_n(totals + channels, width, 0.0);
    for (Index chunk = first; chunk < last; chunk += kFloatRows) {
      std::array<float, kChannelBlock> sums{}, seconds{};
      for (Index row = chunk; row < std::min(last, chunk + kFloatRows); ++row) {
        float* sum = sums.data();
        float* second = seconds.data();
        for (Index c = 0; c < width; ++c) add(row, begin + c, sum[c], second[c]);
      }
      for (Index c = 0; c < width; ++c) {
        totals[c] += sums[static_cast<std::size_t>(c)];
        totals[channels + c] += seconds[static_cast<std::size_t>(c)];
      }
    }
  });
  tree_combine(micro_batches(batch), [&](Index to, Index from) {
    for (Index c = 0; c < 2 * channels; ++c)
      parts[to * 2 * channels + c] += parts[from * 2 * channels + c];
  });
}

class BatchNorm final : public Layer {
 public:
  explicit BatchNorm(const BatchNormOptions& options) : options_(options) {
    if (!(options.momentum > 0 && options.momentum <= 1) || !(options.epsilon > 0)) {
      throw UsageError("batch-norm needs a momentum in (0, 1] and an epsilon above 0");
    }
  }

  std::string_view kind() const override { return "batch_norm"; }
  std::string describe() const override { return "batch_norm"; }

  LayerPlan plan(const Shape& input, Phase phase) const override {
    if (input.rank() < 2) throw Error("batch_norm needs channels");
    const Index channels = input[input.rank() - 1];
    LayerPlan plan;
    plan.output = input;
    plan.parameters = {{.name = "weight", .shape = {channels}, .initial = InitialValue::ones},
                       {.name = "bias", .shape = {channels}}};
    plan.state = {{.name = "running_mean", .shape = {channels}},
                  {.name = "running_var", .shape = {channels}, .initial = InitialValue::ones}};
    if (phase == Phase::training) {
      // Mean and 1/sqrt(var + epsilon) of the batch.
      plan.saved_bytes = static_cast<std::size_t>(2 * channels) * sizeof(float);
      plan.scratch_bytes =
          static_cast<std::size_t>(2 * channels * micro_batches(input[0])) * sizeof(double) +
          static_cast<std::size_t>(3 * channels) * sizeof(float);
    } else {
      plan.scratch_bytes = static_cast<std::size_t>(2 * channels) * sizeof(float);
    }
    return plan;
  }

  void forward(const ForwardArguments& a) const override {
    const auto input = as_matrix(a.input);
    const Index channels = input.cols();
    auto* mean = static_cast<float*>(a.phase == Phase::training ? a.saved : a.scratch);
    float* inverse_deviation = mean + channels;
    if (a.phase == Phase::training) {
      measure(a, mean, inverse_deviation);
    } else {
      for (Index c = 0; c < channels; ++c) {
        mean[c] = a.state[0].data[c];
        inverse_deviation[c] =
            1.0f / std::sqrt(a.state[1].data[c] + static_cast<float>(options_.epsilon));
      }
    }
    const float* weight = a.parameters[0].data;
    const float* bias = a.parameters[1].data;
    for_each_row(a.input, [&](Index row) {
      const float* x = a.input.data + row * channels;
      float* y = a.output.data + row * channels;
      for (Index c = 0; c < channels; ++c) {
        y[c] = (x[c] - mean[c]) * (inverse_deviation[c] * weight[c]) + bias[c];
      }
    });
  }

  void backward(const BackwardArguments& a) const override {
    const auto input = as_matrix(a.input);
    const Index channels = input.cols();
    const auto* mean = static_cast<const float*>(a.saved);
    const float* inverse_deviation = mean + channels;

    auto* parts = static_cast<double*>(a.scratch);
    const float* gradients = a.output_gradient.data;
    sum_channels(a.input.batch(), input.rows() / a.input.batch(), channels, parts,
                 [&](Index row, Index c, float& sum, float& product) {
                   const float gradient = gradients[row * channels + c];
                   sum += gradient;
                   product += gradient * (a.input.data[row * channels + c] - mean[c]);
                 });
    // dx = weight·d·(dy − mean(dy) − x̂·mean(dy·x̂)) with d = inverse_deviation and x̂ = (x − mean)·d
    // (Ioffe & Szegedy, section 3), as slope·dy − shift − curve·(x − mean).
    auto* slope = reinterpret_cast<float*>(parts + 2 * channels * micro_batches(a.input.batch()));
    float* shift = slope + channels;
    float* curve = shift + channels;
    const double count = static_cast<double>(input.rows());
    for (Index c = 0; c < channels; ++c) {
      const double sum = parts[c], product = parts[channels + c], d = inverse_deviation[c];
      a.parameter_gradients[0].data[c] = static_cast<float>(product * d);
      a.parameter_gradients[1].data[c] = static_cast<float>(sum);
      const double factor = a.parameters[0].data[c] * d;
      slope[c] = static_cast<float>(factor);
      shift[c] = static_cast<float>(factor * sum / count);
      curve[c] = static_cast<float>(factor * d * d * product / count);
    }
    if (!a.input_gradient) return;
    for_each_row(a.input, [&](Index row) {
      const float* x = a.input.data + row * channels;
      const float* dy = gradients + row * channels;
      float* dx = a.input_gradient.data + row * channels;
      for (Index c = 0; c < channels; ++c) {
        dx[c] = slope[c] * dy[c] - shift[c] - curve[c] * (x[c] - mean[c]);
      }
    });
  }

 private:
  // The batch's statistics, and the running ones moved towards them.
  void measure(const ForwardArguments& a, float* mean, float* inverse_deviation) const {
    const Index channels = a.input.shape[a.input.shape.rank() - 1];
    const Index rows = a.input.elements() / channels, rows_per_image = rows / a.input.batch();
    const double count = static_cast<double>(rows);
    auto* parts = static_cast<double*>(a.scratch);
    const float* input = a.input.data;
    sum_channels(a.input.batch(), rows_per_image, channels, parts,
                 [&](Index row, Index c, float& sum, float&) { sum += input[row * channels + c]; });
    for (Index c = 0; c < channels; ++c) mean[c] = static_cast<float>(parts[c] / count);
    sum_channels(a.input.batch(), rows_per_image, channels, parts,
                 [&](Index row, Index c, float& sum, float&) {
                   const float centred = input[row * channels + c] - mean[c];
                   sum += centred * centred;
                 });
    const auto momentum = static_cast<float>(options_.momentum);
    for (Index c = 0; c < channels; ++c) {
      const double squares = parts[c];
      inverse_deviation[c] =
          static_cast<float>(1.0 / std::sqrt(squares / count + options_.epsilon));
      float& running_mean = a.state[0].data[c];
      float& running_var = a.state[1].data[c];
      running_mean += momentum * (mean[c] - running_mean);
      running_var +=
          momentum * (static_cast<float>(squares / std::max(count - 1, 1.0)) - running_var);
    }
  }

  template <typename Body>
  static void for_each_row(ConstTensorView tensor, Body body) {
    const Index rows = as_matrix(tensor).rows() / tensor.batch();
    parallel_for(tensor.batch(), [&](Index n) {
      for (Index row = n * rows; row < (n + 1) * rows; ++row) body(row);
    });
  }

  BatchNormOptions options_;
};

}  // namespace

std::unique_ptr<Layer> make_batch_norm(const BatchNormOptions& options) {
  return std::make_unique<BatchNorm>(options);
}

}  // namespace ferplus
