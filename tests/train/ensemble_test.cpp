// Views of a face and averages of probabilities.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/nn/probabilities.h>
#include <ferplus/train/ensemble.h>

#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using testing::HasSubstr;

constexpr int kSource = 48;
constexpr int kLarge = 72;
constexpr std::size_t kSide = kInputSide;

std::vector<std::uint8_t> source_pixels() {
  std::vector<std::uint8_t> pixels(kSource * kSource);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<std::uint8_t>((i * i * 7 + 13 * i) % 251);
  }
  return pixels;
}

// The warp for an output of kLarge pixels a side: in = 24 + (out −
// 36)·47/71. No point lies outside the 48×48 source by more than a mirrored pixel.
std::vector<std::uint8_t> large_warp(const std::vector<std::uint8_t>& source) {
  const auto at = [&](int y, int x) {
    const auto inside = [](int i) {
      return i < 0 ? -1 - i : i < kSource ? i : 2 * kSource - 1 - i;
    };
    return static_cast<double>(source[static_cast<std::size_t>(inside(y) * kSource + inside(x))]);
  };
  std::vector<std::uint8_t> large;
  for (int row = 0; row < kLarge; ++row) {
    for (int column = 0; column < kLarge; ++column) {
      const double in_y = 24 + (row - 36) * 47.0 / 71, in_x = 24 + (column - 36) * 47.0 / 71;
      const int y = static_cast<int>(std::floor(in_y)), x = static_cast<int>(std::floor(in_x));
      const double fy = in_y - y, fx = in_x - x;
      const double value = at(y, x) * (1 - fy) * (1 - fx) + at(y, x + 1) * (1 - fy) * fx +
                           at(y + 1, x) * fy * (1 - fx) + at(y + 1, x + 1) * fy * fx;
      large.push_back(static_cast<std::uint8_t>(std::floor(value + 0.5)));
    }
  }
  return large;
}

std::vector<std::uint8_t> warped(const Distortion& view) {
  const std::vector<std::uint8_t> source = source_pixels();
  std::vector<std::uint8_t> output(kInputPixels);
  warp({source.data(), kSource, kSource}, {0, 0, kSource, kSource}, view, output);
  return output;
}

std::vector<std::uint8_t> mirrored(std::vector<std::uint8_t> image) {
  for (std::size_t y = 0; y < kSide; ++y) {
    std::reverse(image.begin() + static_cast<std::ptrdiff_t>(y * kSide),
                 image.begin() + static_cast<std::ptrdiff_t>((y + 1) * kSide));
  }
  return image;
}

TEST(ViewsTest, NoneAndFlip) {
  ASSERT_EQ(views(TestTimeAugmentation::none).size(), 1u);
  EXPECT_EQ(warped(views(TestTimeAugmentation::none)[0]), warped({}));
  const auto flip = views(TestTimeAugmentation::flip);
  ASSERT_EQ(flip.size(), 2u);
  EXPECT_EQ(warped(flip[0]), warped({}));
  EXPECT_EQ(warped(flip[1]), mirrored(warped({})));
}

TEST(ViewsTest, TenCropsAreWindowsOfALargerWarp) {
  const auto crops = views(TestTimeAugmentation::ten_crop);
  ASSERT_EQ(crops.size(), 10u);
  const std::vector<std::uint8_t> large = large_warp(source_pixels());
  const std::vector<std::pair<int, int>> corners = {{0, 0}, {0, 8}, {8, 0}, {8, 8}, {4, 4}};
  for (std::size_t crop = 0; crop < corners.size(); ++crop) {
    const auto [top, left] = corners[crop];
    std::vector<std::uint8_t> window;
    for (int y = 0; y < kInputSide; ++y) {
      for (int x = 0; x < kInputSide; ++x) {
        window.push_back(large[static_cast<std::size_t>((top + y) * kLarge + left + x)]);
      }
    }
    EXPECT_EQ(warped(crops[crop]), window) << crop;
    EXPECT_EQ(warped(crops[crop + 5]), mirrored(window)) << crop;
  }
}

TEST(ViewsTest, Names) {
  for (auto augmentation :
       {TestTimeAugmentation::none, TestTimeAugmentation::flip, TestTimeAugmentation::ten_crop}) {
    EXPECT_EQ(augmentation_from_name(augmentation_name(augmentation)), augmentation);
  }
  EXPECT_THAT(message_of<UsageError>([] { augmentation_from_name("flop"); }), HasSubstr("flip?"));
}

TEST(AverageTest, IsTheMeanOfTheProbabilities) {
  const std::vector<Logits> members = {
      {1, 2, 3, 4, 5, 6, 7, 8}, {0, 9, -3, 0, 2, 0, 1, 0}, {5, 5, 5, 5, 5, 5, 5, 5}};
  const Probabilities mean = softmax(average(members));
  for (std::size_t k = 0; k < kClasses; ++k) {
    double sum = 0;
    for (const Logits& member : members) sum += static_cast<double>(softmax(member)[k]);
    EXPECT_NEAR(mean[k], sum / 3, 1e-6);
  }
}

TEST(AverageTest, OneComesBackBitForBit) {
  const Logits logits = {0.1f, -7, 3e10f, 0, 1, 2, 3, 4};
  EXPECT_EQ(average(std::vector{logits}), logits);
}

TEST(AverageTest, CertaintiesDoNotVanish) {
  // exp(-5000) is 0 even in double; its logarithm is not.
  const std::vector<Logits> members = {{5000, 0}, {5000, 100}};
  const Logits mean = average(members);
  EXPECT_FLOAT_EQ(mean[0], 0);
  EXPECT_NEAR(mean[1], -4900 - std::log(2.0f), 1e-3);
  EXPECT_NEAR(mean[2], -5000, 1e-3);
}

TEST(AverageTest, WhatIsNotANumberStaysSo) {
  Logits bad{};
  bad[3] = std::numeric_limits<float>::quiet_NaN();
  const Logits mean = average(std::vector<Logits>{Logits{}, bad});
  EXPECT_TRUE(std::isnan(mean[0]));
}

}  // namespace
}  // namespace ferplus
