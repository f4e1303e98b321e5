// The decoders behind io/image.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ferplus {

// Row-major; 1 channel (gray) or 3 (RGB), interleaved.
struct Pixels {
  std::vector<std::uint8_t> values;
  int width = 0, height = 0, channels = 1;
};

// ITU-R BT.601 in the fixed-point weights of Pillow's convert("L").
inline std::uint8_t luma(unsigned red, unsigned green, unsigned blue) {
  return static_cast<std::uint8_t>((19595U * red + 38470U * green + 7471U * blue + 32768U) >> 16);
}

// The picture as it is stored, not turned. `channels` is 1 or 3. Throw Error.
Pixels decode_png(std::span<const std::byte> bytes, const std::string& name, int channels);
// Sets `orientation` to what its EXIF says.
Pixels decode_jpeg(std::span<const std::byte> bytes, const std::string& name, int channels,
                   int& orientation);

// Throws Error for sides of 0 and for more than kMaxImageSide or kMaxImagePixels.
void check_image_size(std::uint32_t width, std::uint32_t height, const std::string& format,
                      const std::string& name);

}  // namespace ferplus
