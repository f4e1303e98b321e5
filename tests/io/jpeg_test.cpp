// JPEG files: against Pillow (tests/data_files/jpeg), and files that are damaged or hostile.
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <jpeglib.h>
#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/io/image.h>

#include "support/shared.h"
#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Case {
  std::string file;
  int width = 0, height = 0;
  std::vector<std::uint8_t> gray, rgb;
};

std::vector<std::uint8_t> from_hex(const std::string& hex) {
  std::vector<std::uint8_t> values;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    values.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return values;
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const auto& json :
       nlohmann::json::parse(std::ifstream(test_files() / "jpeg" / "cases.json"))) {
    all.push_back({json.at("file"), json.at("width"), json.at("height"), from_hex(json.at("gray")),
                   from_hex(json.at("rgb"))});
  }
  return all;
}

std::string file_bytes(const std::string& name) { return read_text(test_files() / "jpeg" / name); }

GrayImage decode(const std::string& bytes) { return read_image(as_bytes(bytes), "photo.jpg"); }

std::string failure_of(const std::string& bytes) {
  return message_of<Error>([&] { decode(bytes); });
}

int largest_difference(const std::vector<std::uint8_t>& a, const std::vector<std::uint8_t>& b) {
  if (a.size() != b.size()) return 256;
  int largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

// Y is not quite the luma of the rounded RGB that Pillow makes of it.
TEST(Jpeg, AgreesWithPillow) {
  const auto all = cases();
  ASSERT_EQ(all.size(), 14U);
  for (const Case& expected : all) {
    SCOPED_TRACE(expected.file);
    const GrayImage gray = read_image(test_files() / "jpeg" / expected.file);
    EXPECT_EQ(gray.width, expected.width);
    EXPECT_EQ(gray.height, expected.height);
    EXPECT_LE(largest_difference(gray.pixels, expected.gray), 1);
    const ColorImage color = read_color_image(test_files() / "jpeg" / expected.file);
    EXPECT_EQ(color.width, expected.width);
    EXPECT_EQ(color.height, expected.height);
    EXPECT_LE(largest_difference(color.pixels, expected.rgb), 1);
  }
}

TEST(Jpeg, ContentDecidesNotTheName) {
  const TemporaryFolder folder;
  write_text(folder / "photo.png", file_bytes("gray.jpg"));
  EXPECT_EQ(read_image(folder / "photo.png").width, 21);
}

TEST(Jpeg, BytesAroundThePictureDoNotMatter) {
  const std::string good = file_bytes("gray.jpg");
  const auto expected = decode(good).pixels;
  EXPECT_EQ(decode(good + std::string(1000, 'x')).pixels, expected);
  EXPECT_EQ(decode(good.substr(0, 20) + std::string(3, '\0') + good.substr(20)).pixels, expected);
  // Other contents of APP1 before the EXIF: XMP.
  const std::string xmp("\xff\xe1\0\x0ahttp://x", 12);
  const std::string turned = file_bytes("orientation_6.jpg");
  EXPECT_EQ(decode(turned.substr(0, 2) + xmp + turned.substr(2)).width, 13);
}

TEST(Jpeg, BrokenExifCountsAsUpright) {
  const std::string good = file_bytes("orientation_6.jpg");
  const std::size_t exif = good.find("MM");
  ASSERT_NE(exif, std::string::npos);
  const auto changed = [&](std::size_t at, char value) {
    std::string bytes = good;
    bytes[exif + at] = value;
    return bytes;
  };
  ASSERT_EQ(decode(good).width, 13);
  const std::vector<std::string> broken = {changed(0, 'X'),     // byte order
                                           changed(3, 43),      // magic
                                           changed(4, '\x7f'),  // directory far outside
                                           changed(7, '\x7e'),  // directory outside by some
                                           changed(13, 4),      // LONG, not SHORT
                                           changed(17, 2),      // two values
                                           changed(19, 0),     changed(19, 9), changed(18, 1)};
  for (std::size_t i = 0; i < broken.size(); ++i) {
    EXPECT_EQ(decode(broken[i]).width, 21) << i;
  }
}

TEST(Jpeg, EveryTruncationIsAnError) {
  for (const char* name : {"gray.jpg", "progressive.jpg", "cmyk.jpg", "orientation_6.jpg"}) {
    const std::string good = file_bytes(name);
    // The last two bytes mark the end.
    for (std::size_t size = 0; size < good.size() - 2; ++size) {
      EXPECT_THROW(decode(good.substr(0, size)), Error) << name << " " << size;
    }
  }
}

// Every flipped bit gives a picture or an Error, and leaks nothing (asan-ubsan preset).
TEST(Jpeg, DamageIsAnErrorOrAPicture) {
  for (const char* name : {"rgb_420.jpg", "progressive.jpg", "cmyk.jpg", "orientation_8.jpg"}) {
    const std::string good = file_bytes(name);
    for (std::size_t i = 0; i < good.size() * 8; i += 3) {
      std::string bytes = good;
      bytes[i / 8] = static_cast<char>(bytes[i / 8] ^ 1 << i % 8);
      try {
        const GrayImage image = decode(bytes);
        EXPECT_EQ(image.pixels.size(),
                  static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height));
      } catch (const Error&) {
      }
    }
  }
}

// The frame header: marker, length, bits, height, width.
std::string with_size(std::uint16_t width, std::uint16_t height) {
  std::string bytes = file_bytes("gray.jpg");
  const std::size_t frame = bytes.find("\xff\xc0");
  bytes[frame + 5] = static_cast<char>(height >> 8);
  bytes[frame + 6] = static_cast<char>(height);
  bytes[frame + 7] = static_cast<char>(width >> 8);
  bytes[frame + 8] = static_cast<char>(width);
  return bytes;
}

TEST(Jpeg, RejectsMalformedFiles) {
  const std::string good = file_bytes("gray.jpg");
  const std::size_t frame = good.find("\xff\xc0");
  std::string two_components = good;
  two_components.replace(frame, 13,
                         std::string("\xff\xc0\0\x0e\x08\0\x0d\0\x15\2\1\x11\0\2\x11\0", 16));
  std::string twelve_bits = good;
  twelve_bits[frame + 4] = 12;
  EXPECT_THAT(failure_of("\xff\xd8\xff"), HasSubstr("bad JPEG image: "));
  EXPECT_THAT(failure_of(good.substr(0, frame + 20)), HasSubstr("Premature end of JPEG file"));
  EXPECT_THAT(failure_of(with_size(0, 13)), HasSubstr("bad JPEG image: "));
  EXPECT_THAT(failure_of(with_size(16385, 1)), HasSubstr("image of 16385x1 pixels; at most 16384"));
  EXPECT_THAT(failure_of(with_size(16384, 16384)), HasSubstr("67108864 in all"));
  EXPECT_THAT(failure_of(with_size(8000, 8000)), HasSubstr("cannot hold 8000x8000 pixels"));
  EXPECT_THAT(failure_of(with_size(60, 60)), HasSubstr("premature end of data segment"));
  EXPECT_THAT(failure_of(two_components), StartsWith("photo.jpg: "));
  EXPECT_THAT(failure_of(twelve_bits), HasSubstr("12"));
  EXPECT_THAT(failure_of(good.substr(0, 2) + good.substr(2, 20) + "\xff\xd9"),
              StartsWith("photo.jpg: bad JPEG image: "));
}

// 8×8 gray pixels in three components of a scan each.
std::string three_scans() {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &bytes, &size);
  jpeg.image_width = jpeg.image_height = 8;
  jpeg.input_components = 3;
  jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&jpeg);
  std::array<jpeg_scan_info, 3> scans{};
  for (int i = 0; i < 3; ++i) {
    scans[static_cast<std::size_t>(i)].comps_in_scan = 1;
    scans[static_cast<std::size_t>(i)].component_index[0] = i;
    scans[static_cast<std::size_t>(i)].Se = 63;
  }
  jpeg.scan_info = scans.data();
  jpeg.num_scans = 3;
  jpeg_start_compress(&jpeg, TRUE);
  std::array<JSAMPLE, 24> row{};
  JSAMPROW line = row.data();
  while (jpeg.next_scanline < jpeg.image_height) jpeg_write_scanlines(&jpeg, &line, 1);
  jpeg_finish_compress(&jpeg);
  std::string file(reinterpret_cast<const char*>(bytes), size);
  jpeg_destroy_compress(&jpeg);
  std::free(bytes);
  return file;
}

// A file may send each block again and again: time without bound for few bytes.
TEST(Jpeg, ManyScansAreRefused) {
  const std::string good = three_scans();
  const std::size_t last = good.rfind("\xff\xda");
  const auto with_scans = [&](int count) {
    std::string bytes = good.substr(0, last);
    for (int scan = 2; scan < count; ++scan) bytes += good.substr(last, good.size() - 2 - last);
    return bytes + "\xff\xd9";
  };
  EXPECT_EQ(decode(with_scans(100)).width, 8);
  EXPECT_THAT(failure_of(with_scans(102)), HasSubstr("more than 100 scans"));
}

}  // namespace
}  // namespace ferplus
