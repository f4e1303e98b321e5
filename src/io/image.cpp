#include <cstring>
#include <utility>

#include <ferplus/core/error.h>
#include <ferplus/io/file.h>
#include <ferplus/io/image.h>

#include "io/decode.h"
#include "io/exif.h"

namespace ferplus {
namespace {

Pixels read_upright(std::span<const std::byte> bytes, const std::string& name, int channels) {
  int orientation = kUpright;
  Pixels pixels;
  switch (image_format(bytes)) {
    case ImageFormat::png:
      pixels = decode_png(bytes, name, channels);
      orientation = png_orientation(bytes);
      break;
    case ImageFormat::jpeg:
      pixels = decode_jpeg(bytes, name, channels, orientation);
      break;
    case ImageFormat::unknown:
      throw file_error(name, 0,
                       bytes.empty() ? "is empty, expected a PNG or JPEG image"
                                     : "is neither a PNG nor a JPEG image");
  }
  make_upright(pixels, orientation);
  return pixels;
}

}  // namespace

ImageFormat image_format(std::span<const std::byte> bytes) {
  const auto begins_with = [&](const void* start, std::size_t size) {
    return bytes.size() >= size && std::memcmp(bytes.data(), start, size) == 0;
  };
  if (begins_with("\x89PNG\r\n\x1a\n", 8)) return ImageFormat::png;
  if (begins_with("\xff\xd8\xff", 3)) return ImageFormat::jpeg;
  return ImageFormat::unknown;
}

void check_image_size(std::uint32_t width, std::uint32_t height, const std::string& format,
                      const std::string& name) {
  if (width == 0 || height == 0) {
    throw file_error(name, 0,
                     concat("bad ", format, " image: has ", width, "x", height, " pixels"));
  }
  if (width > kMaxImageSide || height > kMaxImageSide ||
      std::int64_t{width} * height > kMaxImagePixels) {
    throw file_error(name, 0,
                     concat("image of ", width, "x", height, " pixels; at most ", kMaxImageSide,
                            " a side and ", kMaxImagePixels, " in all are read"));
  }
}

GrayImage read_image(std::span<const std::byte> bytes, const std::string& name) {
  Pixels pixels = read_upright(bytes, name, 1);
  return {std::move(pixels.values), pixels.width, pixels.height};
}

ColorImage read_color_image(std::span<const std::byte> bytes, const std::string& name) {
  Pixels pixels = read_upright(bytes, name, 3);
  return {std::move(pixels.values), pixels.width, pixels.height};
}

GrayImage read_image(const std::filesystem::path& path) {
  const MappedFile file(path);
  return read_image(file.bytes(), path.string());
}

ColorImage read_color_image(const std::filesystem::path& path) {
  const MappedFile file(path);
  return read_color_image(file.bytes(), path.string());
}

}  // namespace ferplus
