#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include <ferplus/detect/face_detector.h>
#include <ferplus/detect/tilt.h>

#include "support/photograph.h"

namespace ferplus {
namespace {

constexpr int kSide = 400;

// Clockwise as the viewer sees it.
GrayImage turned(const GrayImage& image, double degrees) {
  GrayImage result = gray_wall(kSide, kSide);
  const double angle = degrees * std::numbers::pi / 180, middle = (kSide - 1) / 2.0;
  for (int y = 0; y < kSide; ++y) {
    for (int x = 0; x < kSide; ++x) {
      const long from_x =
          std::lround(middle + std::cos(angle) * (x - middle) + std::sin(angle) * (y - middle));
      const long from_y =
          std::lround(middle - std::sin(angle) * (x - middle) + std::cos(angle) * (y - middle));
      if (from_x < 0 || from_y < 0 || from_x >= kSide || from_y >= kSide) continue;
      result.pixels[static_cast<std::size_t>(y * kSide + x)] =
          image.pixels[static_cast<std::size_t>(from_y * kSide + from_x)];
    }
  }
  return result;
}

// Drawn faces lean by some degrees of their own, which the mean of several takes away.
TEST(Tilt, IsTheAngleThatAFaceIsTurnedBy) {
  const Dataset drawn = synthesize({.count = 20, .seed = 1});
  const auto detector = make_face_detector();
  for (const double degrees : {-30.0, 0.0, 20.0}) {
    double sum = 0;
    int faces = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      GrayImage wall = gray_wall(kSide, kSide);
      set_face(wall, drawn, i, 128, 128, 3);
      const GrayImage picture = turned(wall, degrees);
      const auto found = detector->detect(picture.view());
      if (found.size() != 1) continue;
      const auto tilt = estimate_tilt(picture.view(), found[0].box);
      ASSERT_TRUE(tilt.has_value());
      EXPECT_NEAR(*tilt, degrees, 15);
      sum += *tilt;
      ++faces;
    }
    ASSERT_GE(faces, 4);
    EXPECT_NEAR(sum / faces, degrees, 4);
  }
}

TEST(Tilt, OfWhatIsNoFaceIsNotKnown) {
  const GrayImage wall = gray_wall(kSide, kSide);
  EXPECT_FALSE(estimate_tilt(wall.view(), {100, 100, 200, 200}).has_value());
  EXPECT_FALSE(estimate_tilt(wall.view(), {-900, -900, 900, 900}).has_value());
}

}  // namespace
}  // namespace ferplus
