#include "io/exif.h"

#include <cstdint>
#include <cstring>
#include <utility>

namespace ferplus {
namespace {

// Whole numbers of either byte order at places that may lie outside.
class TiffReader {
 public:
  explicit TiffReader(std::span<const std::byte> bytes, bool little)
      : bytes_(bytes), little_(little) {}

  // False if the number does not lie within the block.
  bool read(std::size_t at, std::size_t size, std::uint32_t& value) const {
    if (at > bytes_.size() || bytes_.size() - at < size) return false;
    value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t place = little_ ? at + size - 1 - i : at + i;
      value = value << 8 | std::to_integer<std::uint32_t>(bytes_[place]);
    }
    return true;
  }

 private:
  std::span<const std::byte> bytes_;
  bool little_;
};

}  // namespace

int tiff_orientation(std::span<const std::byte> tiff) {
  constexpr std::uint32_t kMagic = 42, kOrientation = 0x0112, kShort = 3;
  constexpr std::size_t kEntryBytes = 12;
  if (tiff.size() < 8) return kUpright;
  const bool little = std::memcmp(tiff.data(), "II", 2) == 0;
  if (!little && std::memcmp(tiff.data(), "MM", 2) != 0) return kUpright;
  const TiffReader reader(tiff, little);
  std::uint32_t magic = 0, directory = 0, entries = 0;
  if (!reader.read(2, 2, magic) || magic != kMagic || !reader.read(4, 4, directory) ||
      !reader.read(directory, 2, entries)) {
    return kUpright;
  }
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    std::uint32_t tag = 0, type = 0, count = 0, value = 0;
    if (!reader.read(entry, 2, tag)) return kUpright;
    if (tag != kOrientation) continue;
    const bool whole = reader.read(entry + 2, 2, type) && reader.read(entry + 4, 4, count) &&
                       reader.read(entry + 8, 2, value);
    const bool valid = whole && type == kShort && count == 1 && value >= 1 && value <= 8;
    return valid ? static_cast<int>(value) : kUpright;
  }
  return kUpright;
}

int png_orientation(std::span<const std::byte> file) {
  constexpr std::size_t kSignature = 8, kFrame = 12;  // length, type, checksum
  const TiffReader reader(file, false);
  std::uint32_t length = 0;
  for (std::size_t at = kSignature; reader.read(at, 4, length); at += kFrame + length) {
    const std::size_t left = file.size() - at;
    if (left < kFrame || left - kFrame < length) break;
    if (std::memcmp(file.data() + at + 4, "eXIf", 4) == 0) {
      return tiff_orientation(file.subspan(at + 8, length));
    }
  }
  return kUpright;
}

void make_upright(Pixels& pixels, int orientation) {
  if (orientation == kUpright) return;
  const bool transposed = orientation >= 5;
  const bool mirrored_x = orientation == 2 || orientation == 3 || orientation >= 7;
  const bool mirrored_y =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const auto width = static_cast<std::size_t>(pixels.width);
  const auto height = static_cast<std::size_t>(pixels.height);
  const auto channels = static_cast<std::size_t>(pixels.channels);
  std::vector<std::uint8_t> turned(pixels.values.size());
  std::uint8_t* to = turned.data();
  for (std::size_t y = 0; y < (transposed ? width : height); ++y) {
    for (std::size_t x = 0; x < (transposed ? height : width); ++x) {
      std::size_t from_y = transposed ? x : y, from_x = transposed ? y : x;
      if (mirrored_x) from_x = width - 1 - from_x;
      if (mirrored_y) from_y = height - 1 - from_y;
      const std::uint8_t* from = pixels.values.data() + (from_y * width + from_x) * channels;
      for (std::size_t c = 0; c < channels; ++c) *to++ = from[c];
    }
  }
  pixels.values = std::move(turned);
  if (transposed) std::swap(pixels.width, pixels.height);
}

}  // namespace ferplus
