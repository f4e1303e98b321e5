// PNG files through libpng.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace ferplus {

// Row-major, dense, 8 bits a pixel.
struct GrayImage {
  std::vector<std::uint8_t> pixels;
  int width = 0, height = 0;
};

// Largest side that is read, against files that claim to be huge.
inline constexpr int kMaxImageSide = 16384;

// Any PNG (gray, RGB, palette, 16-bit, alpha over black… ) as 8-bit gray; colour by ITU-R BT.601 luma
// (0.299, 0.587, 0.114). 8-bit gray files come back exactly. Throws Error with file and reason.
GrayImage read_png(const std::filesystem::path& path);
GrayImage read_png(std::span<const std::byte> bytes, const std::string& name);
// 8-bit gray, atomically. Throws Error.
void write_png(const std::filesystem::path& path, const std::uint8_t* pixels, int width,
               int height);

}  // namespace ferplus
