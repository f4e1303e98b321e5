// The layers of VGG13 as benchmarks see them.
#pragma once

#include <array>
#include <string_view>

#include <ferplus/kernels/conv2d.h>

namespace ferplus::bench {

struct ConvLayer {
  std::string_view name;
  Index size, in_channels, out_channels;

  ConvShape shape(Index batch) const {
    return {.batch = batch,
            .height = size,
            .width = size,
            .in_channels = in_channels,
            .out_channels = out_channels,
            .out_height = size,
            .out_width = size};
  }
};
// conv4_* have one shape.
inline constexpr std::array<ConvLayer, 8> kConvLayers{{{"conv1_1", 64, 1, 64},
                                                       {"conv1_2", 64, 64, 64},
                                                       {"conv2_1", 32, 64, 128},
                                                       {"conv2_2", 32, 128, 128},
                                                       {"conv3_1", 16, 128, 256},
                                                       {"conv3_2", 16, 256, 256},
                                                       {"conv3_3", 16, 256, 256},
                                                       {"conv4_1", 8, 256, 256}}};

struct DenseLayer {
  std::string_view name;
  Index inputs, outputs;
};
inline constexpr std::array<DenseLayer, 3> kDenseLayers{
    {{"dense1", 4096, 1024}, {"dense2", 1024, 1024}, {"dense3", 1024, 8}}};

}  // namespace ferplus::bench
