// PNG files put together chunk by chunk, right or wrong.
#pragma once

#include <cstdint>
#include <string>

#include <zlib.h>

namespace ferplus {

inline const std::string kPngSignature = "\x89PNG\r\n\x1a\n";

inline std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

inline std::string png_chunk(const std::string& type, const std::string& data) {
  const std::string body = type + data;
  const auto checksum = static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size())));
  return big_endian(static_cast<std::uint32_t>(data.size())) + body + big_endian(checksum);
}

enum PngColour { kGray = 0, kRgb = 2, kPalette = 3, kGrayAlpha = 4, kRgba = 6 };

inline std::string png_header(std::uint32_t width, std::uint32_t height, int bits, int colour,
                              int interlace = 0) {
  return png_chunk("IHDR", big_endian(width) + big_endian(height) + static_cast<char>(bits) +
                               static_cast<char>(colour) + std::string(2, '\0') +
                               static_cast<char>(interlace));
}

inline std::string deflated(const std::string& data) {
  uLongf size = compressBound(static_cast<uLong>(data.size()));
  std::string bytes(size, '\0');
  compress(reinterpret_cast<Bytef*>(bytes.data()), &size,
           reinterpret_cast<const Bytef*>(data.data()), static_cast<uLong>(data.size()));
  bytes.resize(size);
  return bytes;
}

// `rows`: each row begins with its filter byte.
inline std::string png_data(const std::string& rows) { return png_chunk("IDAT", deflated(rows)); }

inline std::string png_end() { return png_chunk("IEND", ""); }

}  // namespace ferplus
