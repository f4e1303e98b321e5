#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/io/png.h>

#include "io/png_builder.h"
#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using ::testing::ElementsAre;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string from_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

GrayImage decode(const std::string& bytes) { return read_png(as_bytes(bytes), "image.png"); }

std::vector<std::uint8_t> pixels_of(const std::string& bytes) { return decode(bytes).pixels; }

// The three files and their gray values were made by Pillow 9.
TEST(Png, ReadsGrayOfAnotherEncoder) {
  const GrayImage image = decode(from_hex(
      "89504e470d0a1a0a0000000d4948445200000004000000030800000000919ff11a000000174944415478da636410"
      "1717678c11171767dc212e2e0e000bf201e7d874a15f0000000049454e44ae426082"));
  EXPECT_EQ(image.width, 4);
  EXPECT_EQ(image.height, 3);
  EXPECT_THAT(image.pixels, ElementsAre(0, 23, 46, 69, 92, 115, 138, 161, 184, 207, 230, 253));
}

TEST(Png, ReadsColourAsLuma) {
  EXPECT_THAT(
      pixels_of(from_hex("89504e470d0a1a0a0000000d4948445200000004000000020802000000f0caea34"
                         "0000002349444154789c63f8cfc0c0f09f8181e13fcf896486ffffff333231a718"
                         "499e38790a007a340a429e098b6c0000000049454e44ae426082")),
      ElementsAre(76, 150, 29, 132, 255, 2, 62, 201));
}

TEST(Png, ReadsPaletteOfFewBits) {
  EXPECT_THAT(pixels_of(from_hex(
                  "89504e470d0a1a0a0000000d49484452000000040000000204030000008d86605000000018"
                  "504c5445ffffffc8c9ca00ff000cc863643219ff00000102030000ffeb135621000000"
                  "0e49444154789c63082a666073040003b9010d63aaaf980000000049454e44ae426082")),
              ElementsAre(76, 150, 29, 132, 255, 2, 62, 201));
}

TEST(Png, WrittenImagesComeBackExactly) {
  const TemporaryFolder folder;
  std::vector<std::uint8_t> pixels(48 * 31);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<std::uint8_t>(i * 2654435761U >> 13);
  }
  write_png(folder / "a.png", pixels.data(), 48, 31);
  const GrayImage image = read_png(folder / "a.png");
  EXPECT_EQ(image.width, 48);
  EXPECT_EQ(image.height, 31);
  EXPECT_EQ(image.pixels, pixels);
  EXPECT_EQ(folder.entries(), 1);
}

TEST(Png, SixteenBitsAreRounded) {
  // 0x1280 / 257 = 18.43, 0x12fe / 257 = 18.92.
  EXPECT_THAT(pixels_of(kPngSignature + png_header(3, 1, 16, kGray) +
                        png_data(std::string("\0\x12\x80\x12\xfe\xff\xff", 7)) + png_end()),
              ElementsAre(18, 19, 255));
}

TEST(Png, FewBitsAreSpread) {
  EXPECT_THAT(pixels_of(kPngSignature + png_header(4, 1, 2, kGray) +
                        png_data(std::string("\0\x1b", 2)) + png_end()),
              ElementsAre(0, 85, 170, 255));
  EXPECT_THAT(pixels_of(kPngSignature + png_header(3, 1, 1, kGray) +
                        png_data(std::string("\0\xa0", 2)) + png_end()),
              ElementsAre(255, 0, 255));
}

TEST(Png, AlphaIsLaidOverBlack) {
  EXPECT_THAT(pixels_of(kPngSignature + png_header(3, 1, 8, kGrayAlpha) +
                        png_data(std::string("\0\xc8\xff\xc8\x80\xc8\x00", 7)) + png_end()),
              ElementsAre(200, 100, 0));
  EXPECT_THAT(pixels_of(kPngSignature + png_header(2, 1, 8, kRgba) +
                        png_data(std::string("\0\xff\0\0\xff\xff\xff\xff\x7f", 9)) + png_end()),
              ElementsAre(76, 127));
  // A transparent gray value, and a palette whose first colour is transparent.
  EXPECT_THAT(pixels_of(kPngSignature + png_header(2, 1, 8, kGray) +
                        png_chunk("tRNS", std::string("\0\x05", 2)) +
                        png_data(std::string("\0\x05\x06", 3)) + png_end()),
              ElementsAre(0, 6));
  EXPECT_THAT(pixels_of(kPngSignature + png_header(2, 1, 8, kPalette) +
                        png_chunk("PLTE", "\x64\x64\x64\xc8\xc8\xc8") +
                        png_chunk("tRNS", std::string(1, '\0')) +
                        png_data(std::string("\0\0\1", 3)) + png_end()),
              ElementsAre(0, 200));
}

TEST(Png, InterlacedImagesAreWhole) {
  // Adam7 of a 3×3 image: passes 1, 5, 6 and 7 have 1×1, 1×1+…: (0,0); (2,0); (0,2),(2,2);
  // (1,0),(1,2); the whole of row 1.
  const std::string rows("\0\1\0\3\0\7\x9\0\2\0\x8\0\4\5\6", 15);
  EXPECT_THAT(pixels_of(kPngSignature + png_header(3, 3, 8, kGray, 1) + png_data(rows) + png_end()),
              ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST(Png, GammaAndTextAreIgnored) {
  EXPECT_THAT(
      pixels_of(kPngSignature + png_header(2, 1, 8, kGray) + png_chunk("gAMA", big_endian(100000)) +
                png_chunk("iCCP", "broken") + png_chunk("tEXt", std::string(100000, 'x')) +
                png_data(std::string("\0\x10\x80", 3)) + png_end()),
      ElementsAre(0x10, 0x80));
}

struct Malformed {
  const char* what;
  std::string bytes;
  const char* message;
};

std::vector<Malformed> malformed_files() {
  const std::string start = kPngSignature + png_header(2, 2, 8, kGray);
  const std::string rows("\0\1\2\0\3\4", 6);
  const std::string good = start + png_data(rows) + png_end();
  std::string bad_checksum = good;
  bad_checksum[good.size() - 13] = static_cast<char>(bad_checksum[good.size() - 13] ^ 1);
  std::string bad_adler = good;
  bad_adler[good.size() - 17] = static_cast<char>(bad_adler[good.size() - 17] ^ 1);
  std::string bad_header_checksum = good;
  bad_header_checksum[30] = static_cast<char>(bad_header_checksum[30] ^ 1);
  const auto header = [&](std::uint32_t width, std::uint32_t height, int bits, int colour) {
    return kPngSignature + png_header(width, height, bits, colour) + png_data(rows) + png_end();
  };
  return {
      {"empty", "", "is empty, expected a PNG image"},
      {"one byte", "\x89", "is not a PNG image"},
      {"text", "hello world, this is no image", "is not a PNG image"},
      {"JPEG", "\xff\xd8\xff\xe0 JFIF and so on", "is not a PNG image"},
      {"line ends converted", "\x89PNG\n\x1a\n" + good.substr(8), "is not a PNG image"},
      {"signature only", kPngSignature, "the file is cut short"},
      {"cut in the header", good.substr(0, 20), "the file is cut short"},
      {"no IHDR", kPngSignature + png_data(rows) + png_end() + std::string(20, 'x'),
       "does not begin with IHDR"},
      {"width 0", header(0, 2, 8, kGray), "has 0x2 pixels"},
      {"height 0", header(2, 0, 8, kGray), "has 2x0 pixels"},
      {"too wide", header(16385, 1, 8, kGray), "image of 16385x1 pixels; at most 16384 a side"},
      {"all ones", header(0xffffffff, 0xffffffff, 8, kGray), "image of 4294967295x4294967295"},
      {"too many pixels", header(16384, 16384, 8, kGray), "at most 16384 a side and 67108864"},
      {"more than the file can hold", header(8192, 8192, 8, kRgb), "cannot hold 8192x8192 pixels"},
      {"bits", header(2, 2, 3, kGray), "bad PNG image: "},
      {"colour type", header(2, 2, 8, 5), "bad PNG image: "},
      {"bits of colour", header(2, 2, 4, kRgb), "bad PNG image: "},
      {"interlace method",
       kPngSignature + png_header(2, 2, 8, kGray, 2) + png_data(rows) + png_end(),
       "bad PNG image: "},
      {"header checksum", bad_header_checksum, "bad PNG image: IHDR: CRC error"},
      {"data checksum", bad_checksum, "bad PNG image: IDAT: CRC error"},
      {"deflate checksum", bad_adler, "bad PNG image: IDAT: incorrect data check"},
      {"no data", start + png_end(), "bad PNG image: "},
      {"no end", start + png_data(rows), "the file is cut short"},
      {"cut in the data", good.substr(0, start.size() + 14), "the file is cut short"},
      {"a row too few", start + png_data(rows.substr(0, 3)) + png_end(), "Not enough image data"},
      {"a row too many", start + png_data(rows + std::string(3, '\0')) + png_end(),
       "Too much image data"},
      {"not deflate", start + png_chunk("IDAT", "no compressed data") + png_end(),
       "bad PNG image: IDAT: "},
      {"filter", start + png_data(std::string("\5\1\2\0\3\4", 6)) + png_end(),
       "bad adaptive filter value"},
      {"chunk length", start + "\xff\xff\xff\xffIDATxxxx", "bad PNG image: "},
      {"unknown critical chunk", start + png_chunk("ABCD", "") + png_data(rows) + png_end(),
       "bad PNG image: "},
      {"second header", start + png_header(4, 4, 8, kGray) + png_data(rows) + png_end(),
       "bad PNG image: "},
      {"no palette", header(2, 2, 8, kPalette), "bad PNG image: "},
      {"palette of a part",
       kPngSignature + png_header(2, 2, 8, kPalette) + png_chunk("PLTE", "1234") + png_data(rows) +
           png_end(),
       "bad PNG image: "},
      {"index past the palette",
       kPngSignature + png_header(2, 2, 8, kPalette) + png_chunk("PLTE", "123456") +
           png_data(rows) + png_end(),
       "palette index"},
  };
}

TEST(Png, RejectsMalformedFiles) {
  for (const Malformed& malformed : malformed_files()) {
    SCOPED_TRACE(malformed.what);
    const std::string message = message_of<Error>([&] { decode(malformed.bytes); });
    EXPECT_THAT(message, StartsWith("image.png: "));
    EXPECT_THAT(message, HasSubstr(malformed.message));
  }
}

TEST(Png, EveryTruncationIsAnError) {
  const std::string bytes = kPngSignature + png_header(2, 2, 8, kRgb) +
                            png_data(std::string("\0\1\2\3\4\5\6\0\7\x8\x9\xa\xb\xc", 14)) +
                            png_end();
  ASSERT_NO_THROW(decode(bytes));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(decode(bytes.substr(0, size)), Error) << size;
  }
}

TEST(Png, FileErrorsNameThePath) {
  const TemporaryFolder folder;
  write_text(folder / "bad.png", "x");
  EXPECT_EQ(message_of<Error>([&] { read_png(folder / "bad.png"); }),
            (folder / "bad.png").string() + ": is not a PNG image");
  EXPECT_THAT(message_of<Error>([&] { read_png(folder / "none.png"); }),
              HasSubstr("No such file or directory"));
}

TEST(Png, EncodesToMemoryWhatItWrites) {
  const TemporaryFolder folder;
  const std::vector<std::uint8_t> pixels = {0, 10, 20, 30, 40, 50};
  write_png(folder / "a.png", pixels.data(), 3, 2);
  const std::vector<char> bytes = encode_png(pixels.data(), 3, 2, "a");
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), read_text(folder / "a.png"));
  EXPECT_THROW(encode_png(pixels.data(), 0, 2, "a"), Error);
}

TEST(Png, RefusesToWriteImpossibleSizes) {
  const TemporaryFolder folder;
  const std::uint8_t pixel = 0;
  for (const auto& [width, height] :
       std::vector<std::pair<int, int>>{{0, 1}, {1, 0}, {-1, 1}, {kMaxImageSide + 1, 1}}) {
    EXPECT_THROW(write_png(folder / "a.png", &pixel, width, height), Error);
  }
  EXPECT_EQ(folder.entries(), 0);
}

}  // namespace
}  // namespace ferplus
