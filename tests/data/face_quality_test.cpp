#include <cmath>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include <ferplus/data/face_quality.h>

namespace ferplus {
namespace {

FaceQuality of(std::uint8_t (*gray)(int x, int y)) {
  std::vector<std::uint8_t> face;
  for (int y = 0; y < kInputSide; ++y) {
    for (int x = 0; x < kInputSide; ++x) face.push_back(gray(x, y));
  }
  return measure_quality(face);
}

TEST(FaceQuality, ConstantFacesHaveNothing) {
  const FaceQuality quality = of([](int, int) -> std::uint8_t { return 77; });
  EXPECT_EQ(quality.laplacian_variance, 0);
  EXPECT_EQ(quality.contrast, 0);
  EXPECT_EQ(quality.brightness, 77);
  EXPECT_EQ(quality.clipped, 0);
  EXPECT_EQ(quality.sharpness(), 0);
}

TEST(FaceQuality, ChequersAreAsSharpAsCanBe) {
  const FaceQuality quality =
      of([](int x, int y) -> std::uint8_t { return (x + y) % 2 == 0 ? 100 : 110; });
  // Laplacian ±40, half of each; contrast 5.
  EXPECT_DOUBLE_EQ(quality.laplacian_variance, 1600);
  EXPECT_DOUBLE_EQ(quality.contrast, 5);
  EXPECT_DOUBLE_EQ(quality.sharpness(), 64);
  EXPECT_DOUBLE_EQ(quality.brightness, 105);
}

TEST(FaceQuality, RampsHaveContrastAndNoEdges) {
  const FaceQuality quality =
      of([](int x, int y) -> std::uint8_t { return static_cast<std::uint8_t>(2 * x + y); });
  EXPECT_EQ(quality.laplacian_variance, 0);
  // Var of 2x + y, both uniform on 64 values.
  EXPECT_NEAR(quality.contrast, std::sqrt(5 * (64 * 64 - 1) / 12.0), 1e-12);
}

TEST(FaceQuality, CountsPureBlackAndWhite) {
  const FaceQuality quality = of([](int x, int) -> std::uint8_t {
    return x < 8 ? 0 : x < 16 ? 255 : x < 32 ? 1 : 254;
  });
  EXPECT_DOUBLE_EQ(quality.clipped, 0.25);
}

// Whatever its brightness and contrast, the same picture is as sharp.
TEST(FaceQuality, SharpnessDoesNotDependOnContrast) {
  const FaceQuality faint = of([](int x, int y) -> std::uint8_t {
    return static_cast<std::uint8_t>(40 + (x * x + 3 * y) % 17);
  });
  const FaceQuality strong = of([](int x, int y) -> std::uint8_t {
    return static_cast<std::uint8_t>(9 + 12 * ((x * x + 3 * y) % 17));
  });
  EXPECT_NEAR(faint.sharpness(), strong.sharpness(), 1e-9);
  EXPECT_NEAR(strong.contrast, 12 * faint.contrast, 1e-9);
}

}  // namespace
}  // namespace ferplus
