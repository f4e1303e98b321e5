#include <cassert>
#include <cmath>

#include <ferplus/data/face_quality.h>

namespace ferplus {
namespace {

// Mean and variance of whole numbers, exact until the last step.
struct Moments {
  std::int64_t count = 0, sum = 0, squares = 0;

  void add(int value) {
    ++count;
    sum += value;
    squares += std::int64_t{value} * value;
  }
  double mean() const { return static_cast<double>(sum) / static_cast<double>(count); }
  double variance() const {
    return static_cast<double>(count * squares - sum * sum) / static_cast<double>(count) /
           static_cast<double>(count);
  }
};

}  // namespace

FaceQuality measure_quality(std::span<const std::uint8_t> face) {
  assert(face.size() == kInputPixels);
  constexpr std::size_t kSide = kInputSide;
  Moments gray, laplacian;
  std::int64_t clipped = 0;
  for (const std::uint8_t pixel : face) {
    gray.add(pixel);
    clipped += pixel == 0 || pixel == 255 ? 1 : 0;
  }
  for (std::size_t y = 1; y + 1 < kSide; ++y) {
    for (std::size_t x = 1; x + 1 < kSide; ++x) {
      const std::size_t i = y * kSide + x;
      laplacian.add(face[i - kSide] + face[i - 1] + face[i + 1] + face[i + kSide] - 4 * face[i]);
    }
  }
  return {.laplacian_variance = laplacian.variance(),
          .contrast = std::sqrt(gray.variance()),
          .brightness = gray.mean(),
          .clipped = static_cast<double>(clipped) / kInputPixels};
}

}  // namespace ferplus
