#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <map>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/data/transform.h>

#include "support/npy.h"
#include "support/shared.h"

namespace ferplus {
namespace {

using Gray = std::array<std::uint8_t, kInputPixels>;
using Input = std::array<float, kInputPixels>;
constexpr Rectangle kWholeFace{0, 0, 48, 48};

Distortion distortion_from(const nlohmann::json& json) {
  return {.shift_y = json["shift_y"],
          .shift_x = json["shift_x"],
          .angle = json["angle"],
          .skew_y = json["skew_y"],
          .skew_x = json["skew_x"],
          .scale_y = json["scale_y"],
          .scale_x = json["scale_x"],
          .flip = json["flip"]};
}

void expect_face(ImageView image, const Rectangle& face, const Distortion& distortion,
                 const std::uint8_t* warped, const float* normalized) {
  Gray gray{};
  warp(image, face, distortion, gray);
  for (std::size_t i = 0; i < gray.size(); ++i) ASSERT_EQ(gray[i], warped[i]) << "pixel " << i;
  Input input{};
  normalize(gray, input);
  for (std::size_t i = 0; i < input.size(); ++i) {
    ASSERT_NEAR(input[i], normalized[i], 1e-5) << "pixel " << i;
  }
}

TEST(Transform, SmallFixture) {
  const auto folder = test_files() / "transform";
  const auto sources = read_npy<std::uint8_t>(folder / "source_u8.npy");
  const auto warped = read_npy<std::uint8_t>(folder / "warped_u8.npy");
  const auto normalized = read_npy<float>(folder / "normalized_f32.npy");
  const auto cases = nlohmann::json::parse(std::ifstream(folder / "cases.json"));
  ASSERT_EQ(cases.size(), warped.shape[0]);
  std::size_t offset = 0;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(i);
    const auto& c = cases[i];
    const ImageView image{sources.values.data() + offset, c["size"][1], c["size"][0]};
    offset += static_cast<std::size_t>(image.width * image.height);
    expect_face(image, {c["face"][0], c["face"][1], c["face"][2], c["face"][3]}, distortion_from(c),
                warped.entry(i), normalized.entry(i));
  }
  EXPECT_EQ(offset, sources.values.size());
}

TEST(Transform, GoldenResized) {
  FERPLUS_NEEDS_SHARED("golden/resized_u8.npy");
  const auto folder = shared_folder() / "golden";
  const auto sources = read_npy<std::uint8_t>(folder / "source_u8.npy");
  const auto resized = read_npy<std::uint8_t>(folder / "resized_u8.npy");
  const auto normalized = read_npy<float>(folder / "normalized_f32.npy");
  ASSERT_EQ(resized.shape[0], 16U);
  for (std::size_t i = 0; i < 16; ++i) {
    SCOPED_TRACE(i);
    expect_face({sources.entry(i), 48, 48}, kWholeFace, {}, resized.entry(i), normalized.entry(i));
  }
}

TEST(Transform, GoldenDistorted) {
  FERPLUS_NEEDS_SHARED("golden/distorted_u8.npy");
  const auto folder = shared_folder() / "golden";
  const auto sources = read_npy<std::uint8_t>(folder / "source_u8.npy");
  const auto warped = read_npy<std::uint8_t>(folder / "distorted_u8.npy");
  const auto normalized = read_npy<float>(folder / "distorted_normalized_f32.npy");
  const auto sets = nlohmann::json::parse(std::ifstream(folder / "distortions.json"));
  ASSERT_EQ(sets.size(), 48U);
  for (std::size_t i = 0; i < sets.size(); ++i) {
    SCOPED_TRACE(i);
    expect_face({sources.entry(sets[i]["source"]), 48, 48}, kWholeFace, distortion_from(sets[i]),
                warped.entry(i), normalized.entry(i));
  }
}

std::vector<std::uint8_t> noise(int width, int height) {
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(width * height));
  RandomSequence random({.seed = 5, .stream = Stream::synth});
  for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(random.below(256));
  return pixels;
}

TEST(Transform, MirroringContinuesTheImageHoweverFarItIsShifted) {
  // A half-sample mirrored image repeats every two heights and widths, also beyond the buffer that
  // the usual case reads from.
  const auto pixels = noise(48, 48);
  const ImageView image{pixels.data(), 48, 48};
  const double pixels_per_step = 47.0 / 63.0;
  Gray here{}, far{};
  warp(image, kWholeFace, {}, here);
  warp(image, kWholeFace, {.shift_y = 96 / pixels_per_step, .shift_x = -192 / pixels_per_step},
       far);
  int different = 0;
  for (std::size_t i = 0; i < here.size(); ++i) {
    different += std::abs(static_cast<int>(here[i]) - static_cast<int>(far[i])) > 1;
  }
  EXPECT_EQ(different, 0);
}

TEST(Transform, AFlipIsTheMirrorImage) {
  const auto pixels = noise(48, 48);
  Gray plain{}, flipped{};
  const Distortion turned{.shift_y = 1, .angle = 9};
  Distortion turned_and_flipped = turned;
  turned_and_flipped.flip = true;
  warp({pixels.data(), 48, 48}, kWholeFace, turned, plain);
  warp({pixels.data(), 48, 48}, kWholeFace, turned_and_flipped, flipped);
  for (std::size_t y = 0; y < 64; ++y) {
    for (std::size_t x = 0; x < 64; ++x) ASSERT_EQ(plain[y * 64 + x], flipped[y * 64 + 63 - x]);
  }
}

TEST(Transform, ASinglePixelIsAFace) {
  const std::uint8_t pixel = 200;
  Gray gray{};
  warp({&pixel, 1, 1}, {0, 0, 1, 1}, {.shift_y = 5, .angle = 20}, gray);
  EXPECT_TRUE(std::all_of(gray.begin(), gray.end(), [](auto p) { return p == 200; }));
  Input input{};
  normalize(gray, input);
  EXPECT_TRUE(std::all_of(input.begin(), input.end(), [](float v) { return v == 0; }));
}

TEST(Transform, AFaceInALargeImageIsThatFaceAndItsSurroundings) {
  // The warp never reads outside the image: a rectangle at its last corner, under every extreme.
  const auto pixels = noise(300, 260);
  for (const double angle : {-180.0, -20.0, 0.0, 45.0}) {
    for (const double scale : {0.01, 1.0, 40.0}) {
      Gray gray{};
      warp({pixels.data(), 300, 260}, {299, 259, 300, 260},
           {.shift_y = 31, .angle = angle, .scale_y = scale, .scale_x = scale}, gray);
      warp({pixels.data(), 300, 260}, {0, 0, 300, 260},
           {.shift_y = -31, .angle = angle, .scale_y = scale, .scale_x = scale}, gray);
    }
  }
}

TEST(Transform, DistortionsFillTheirRanges) {
  const DistortionLimits limits;
  Distortion low, high;
  int flips = 0, shrunk = 0;
  low = {.shift_y = 9, .shift_x = 9, .angle = 99, .skew_y = 9, .skew_x = 9, .scale_y = 9};
  high = {.shift_y = -9, .shift_x = -9, .angle = -99, .skew_y = -9, .skew_x = -9, .scale_y = 0};
  constexpr int kDraws = 20000;
  for (std::uint32_t i = 0; i < kDraws; ++i) {
    RandomSequence random({.seed = 3, .stream = Stream::distortion, .sample = i});
    const Distortion d = draw_distortion(random, limits);
    for (double Distortion::*member :
         {&Distortion::shift_y, &Distortion::shift_x, &Distortion::angle, &Distortion::skew_y,
          &Distortion::skew_x, &Distortion::scale_y, &Distortion::scale_x}) {
      low.*member = std::min(low.*member, d.*member);
      high.*member = std::max(high.*member, d.*member);
    }
    flips += d.flip;
    shrunk += d.scale_y < 1;
  }
  for (double Distortion::*member : {&Distortion::shift_y, &Distortion::shift_x}) {
    EXPECT_NEAR(low.*member, -5.12, 0.01);
    EXPECT_NEAR(high.*member, 5.12, 0.01);
    EXPECT_LE(high.*member, 5.12);
  }
  EXPECT_NEAR(low.angle, -20, 0.05);
  EXPECT_NEAR(high.angle, 20, 0.05);
  EXPECT_NEAR(low.skew_x, -0.05, 0.001);
  EXPECT_NEAR(high.skew_y, 0.05, 0.001);
  EXPECT_NEAR(low.scale_y, 1 / 1.05, 0.001);
  EXPECT_NEAR(high.scale_x, 1.05, 0.001);
  EXPECT_NEAR(flips, kDraws / 2, 300);
  EXPECT_NEAR(shrunk, kDraws / 2, 300);
}

TEST(Transform, DistortionsAreDrawnInTheReferencesOrder) {
  const RandomKey key{.seed = 11, .stream = Stream::distortion, .epoch = 2, .sample = 30};
  RandomSequence drawn(key), expected(key);
  const Distortion d = draw_distortion(drawn, {});
  EXPECT_DOUBLE_EQ(d.shift_y, 5.12 * expected.uniform(-1, 1));
  EXPECT_DOUBLE_EQ(d.shift_x, 5.12 * expected.uniform(-1, 1));
  EXPECT_DOUBLE_EQ(d.angle, 20 * expected.uniform(-1, 1));
  EXPECT_DOUBLE_EQ(d.skew_y, 0.05 * expected.uniform(-1, 1));
  EXPECT_DOUBLE_EQ(d.skew_x, 0.05 * expected.uniform(-1, 1));
  for (const double scale : {d.scale_y, d.scale_x}) {
    const double drawn_scale = expected.uniform(1, 1.05);
    EXPECT_DOUBLE_EQ(scale, expected.coin() ? 1 / drawn_scale : drawn_scale);
  }
  EXPECT_EQ(d.flip, expected.coin());
}

TEST(Transform, InputsObeyThePreprocessing) {
  const auto pixels = noise(48, 48);
  const ImageView image{pixels.data(), 48, 48};
  Gray gray{};
  warp(image, kWholeFace, {}, gray);
  Input normalized{}, input{};
  normalize(gray, normalized);
  make_input(image, kWholeFace, {}, Preprocessing::ferplus, input);
  EXPECT_EQ(input, normalized);
  make_input(image, kWholeFace, {}, Preprocessing::raw, input);
  for (std::size_t i = 0; i < gray.size(); ++i) {
    ASSERT_EQ(input[i], (static_cast<float>(gray[i]) - 127.5f) / 255.0f);
  }
  EXPECT_EQ(preprocessing_from_name("raw"), Preprocessing::raw);
  EXPECT_EQ(preprocessing_name(Preprocessing::ferplus), "ferplus");
  EXPECT_THROW(preprocessing_from_name("minmax"), UsageError);
}

TEST(Erasing, RectanglesLieWithinTheFaceAndHaveTheirSizes) {
  const ErasingLimits limits{.probability = 0.25, .largest_area = 0.2};
  constexpr int kDraws = 20000;
  int erased = 0, wide = 0;
  double smallest = 1, largest = 0, area_sum = 0;
  for (std::uint32_t i = 0; i < kDraws; ++i) {
    RandomSequence random({.seed = 1, .stream = Stream::erasing, .sample = i});
    const Rectangle r = draw_erasing(random, limits);
    if (r == Rectangle{}) continue;
    ++erased;
    ASSERT_TRUE(r.left >= 0 && r.top >= 0 && r.left < r.right && r.top < r.bottom);
    ASSERT_TRUE(r.right <= kInputSide && r.bottom <= kInputSide);
    const double height = r.bottom - r.top, width = r.right - r.left;
    const double area = height * width / kInputPixels;
    smallest = std::min(smallest, area);
    largest = std::max(largest, area);
    area_sum += area;
    wide += width > height;
    // Half a pixel of rounding at each side.
    ASSERT_LE((height - 0.5) / (width + 0.5), 1 / 0.3);
    ASSERT_LE((width - 0.5) / (height + 0.5), 1 / 0.3);
  }
  EXPECT_NEAR(erased, 0.25 * kDraws, 5 * std::sqrt(kDraws * 0.25 * 0.75));
  EXPECT_NEAR(smallest, 0.02, 0.003);
  EXPECT_NEAR(largest, 0.2, 0.01);
  EXPECT_NEAR(area_sum / erased, 0.11, 0.005);
  EXPECT_NEAR(wide, erased / 2.0, 0.05 * erased);
  RandomSequence random({.seed = 1, .stream = Stream::erasing});
  EXPECT_EQ(draw_erasing(random, {.probability = 0}), Rectangle{});
}

TEST(Erasing, LongSidesAreCutToTheFace) {
  for (std::uint32_t i = 0; i < 500; ++i) {
    RandomSequence random({.seed = 2, .stream = Stream::erasing, .sample = i});
    const Rectangle r = draw_erasing(random, {.probability = 1, .largest_area = 1});
    ASSERT_TRUE(r.left >= 0 && r.top >= 0 && r.right <= kInputSide && r.bottom <= kInputSide);
  }
}

TEST(Erasing, ClearsTheRectangleAndNothingElse) {
  Input input;
  input.fill(1);
  erase({.left = 3, .top = 60, .right = 7, .bottom = 64}, input);
  for (int y = 0; y < kInputSide; ++y) {
    for (int x = 0; x < kInputSide; ++x) {
      ASSERT_EQ(input[static_cast<std::size_t>(y * kInputSide + x)],
                y >= 60 && x >= 3 && x < 7 ? 0.0F : 1.0F);
    }
  }
  input.fill(1);
  erase({}, input);
  EXPECT_TRUE(std::ranges::all_of(input, [](float v) { return v == 1; }));
}

}  // namespace
}  // namespace ferplus
