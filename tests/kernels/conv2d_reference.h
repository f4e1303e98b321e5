// The definition of the three passes in ferplus/kernels/conv2d.h, as loops in double.
#pragma once

#include <algorithm>
#include <ostream>
#include <vector>

#include <ferplus/kernels/conv2d.h>

namespace ferplus {

inline void PrintTo(const ConvShape& s, std::ostream* out) {
  *out << s.batch << 'x' << s.height << 'x' << s.width << 'x' << s.in_channels << " kernel "
       << s.kernel_height << 'x' << s.kernel_width << " stride " << s.stride << " pad " << s.pad_top
       << ',' << s.pad_left << " -> " << s.out_height << 'x' << s.out_width << 'x'
       << s.out_channels;
}

}  // namespace ferplus

namespace ferplus::test {

struct ConvReference {
  std::vector<double> output, input_gradient, weights_gradient, bias_gradient;
  double multiply_adds = 0.0;  // of each pass, without those of the padding

  // Products in the sum of one of `results`, on average; 1 if there are fewer.
  double terms(const std::vector<double>& results) const {
    return std::max(1.0, multiply_adds / static_cast<double>(results.size()));
  }
};

// All passes at once. The output is without ReLU.
inline ConvReference conv2d_reference(const ConvShape& s, const std::vector<float>& input,
                                      const std::vector<float>& weights,
                                      const std::vector<float>& bias,
                                      const std::vector<float>& output_gradient) {
  const auto size = [](Index count) { return static_cast<std::size_t>(count); };
  ConvReference result{
      std::vector<double>(size(s.output_size())), std::vector<double>(size(s.input_size())),
      std::vector<double>(size(s.weights_size())), std::vector<double>(size(s.out_channels)), 0.0};
  for (Index n = 0; n < s.batch; ++n) {
    for (Index y = 0; y < s.out_height; ++y) {
      for (Index x = 0; x < s.out_width; ++x) {
        const Index pixel = ((n * s.out_height + y) * s.out_width + x) * s.out_channels;
        for (Index k = 0; k < s.out_channels; ++k) {
          result.output[size(pixel + k)] = bias[size(k)];
          result.bias_gradient[size(k)] += output_gradient[size(pixel + k)];
        }
        for (Index r = 0; r < s.kernel_height; ++r) {
          const Index source_y = y * s.stride + r - s.pad_top;
          if (source_y < 0 || source_y >= s.height) continue;
          for (Index q = 0; q < s.kernel_width; ++q) {
            const Index source_x = x * s.stride + q - s.pad_left;
            if (source_x < 0 || source_x >= s.width) continue;
            const Index source = ((n * s.height + source_y) * s.width + source_x) * s.in_channels;
            const Index tap = (r * s.kernel_width + q) * s.in_channels;
            result.multiply_adds += static_cast<double>(s.in_channels * s.out_channels);
            for (Index c = 0; c < s.in_channels; ++c) {
              const double value = input[size(source + c)];
              double& gradient = result.input_gradient[size(source + c)];
              const Index weight = (tap + c) * s.out_channels;
              for (Index k = 0; k < s.out_channels; ++k) {
                const double w = weights[size(weight + k)];
                const double g = output_gradient[size(pixel + k)];
                result.output[size(pixel + k)] += value * w;
                gradient += g * w;
                result.weights_gradient[size(weight + k)] += value * g;
              }
            }
          }
        }
      }
    }
  }
  return result;
}

}  // namespace ferplus::test
