// How a camera was held: the orientation that EXIF (CIPA DC-008, tag 0x0112) states.
#pragma once

#include <cstddef>
#include <span>

#include "io/decode.h"

namespace ferplus {

inline constexpr int kUpright = 1;

// 1 … 8, of a TIFF block as it stands in a JPEG's APP1 after "Exif\0\0" and in a PNG's eXIf chunk.
// kUpright where it states none or cannot be read.
int tiff_orientation(std::span<const std::byte> tiff);

// Of a whole PNG file.
int png_orientation(std::span<const std::byte> file);

// Turns and mirrors a stored picture so that it stands upright. REQUIRES: 1 <= orientation <= 8.
void make_upright(Pixels& pixels, int orientation);

}  // namespace ferplus
