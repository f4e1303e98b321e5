// Gradients of the layers with parameters, at shapes of VGG13, against float64 on the same inputs.
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <ferplus/core/parallel.h>
#include <ferplus/kernels/cpu.h>
#include <ferplus/nn/layers.h>

#include "kernels/conv2d_reference.h"
#include "nn/layer_runner.h"

namespace ferplus {
namespace {

using Doubles = std::vector<double>;

// Within twice of what was measured on AVX-512, AVX2 and baseline.
constexpr double kBound = 3e-6;

// Of the input and of each parameter.
struct Gradients {
  Doubles input;
  std::vector<Doubles> parameters;
};

double relative_rms(std::span<const float> values, const Doubles& truth) {
  double error = 0, size = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    error += std::pow(static_cast<double>(values[i]) - truth[i], 2);
    size += truth[i] * truth[i];
  }
  return std::sqrt(error / size);
}

using Reference = std::function<Gradients(LayerRunner&, std::span<const float>)>;

void check(const std::function<std::unique_ptr<Layer>()>& make, const Shape& input,
           const Reference& reference) {
  const std::string isa_before(isa_name());
  for (std::string_view isa : supported_isas()) {
    set_isa(isa);
    SCOPED_TRACE(isa);
    LayerRunner layer(make(), input, Phase::training, 21);
    layer.forward();
    std::vector<float> output_gradient(count_of(layer.plan().output));
    fill_uniform(output_gradient, -1, 1, 22);
    layer.backward(output_gradient);
    const Gradients expected = reference(layer, output_gradient);
    double worst = relative_rms(layer.input_gradient(), expected.input);
    for (std::size_t i = 0; i < expected.parameters.size(); ++i) {
      worst = std::max(worst, relative_rms(layer.gradient(i), expected.parameters[i]));
    }
    ::testing::Test::RecordProperty("error_" + std::string(isa),
                                    std::to_string(worst * 1e9) + "e-9");
    EXPECT_LE(worst, kBound);
  }
  set_isa(isa_before);
}

std::vector<float> copy_of(std::span<const float> values) { return {values.begin(), values.end()}; }

void check_conv2d(Index batch, Index side, Index channels, Index filters) {
  check([&] { return make_conv2d({.filters = filters}); }, {batch, side, side, channels},
        [&](LayerRunner& layer, std::span<const float> output_gradient) {
          const ConvShape shape{.batch = batch,
                                .height = side,
                                .width = side,
                                .in_channels = channels,
                                .out_channels = filters,
                                .out_height = side,
                                .out_width = side};
          test::ConvReference r =
              test::conv2d_reference(shape, copy_of(layer.input()), copy_of(layer.parameter(0)),
                                     copy_of(layer.parameter(1)), copy_of(output_gradient));
          return Gradients{r.input_gradient, {r.weights_gradient, r.bias_gradient}};
        });
}

TEST(Float64GradientTest, OfConvolutions) {
  check_conv2d(1, 64, 1, 64);
  check_conv2d(1, 32, 128, 128);
  check_conv2d(3, 8, 256, 256);
}

TEST(Float64GradientTest, OfDense) {
  constexpr Index kImages = 16, kFeatures = 4096, kUnits = 512;
  check([] { return make_dense({.units = kUnits}); }, {kImages, kFeatures},
        [](LayerRunner& layer, std::span<const float> dy) {
          Gradients g{Doubles(kImages * kFeatures), {Doubles(kFeatures * kUnits), Doubles(kUnits)}};
          for (std::size_t n = 0; n < kImages; ++n) {
            for (std::size_t i = 0; i < kFeatures; ++i) {
              const double x = layer.input()[n * kFeatures + i];
              for (std::size_t k = 0; k < kUnits; ++k) {
                const double d = dy[n * kUnits + k];
                g.parameters[0][i * kUnits + k] += x * d;
                g.input[n * kFeatures + i] += layer.parameter(0)[i * kUnits + k] * d;
              }
            }
            for (std::size_t k = 0; k < kUnits; ++k) g.parameters[1][k] += dy[n * kUnits + k];
          }
          return g;
        });
}

// Ioffe and Szegedy 2015, section 3, with the mean of the batch over images and pixels.
TEST(Float64GradientTest, OfBatchNorm) {
  constexpr std::size_t kRows = 8 * 16 * 16, kChannels = 128;
  constexpr double kEpsilon = 1e-5;
  check([] { return make_batch_norm({}); }, {8, 16, 16, kChannels},
        [](LayerRunner& layer, std::span<const float> dy) {
          Gradients g{Doubles(kRows * kChannels), {Doubles(kChannels), Doubles(kChannels)}};
          for (std::size_t c = 0; c < kChannels; ++c) {
            const auto x = [&](std::size_t i) -> double {
              return layer.input()[i * kChannels + c];
            };
            const auto d = [&](std::size_t i) -> double { return dy[i * kChannels + c]; };
            double mean = 0, variance = 0;
            for (std::size_t i = 0; i < kRows; ++i) mean += x(i) / kRows;
            for (std::size_t i = 0; i < kRows; ++i) variance += std::pow(x(i) - mean, 2) / kRows;
            const double scale = 1 / std::sqrt(variance + kEpsilon);
            for (std::size_t i = 0; i < kRows; ++i) {
              g.parameters[0][c] += d(i) * (x(i) - mean) * scale;
              g.parameters[1][c] += d(i);
            }
            for (std::size_t i = 0; i < kRows; ++i) {
              const double normal = (x(i) - mean) * scale;
              g.input[i * kChannels + c] =
                  layer.parameter(0)[c] * scale *
                  (d(i) - g.parameters[1][c] / kRows - normal * g.parameters[0][c] / kRows);
            }
          }
          return g;
        });
}

}  // namespace
}  // namespace ferplus
