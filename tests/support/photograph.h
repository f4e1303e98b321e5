// Photographs for tests: drawn faces (data/synth.h), enlarged and set into a gray wall. No
// photographs of people are in the repository.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include <ferplus/data/synth.h>
#include <ferplus/io/image.h>

namespace ferplus {

inline constexpr int kDrawnSide = 48;

// Sets face number `index` of `drawn` into `photograph`, `factor` times as large (bilinear), its 48
// pixels from (left, top) on, with 16 of them of repeated edge around it.
inline void set_face(GrayImage& photograph, const Dataset& drawn, std::size_t index, int left,
                     int top, double factor) {
  const ImageView face = drawn.image(drawn.samples[index]);
  const auto pixel = [&](int x, int y) {
    return static_cast<double>(face.pixels[std::clamp(y, 0, kDrawnSide - 1) * kDrawnSide +
                                           std::clamp(x, 0, kDrawnSide - 1)]);
  };
  const int border = static_cast<int>(16 * factor), side = static_cast<int>(kDrawnSide * factor);
  for (int y = -border; y < side + border; ++y) {
    for (int x = -border; x < side + border; ++x) {
      const int to_x = left + x, to_y = top + y;
      if (to_x < 0 || to_y < 0 || to_x >= photograph.width || to_y >= photograph.height) continue;
      const double from_x = std::clamp((x + 0.5) / factor - 0.5, 0.0, kDrawnSide - 1.0);
      const double from_y = std::clamp((y + 0.5) / factor - 0.5, 0.0, kDrawnSide - 1.0);
      const int x0 = static_cast<int>(from_x), y0 = static_cast<int>(from_y);
      const double part_x = from_x - x0, part_y = from_y - y0;
      const double value =
          (1 - part_y) * ((1 - part_x) * pixel(x0, y0) + part_x * pixel(x0 + 1, y0)) +
          part_y * ((1 - part_x) * pixel(x0, y0 + 1) + part_x * pixel(x0 + 1, y0 + 1));
      photograph
          .pixels[static_cast<std::size_t>(to_y) * static_cast<std::size_t>(photograph.width) +
                  static_cast<std::size_t>(to_x)] = static_cast<std::uint8_t>(value + 0.5);
    }
  }
}

inline GrayImage gray_wall(int width, int height) {
  return {std::vector<std::uint8_t>(
              static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 128),
          width, height};
}

}  // namespace ferplus
