#include <algorithm>
#include <numeric>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/data/corruption.h>
#include <ferplus/data/synth.h>
#include <ferplus/data/transform.h>

namespace ferplus {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Ge;
using ::testing::Le;

const Corruption& corruption(std::string_view kind, std::string_view level) {
  const auto found = std::ranges::find_if(
      corruptions(), [&](const Corruption& c) { return c.kind == kind && c.level == level; });
  EXPECT_NE(found, corruptions().end()) << kind << ' ' << level;
  return *found;
}

// 48×48, with a frame of another face around it.
struct Picture {
  std::vector<std::uint8_t> pixels = std::vector<std::uint8_t>(60 * 50, 200);
  Rectangle face{7, 1, 55, 49};

  Picture() {
    for (int y = 0; y < 48; ++y) {
      for (int x = 0; x < 48; ++x) at(x, y) = static_cast<std::uint8_t>(40 + 2 * x + y);
    }
  }
  std::uint8_t& at(int x, int y) { return pixels[static_cast<std::size_t>((y + 1) * 60 + x + 7)]; }
  GrayImage corrupted(std::string_view kind, std::string_view level,
                      std::uint32_t sample = 0) const {
    RandomSequence random({.stream = Stream::corruption, .sample = sample});
    const Corruption& c = corruption(kind, level);
    return c.apply({pixels.data(), 60, 50}, face, c.amount, random);
  }
};

int at(const GrayImage& image, int x, int y) {
  return image.pixels[static_cast<std::size_t>(y * image.width + x)];
}

TEST(Corruption, GrayLevels) {
  const Picture picture;
  EXPECT_EQ(at(picture.corrupted("darkness", "x 0.5"), 3, 5), 26);  // 51 / 2, half up
  EXPECT_EQ(at(picture.corrupted("brightness", "x 2"), 3, 5), 102);
  EXPECT_EQ(at(picture.corrupted("brightness", "x 2"), 47, 47), 255);
  EXPECT_EQ(at(picture.corrupted("contrast", "x 0.5"), 3, 5), 89);  // 127.5 - 76.5 / 2
}

TEST(Corruption, BlurOfAPointIsTheKernelAndOfASlopeTheSlope) {
  Picture picture;
  const GrayImage slope = picture.corrupted("blur", "sigma 1 px");
  EXPECT_EQ(at(slope, 20, 20), 100);
  for (int y = 0; y < 48; ++y) {
    for (int x = 0; x < 48; ++x) picture.at(x, y) = 0;
  }
  picture.at(20, 30) = 255;
  const GrayImage point = picture.corrupted("blur", "sigma 1 px");
  // exp(-d²/2) over its sum for |d| ≤ 3: 0.39905, 0.24204, 0.05401, 0.00443 (numpy).
  EXPECT_EQ(at(point, 20, 30), 41);
  EXPECT_EQ(at(point, 21, 30), 25);
  EXPECT_EQ(at(point, 20, 28), 5);
  EXPECT_EQ(at(point, 21, 31), 15);
  EXPECT_EQ(at(point, 24, 30), 0);
}

TEST(Corruption, Occlusion) {
  const Picture picture;
  const GrayImage eyes = picture.corrupted("occlusion", "eyes");
  EXPECT_EQ(at(eyes, 0, 11), 51);
  EXPECT_EQ(at(eyes, 0, 12), 0);
  EXPECT_EQ(at(eyes, 47, 23), 0);
  EXPECT_EQ(at(eyes, 47, 24), 158);
  const GrayImage half = picture.corrupted("occlusion", "left half");
  EXPECT_EQ(at(half, 23, 47), 0);
  EXPECT_EQ(at(half, 24, 0), 88);
  EXPECT_EQ(std::ranges::count(picture.corrupted("occlusion", "mouth").pixels, 0), 48 * 12);
}

TEST(Corruption, RotationGoesEitherWay) {
  const Picture picture;
  std::vector<std::uint8_t> expected(kInputPixels);
  int left = 0;
  for (std::uint32_t sample = 0; sample < 40; ++sample) {
    const GrayImage turned = picture.corrupted("rotation", "30°", sample);
    warp({picture.pixels.data(), 60, 50}, picture.face, {.angle = -30}, expected);
    if (turned.pixels == expected) {
      ++left;
    } else {
      warp({picture.pixels.data(), 60, 50}, picture.face, {.angle = 30}, expected);
      EXPECT_EQ(turned.pixels, expected);
    }
  }
  EXPECT_THAT(left, AllOf(Ge(8), Le(32)));
}

TEST(Corruption, NoiseHasItsDeviation) {
  Picture picture;
  std::ranges::fill(picture.pixels, 128);
  const GrayImage noisy = picture.corrupted("noise", "sigma 20");
  double squares = 0;
  for (const std::uint8_t pixel : noisy.pixels) squares += (pixel - 128) * (pixel - 128);
  EXPECT_NEAR(std::sqrt(squares / (48 * 48)), 20, 1.2);
}

TEST(Corruption, OfADatasetKeepsWhatItSaysAboutTheFaces) {
  const Dataset dataset = synthesize({.count = 10});
  const std::vector<std::size_t> samples{8, 2};
  for (const Corruption& c : corruptions()) {
    const Dataset worse = corrupted(dataset, samples, c);
    ASSERT_EQ(worse.samples.size(), 2U);
    for (std::size_t i = 0; i < 2; ++i) {
      const Sample &before = dataset.samples[samples[i]], &after = worse.samples[i];
      EXPECT_EQ(after.votes, before.votes);
      EXPECT_EQ(after.draw_key, before.draw_key);
      EXPECT_EQ(after.split, before.split);
      EXPECT_EQ(after.face, (Rectangle{0, 0, after.width, after.height}));
      EXPECT_LE(after.pixel_offset + static_cast<std::size_t>(after.width * after.height),
                worse.pixels.size());
    }
    // A sample's corruption does not depend on the others.
    const Dataset alone = corrupted(dataset, std::span(samples).last(1), c);
    EXPECT_TRUE(
        std::ranges::equal(alone.pixels, std::span(worse.pixels).last(alone.pixels.size())));
  }
}

}  // namespace
}  // namespace ferplus
