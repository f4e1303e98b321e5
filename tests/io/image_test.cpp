// Reading pictures by their content, upright, in gray and in colour.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/io/image.h>
#include <ferplus/io/png.h>

#include "io/png_builder.h"
#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string gray_png(const std::string& before_data = "") {
  // 3×2: 1 2 3 / 4 5 6.
  return kPngSignature + png_header(3, 2, 8, kGray) + before_data +
         png_data(std::string("\0\1\2\3\0\4\5\6", 8)) + png_end();
}

std::string exif_chunk(char orientation) {
  return png_chunk("eXIf", std::string("II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", 18) +
                               orientation + std::string(7, '\0'));
}

GrayImage gray(const std::string& bytes) { return read_image(as_bytes(bytes), "image"); }
ColorImage color(const std::string& bytes) { return read_color_image(as_bytes(bytes), "image"); }

TEST(Image, FormatIsThatOfTheFirstBytes) {
  EXPECT_EQ(image_format(as_bytes(gray_png())), ImageFormat::png);
  EXPECT_EQ(image_format(as_bytes("\xff\xd8\xff\xe0")), ImageFormat::jpeg);
  EXPECT_EQ(image_format(as_bytes("\xff\xd8")), ImageFormat::unknown);
  EXPECT_EQ(image_format(as_bytes("")), ImageFormat::unknown);
}

TEST(Image, WhatIsNoImageIsAnError) {
  EXPECT_THAT(message_of<Error>([] { gray("text"); }),
              HasSubstr("image: is neither a PNG nor a JPEG image"));
  EXPECT_THAT(message_of<Error>([] { gray(""); }), HasSubstr("is empty"));
  EXPECT_THAT(message_of<Error>([] { read_image("/nowhere/photo.jpg"); }),
              HasSubstr("/nowhere/photo.jpg"));
}

TEST(Image, WithoutJpegTheMissingPackageIsNamed) {
  if (jpeg_available()) GTEST_SKIP() << "this build reads JPEG";
  EXPECT_THAT(message_of<Error>([] { gray("\xff\xd8\xff\xe0 and so on"); }),
              HasSubstr("install libjpeg-dev"));
}

TEST(Image, OrientationOfPngIsObeyedHereAndNotInReadPng) {
  EXPECT_THAT(gray(gray_png()).pixels, ElementsAre(1, 2, 3, 4, 5, 6));
  const std::vector<std::vector<int>> turned = {
      {1, 2, 3, 4, 5, 6}, {3, 2, 1, 6, 5, 4}, {6, 5, 4, 3, 2, 1}, {4, 5, 6, 1, 2, 3},
      {1, 4, 2, 5, 3, 6}, {4, 1, 5, 2, 6, 3}, {6, 3, 5, 2, 4, 1}, {3, 6, 2, 5, 1, 4}};
  for (std::size_t i = 0; i < turned.size(); ++i) {
    const std::string bytes = gray_png(exif_chunk(static_cast<char>(i + 1)));
    const GrayImage image = gray(bytes);
    EXPECT_EQ(std::vector<int>(image.pixels.begin(), image.pixels.end()), turned[i]) << i + 1;
    EXPECT_EQ(image.width, i < 4 ? 3 : 2);
    EXPECT_EQ(image.height, i < 4 ? 2 : 3);
    EXPECT_EQ(read_png(as_bytes(bytes), "image").width, 3);
  }
}

TEST(Image, ColourOfEveryKindOfPng) {
  EXPECT_THAT(color(gray_png()).pixels,
              ElementsAre(1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5, 6, 6, 6));
  EXPECT_THAT(color(kPngSignature + png_header(2, 1, 8, kRgb) +
                    png_data(std::string("\0\1\2\3\4\5\6", 7)) + png_end())
                  .pixels,
              ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(color(kPngSignature + png_header(2, 1, 8, kRgba) +
                    png_data(std::string("\0\x64\xc8\x0a\xff\xff\xff\xff\x7f", 9)) + png_end())
                  .pixels,
              ElementsAre(100, 200, 10, 127, 127, 127));
  EXPECT_THAT(color(kPngSignature + png_header(2, 1, 8, kGrayAlpha) +
                    png_data(std::string("\0\xc8\x80\x10\xff", 5)) + png_end())
                  .pixels,
              ElementsAre(100, 100, 100, 16, 16, 16));
  EXPECT_THAT(color(kPngSignature + png_header(2, 1, 8, kPalette) +
                    png_chunk("PLTE", "\x64\x65\x66\xc8\xc9\xca") +
                    png_chunk("tRNS", std::string(1, '\0')) + png_data(std::string("\0\1\0", 3)) +
                    png_end())
                  .pixels,
              ElementsAre(200, 201, 202, 0, 0, 0));
  EXPECT_THAT(color(kPngSignature + png_header(1, 1, 16, kRgb) +
                    png_data(std::string("\0\x12\x80\x12\xfe\xff\xff", 7)) + png_end())
                  .pixels,
              ElementsAre(18, 19, 255));
}

TEST(Image, OrientationTurnsWholeColourPixels) {
  const std::string bytes = kPngSignature + png_header(2, 1, 8, kRgb) + exif_chunk(6) +
                            png_data(std::string("\0\1\2\3\4\5\6", 7)) + png_end();
  const ColorImage image = color(bytes);
  EXPECT_EQ(image.width, 1);
  EXPECT_EQ(image.height, 2);
  EXPECT_THAT(image.pixels, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST(Image, WrittenColourComesBack) {
  const TemporaryFolder folder;
  const ColorImage image{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 2, 2};
  write_png(folder / "a.png", image);
  const ColorImage read = read_color_image(folder / "a.png");
  EXPECT_EQ(read.pixels, image.pixels);
  EXPECT_EQ(read.width, 2);
}

}  // namespace
}  // namespace ferplus
