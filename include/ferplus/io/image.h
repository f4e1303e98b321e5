// Pictures in memory, and photographs in files: PNG or JPEG, whichever the file's first bytes say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace ferplus {

// An 8-bit gray image that somebody else owns, row-major and dense.
struct ImageView {
  const std::uint8_t* pixels = nullptr;
  int width = 0, height = 0;
};

// In pixels; right and bottom are exclusive: (0, 0, 48, 48) is a whole FER2013 image.
struct Rectangle {
  int left = 0, top = 0, right = 0, bottom = 0;
  bool operator==(const Rectangle&) const = default;
};

// Row-major, dense, 8 bits a pixel.
struct GrayImage {
  std::vector<std::uint8_t> pixels;
  int width = 0, height = 0;
  // Valid as long as `pixels` stays as it is.
  ImageView view() const { return {pixels.data(), width, height}; }
};

// Row-major, dense, 8 bits each of red, green and blue a pixel.
struct ColorImage {
  std::vector<std::uint8_t> pixels;
  int width = 0, height = 0;
};

// Largest side and most pixels that are read, against files that claim to be huge.
inline constexpr int kMaxImageSide = 16384;
inline constexpr std::int64_t kMaxImagePixels = std::int64_t{1} << 26;

enum class ImageFormat : std::uint8_t { unknown, png, jpeg };
// By the first bytes; says nothing about the rest.
ImageFormat image_format(std::span<const std::byte> bytes);

// Whether this build reads JPEG (libjpeg-turbo, a component of the build).
bool jpeg_available();

// A photograph as 8-bit gray, turned upright as its EXIF orientation (1 … 8) says; EXIF that cannot
// be read counts as upright. PNG as read_png (io/png.h). JPEG: baseline, progressive or arithmetic,
// 8 bits; gray is the Y of YCbCr, the luma of RGB; CMYK and YCCK are taken as Adobe stores them,
// inverted. What libjpeg would repair with a loss of picture (a cut file, damaged data) is an
// error; bytes after the picture or between its segments are not. Colour profiles are ignored.
//
// Throws Error with file and reason; of a JPEG in a build without, the missing package. Memory is
// bounded by the limits above; a progressive JPEG whose coefficients need more than 224 MB, or one
// of more than 100 scans, is refused. Thread-safe.
GrayImage read_image(const std::filesystem::path& path);
GrayImage read_image(std::span<const std::byte> bytes, const std::string& name);

// The same in colour; alpha is laid over black.
ColorImage read_color_image(const std::filesystem::path& path);
ColorImage read_color_image(std::span<const std::byte> bytes, const std::string& name);

}  // namespace ferplus
