// Logits of vgg13 at its real size against the same network in float64, written out as the
// definition says.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <ferplus/core/parallel.h>
#include <ferplus/kernels/cpu.h>
#include <ferplus/nn/models.h>
#include <ferplus/nn/session.h>

#include "nn/layer_runner.h"

namespace ferplus {
namespace {

using Doubles = std::vector<double>;

struct Image {
  Index size, channels;
  Doubles values;  // [size, size, channels]
};

Image convolve(const Image& x, const float* weights, const float* bias, Index filters) {
  Image y{x.size, filters, Doubles(static_cast<std::size_t>(x.size * x.size * filters))};
  parallel_for(x.size, [&](Index i) {
    for (Index j = 0; j < x.size; ++j) {
      double* out = y.values.data() + (i * x.size + j) * filters;
      for (Index k = 0; k < filters; ++k) out[k] = static_cast<double>(bias[k]);
      for (Index r = 0; r < 3; ++r) {
        for (Index s = 0; s < 3; ++s) {
          const Index row = i + r - 1, column = j + s - 1;
          if (row < 0 || row >= x.size || column < 0 || column >= x.size) continue;
          for (Index c = 0; c < x.channels; ++c) {
            const double value =
                x.values[static_cast<std::size_t>((row * x.size + column) * x.channels + c)];
            const float* w = weights + ((r * 3 + s) * x.channels + c) * filters;
            for (Index k = 0; k < filters; ++k) out[k] += value * static_cast<double>(w[k]);
          }
        }
      }
      for (Index k = 0; k < filters; ++k) out[k] = std::max(out[k], 0.0);
    }
  });
  return y;
}

Image pool(const Image& x) {
  const Index size = x.size / 2;
  Image y{size, x.channels, {}};
  for (Index i = 0; i < size; ++i) {
    for (Index j = 0; j < size; ++j) {
      for (Index c = 0; c < x.channels; ++c) {
        const auto at = [&](Index row, Index column) {
          return x.values[static_cast<std::size_t>(
              ((2 * i + row) * x.size + 2 * j + column) * x.channels + c)];
        };
        y.values.push_back(std::max({at(0, 0), at(0, 1), at(1, 0), at(1, 1)}));
      }
    }
  }
  return y;
}

Doubles connect(const Doubles& x, const float* weights, const float* bias, Index units, bool relu) {
  Doubles y(bias, bias + units);
  for (std::size_t i = 0; i < x.size(); ++i) {
    for (std::size_t k = 0; k < y.size(); ++k) {
      y[k] += x[i] * static_cast<double>(weights[i * y.size() + k]);
    }
  }
  if (relu) std::ranges::transform(y, y.begin(), [](double v) { return std::max(v, 0.0); });
  return y;
}

TEST(Float64Test, LogitsOfVgg13) {
  // Within three times of what was measured on AVX-512, AVX2 and baseline.
  constexpr double kBound = 3e-6;
  const std::string isa_before(isa_name());
  const Network network = build_model("vgg13");
  Parameters parameters(network);
  initialize(network, parameters, Initialization::he_normal, 11);
  // Biases too: initialised ones are zero.
  for (const Network::Array& array : network.parameters()) {
    if (array.spec.shape.rank() != 1) continue;
    fill_uniform(parameters.values().subspan(array.offset,
                                             static_cast<std::size_t>(array.spec.shape.elements())),
                 -0.1f, 0.1f, array.offset);
  }
  std::vector<float> input(64 * 64);
  fill_uniform(input, -2, 2, 12);

  std::size_t next = 0;
  const auto take = [&] {
    return parameters.values().data() + network.parameters()[next++].offset;
  };
  Image image{64, 1, Doubles(input.begin(), input.end())};
  for (const auto& [filters, convolutions] : {std::pair{64, 2}, {128, 2}, {256, 3}, {256, 3}}) {
    for (int i = 0; i < convolutions; ++i) {
      const float* weights = take();
      image = convolve(image, weights, take(), filters);
    }
    image = pool(image);
  }
  Doubles expected = image.values;
  for (const Index units : {1024, 1024, 8}) {
    const float* weights = take();
    expected = connect(expected, weights, take(), units, units != 8);
  }
  ASSERT_EQ(next, network.parameters().size());

  for (std::string_view isa : supported_isas()) {
    set_isa(isa);
    const PreparedModel prepared(network, parameters);
    Session session(prepared, 1);
    std::ranges::copy(input, session.input(1).data);
    const ConstTensorView logits = session.forward(1, prepared);
    double error = 0, size = 0;
    for (std::size_t k = 0; k < expected.size(); ++k) {
      error += std::pow(static_cast<double>(logits.data[k]) - expected[k], 2);
      size += expected[k] * expected[k];
    }
    const double relative = std::sqrt(error / size);
    RecordProperty("error_" + std::string(isa), std::to_string(relative * 1e9) + "e-9");
    EXPECT_LE(relative, kBound) << isa;
  }
  set_isa(isa_before);
}

}  // namespace
}  // namespace ferplus
