#include <algorithm>
#include <cmath>

#include <ferplus/core/buffer.h>
#include <ferplus/core/error.h>
#include <ferplus/core/parallel.h>
#include <ferplus/kernels/elementwise.h>
#include <ferplus/nn/layers.h>

namespace ferplus {
namespace {

// Rows (pixels) that are summed in float before they join a sum in double.
constexpr Index kFloatRows = 64;

// What is worked on: `images` of `rows` pixels each, `channels` values a pixel.
struct Extent {
  explicit Extent(const Shape& shape)
      : images(shape[0]),
        channels(shape[shape.rank() - 1]),
        rows(images == 0 ? 0 : shape.elements() / images / channels),
        width(shape.rank() == 4 ? shape[2] : 1) {}
  double count() const { return static_cast<double>(images * rows); }

  Index images, channels, rows;
  Index width;  // pixels of an image row
};

std::size_t floats(Index count) {
  return align_up(static_cast<std::size_t>(count) * sizeof(float));
}

class BatchNorm final : public Layer {
 public:
  explicit BatchNorm(const BatchNormOptions& options) : options_(options) {
    if (!(options.momentum > 0 && options.momentum <= 1) || !(options.epsilon > 0)) {
      throw UsageError("batch-norm needs a momentum in (0, 1] and an epsilon above 0");
    }
  }

  std::string_view kind() const override { return "batch_norm"; }
  LayerOptions options() const override { return options_; }
  std::string describe() const override {
    return concat("batch_norm", options_.tail.relu ? ", relu" : "",
                  options_.tail.pool ? ", max_pool 2x2" : "");
  }
  std::unique_ptr<Layer> with_tail(const Tail& tail, const Shape& input) const override {
    const bool whole_windows = input.rank() == 4 && input[1] % 2 == 0 && input[2] % 2 == 0;
    if (options_.tail.relu || options_.tail.pool || (tail.pool && !whole_windows)) return nullptr;
    BatchNormOptions options = options_;
    options.tail = tail;
    return make_batch_norm(options);
  }

  LayerPlan plan(const Shape& input, Phase phase) const override {
    if (input.rank() < 2) throw Error("batch_norm needs channels");
    if (options_.tail.pool && (input.rank() != 4 || input[1] % 2 != 0 || input[2] % 2 != 0)) {
      throw Error(concat("batch_norm with max_pool cannot take an input of ", input.to_string()));
    }
    const Extent extent(input);
    const Index channels = extent.channels;
    LayerPlan plan;
    plan.output = input;
    if (options_.tail.pool) plan.output = {input[0], input[1] / 2, input[2] / 2, input[3]};
    plan.parameters = {{.name = "weight",
                        .shape = {channels},
                        .initial = InitialValue::constant,
                        .constant = options_.initial_weight},
                       {.name = "bias", .shape = {channels}}};
    plan.state = {{.name = "running_mean", .shape = {channels}},
                  {.name = "running_var", .shape = {channels}, .initial = InitialValue::constant}};
    // Mean and 1/sqrt(var + epsilon) of the batch.
    if (phase == Phase::training) plan.saved_bytes = 2 * floats(channels);
    plan.scratch_bytes = Scratch(nullptr, extent, options_.tail).bytes();
    return plan;
  }

  void forward(const ForwardArguments& a) const override {
    const Extent extent(a.input.shape);
    const Scratch scratch(a.scratch, extent, options_.tail);
    const bool training = a.phase == Phase::training;
    float* mean = training ? static_cast<float*>(a.saved) : scratch.coefficients(0);
    float* inverse_deviation = mean + floats(extent.channels) / sizeof(float);
    if (training) {
      measure(a, extent, scratch, mean, inverse_deviation);
    } else {
      for (Index c = 0; c < extent.channels; ++c) {
        mean[c] = a.state[0].data[c];
        inverse_deviation[c] =
            1.0f / std::sqrt(a.state[1].data[c] + static_cast<float>(options_.epsilon));
      }
    }
    const ChannelAffine affine =
        affine_of(extent, a.parameters, mean, inverse_deviation, scratch.coefficients(2));
    parallel_for(extent.images, [&](Index n) {
      const float* x = a.input.image(n);
      float* y = a.output.image(n);
      if (!options_.tail.pool) {
        elementwise().affine(extent.rows, extent.channels, x, &affine, y);
        return;
      }
      const Index pair = 2 * extent.width * extent.channels;
      for (Index i = 0; i < extent.rows / (2 * extent.width); ++i, x += pair, y += pair / 4) {
        elementwise().affine(2 * extent.width, extent.channels, x, &affine, scratch.rows(0));
        elementwise().pool(extent.width / 2, extent.channels, scratch.rows(0), pair / 2, false, y);
      }
    });
  }

  void backward(const BackwardArguments& a) const override {
    const Extent extent(a.input.shape);
    const Index channels = extent.channels;
    const Scratch scratch(a.scratch, extent, options_.tail);
    const auto* mean = static_cast<const float*>(a.saved);
    const float* inverse_deviation = mean + floats(channels) / sizeof(float);
    const ChannelAffine affine =
        affine_of(extent, a.parameters, mean, inverse_deviation, scratch.coefficients(2));

    sum_over_batch(extent, scratch, [&](Index n, double* totals) {
      for_gradient_rows(
          a, extent, scratch, affine, n, [&](Index rows, const float* x, const float* dy, float*) {
            add_in_chunks(extent, scratch, rows, totals, [&](Index first, Index count) {
              elementwise().affine_gradient_sums(count, channels, x + first * channels,
                                                 dy + first * channels, &affine, scratch.chunk(0),
                                                 scratch.chunk(1));
            });
          });
    });
    // dx = weight·d·(dy − mean(dy) − x̂·mean(dy·x̂)) with d = inverse_deviation and x̂ = (x − mean)·d
    // (Ioffe & Szegedy, section 3), as slope·dy − shift − curve·(x − mean).
    const double* totals = scratch.totals(0);
    float* slope = scratch.coefficients(3);
    float* shift = scratch.coefficients(4);
    float* curve = scratch.coefficients(5);
    for (Index c = 0; c < channels; ++c) {
      const double sum = totals[c], product = totals[channels + c], d = inverse_deviation[c];
      a.parameter_gradients[0].data[c] = static_cast<float>(product * d);
      a.parameter_gradients[1].data[c] = static_cast<float>(sum);
      const double factor = a.parameters[0].data[c] * d;
      slope[c] = static_cast<float>(factor);
      shift[c] = static_cast<float>(factor * sum / extent.count());
      curve[c] = static_cast<float>(factor * d * d * product / extent.count());
    }
    if (!a.input_gradient) return;
    parallel_for(extent.images, [&](Index n) {
      for_gradient_rows(a, extent, scratch, affine, n,
                        [&](Index rows, const float* x, const float* dy, float* dx) {
                          elementwise().affine_gradient(rows, channels, x, dy, &affine, slope,
                                                        shift, curve, dx);
                        });
    });
  }

 private:
  // Cuts the layer's scratch memory: per-channel coefficients, two sums per image, and for each
  // thread a chunk's sums and, with pooling, two pairs of image rows.
  class Scratch {
   public:
    Scratch(void* memory, const Extent& extent, const Tail& tail)
        : memory_(static_cast<std::byte*>(memory)),
          channels_(extent.channels),
          coefficient_bytes_(floats(extent.channels)),
          totals_at_(6 * coefficient_bytes_),
          threads_at_(totals_at_ +
                      align_up(static_cast<std::size_t>(2 * extent.images * extent.channels) *
                               sizeof(double))),
          row_bytes_(tail.pool ? floats(2 * extent.width * extent.channels) : 0),
          thread_bytes_(2 * coefficient_bytes_ + 2 * row_bytes_) {}

    std::size_t bytes() const {
      return threads_at_ + static_cast<std::size_t>(thread_count()) * thread_bytes_;
    }
    float* coefficients(std::size_t i) const { return floats_at(i * coefficient_bytes_); }
    // The two sums of image n.
    double* totals(Index n) const {
      return reinterpret_cast<double*>(memory_ + totals_at_) + 2 * n * channels_;
    }
    // Of the calling thread.
    float* chunk(std::size_t i) const { return floats_at(thread_at() + i * coefficient_bytes_); }
    float* rows(std::size_t i) const {
      return floats_at(thread_at() + 2 * coefficient_bytes_ + i * row_bytes_);
    }

   private:
    float* floats_at(std::size_t offset) const {
      return reinterpret_cast<float*>(memory_ + offset);
    }
    std::size_t thread_at() const {
      return threads_at_ + static_cast<std::size_t>(thread_index()) * thread_bytes_;
    }

    std::byte* memory_;
    Index channels_;
    std::size_t coefficient_bytes_, totals_at_, threads_at_, row_bytes_, thread_bytes_;
  };

  ChannelAffine affine_of(const Extent& extent, std::span<const ConstTensorView> parameters,
                          const float* mean, const float* inverse_deviation, float* scale) const {
    for (Index c = 0; c < extent.channels; ++c) {
      scale[c] = inverse_deviation[c] * parameters[0].data[c];
    }
    return {.mean = mean, .scale = scale, .bias = parameters[1].data, .relu = options_.tail.relu};
  }

  // The batch's statistics, and the running ones moved towards them.
  void measure(const ForwardArguments& a, const Extent& extent, const Scratch& scratch, float* mean,
               float* inverse_deviation) const {
    const Index channels = extent.channels;
    // Squares are taken about the mean of the first image, so that nothing cancels.
    float* origin = scratch.coefficients(2);
    std::fill_n(origin, channels, 0.0f);
    const auto add_image = [&](Index n, double* totals) {
      add_in_chunks(extent, scratch, extent.rows, totals, [&](Index first, Index count) {
        elementwise().moments(count, channels, a.input.image(n) + first * channels, origin,
                              scratch.chunk(0), scratch.chunk(1));
      });
    };
    double* totals = scratch.totals(0);
    std::fill_n(totals, 2 * channels, 0.0);
    add_image(0, totals);
    for (Index c = 0; c < channels; ++c) {
      origin[c] = static_cast<float>(totals[c] / static_cast<double>(extent.rows));
    }
    sum_over_batch(extent, scratch, add_image);
    const double count = extent.count();
    const auto momentum = static_cast<float>(options_.momentum);
    for (Index c = 0; c < channels; ++c) {
      const double offset = totals[c] / count;
      const double squares = std::max(totals[channels + c] - offset * totals[c], 0.0);
      mean[c] = static_cast<float>(origin[c] + offset);
      inverse_deviation[c] =
          static_cast<float>(1.0 / std::sqrt(squares / count + options_.epsilon));
      if (extent.images * extent.rows == 1) continue;  // one value has no variance to learn from
      float& running_mean = a.state[0].data[c];
      float& running_var = a.state[1].data[c];
      running_mean += momentum * (mean[c] - running_mean);
      running_var +=
          momentum * (static_cast<float>(squares / std::max(count - 1, 1.0)) - running_var);
    }
  }

  // Two sums per channel over the batch, left in scratch.totals(0): add_image(n, totals) adds those
  // of image n; images of a micro-batch join in order, micro-batches in the fixed tree.
  template <typename AddImage>
  static void sum_over_batch(const Extent& extent, const Scratch& scratch, AddImage add_image) {
    parallel_for(extent.images, [&](Index n) {
      std::fill_n(scratch.totals(n), 2 * extent.channels, 0.0);
      add_image(n, scratch.totals(n));
    });
    tree_combine(extent.images, kMicroBatch, [&](Index to, Index from) {
      for (Index i = 0; i < 2 * extent.channels; ++i)
        scratch.totals(to)[i] += scratch.totals(from)[i];
    });
  }

  // chunk(first, count) leaves two float sums of `count` rows in scratch.chunk.
  template <typename Chunk>
  static void add_in_chunks(const Extent& extent, const Scratch& scratch, Index rows,
                            double* totals, Chunk chunk) {
    for (Index first = 0; first < rows; first += kFloatRows) {
      chunk(first, std::min(kFloatRows, rows - first));
      for (Index c = 0; c < extent.channels; ++c) {
        totals[c] += static_cast<double>(scratch.chunk(0)[c]);
        totals[extent.channels + c] += static_cast<double>(scratch.chunk(1)[c]);
      }
    }
  }

  // Calls body(rows, x, dy, dx) for the pixels of image n, dy being what reaches the normalised
  // values: with pooling, two image rows at a time, dy in scratch memory.
  template <typename Body>
  void for_gradient_rows(const BackwardArguments& a, const Extent& extent, const Scratch& scratch,
                         const ChannelAffine& affine, Index n, Body body) const {
    const float* x = a.input.image(n);
    const float* dy = a.output_gradient.image(n);
    float* dx = a.input_gradient ? a.input_gradient.image(n) : nullptr;
    if (!options_.tail.pool) {
      body(extent.rows, x, dy, dx);
      return;
    }
    const Index pair = 2 * extent.width * extent.channels;
    for (Index i = 0; i < extent.rows / (2 * extent.width); ++i) {
      elementwise().affine(2 * extent.width, extent.channels, x + i * pair, &affine,
                           scratch.rows(0));
      elementwise().pool_gradient(extent.width / 2, extent.channels, scratch.rows(0), pair / 2,
                                  options_.tail.relu, dy + i * pair / 4, scratch.rows(1));
      body(2 * extent.width, x + i * pair, scratch.rows(1), dx == nullptr ? dx : dx + i * pair);
    }
  }

  BatchNormOptions options_;
};

}  // namespace

std::unique_ptr<Layer> make_batch_norm(const BatchNormOptions& options) {
  return std::make_unique<BatchNorm>(options);
}

}  // namespace ferplus
