// PNG files through libpng.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include <ferplus/io/image.h>

namespace ferplus {

// Any PNG as 8-bit gray. 8-bit gray files come back exactly, and fewer bits spread over 0..255. 16
// bits are rounded to 8; colour becomes ITU-R BT.601 luma in the fixed-point weights of Pillow's
// convert("L"); then alpha is laid over black. Gamma, colour profiles and EXIF are ignored. Throws
// Error with file and reason; what libpng would repair (stray data, palette indices out of range)
// is an error too. At most some five bytes a pixel are allocated, and only if the file is long
// enough to hold so many. Thread-safe.
GrayImage read_png(const std::filesystem::path& path);
GrayImage read_png(std::span<const std::byte> bytes, const std::string& name);

// The bytes of a PNG file of 8-bit gray. `name` stands for the file in messages. Throws as
// write_png.
std::vector<char> encode_png(const std::uint8_t* pixels, int width, int height,
                             const std::string& name);

// 8-bit gray, atomically (io/file.h). `pixels` has width·height values, row-major. Throws Error; a
// side below 1 or above kMaxImageSide is one.
void write_png(const std::filesystem::path& path, const std::uint8_t* pixels, int width,
               int height);
// The same of 8-bit RGB.
void write_png(const std::filesystem::path& path, const ColorImage& image);

}  // namespace ferplus
