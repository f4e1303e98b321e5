// How good the picture of a face is that a network is to judge, measured on what it sees.
#pragma once

#include <cstdint>
#include <span>

#include <ferplus/data/transform.h>

namespace ferplus {

struct FaceQuality {
  // Variance of the Laplacian (its four neighbours minus four times a pixel; Pech-Pacheco et al.,
  // "Diatom autofocusing in brightfield microscopy", ICPR 2000) in squared gray levels.
  double laplacian_variance = 0;
  double contrast = 0;    // standard deviation in gray levels, 0 … 127.5
  double brightness = 0;  // mean gray level, 0 … 255
  double clipped = 0;     // share of pixels that are 0 or 255: detail that the camera lost
  // laplacian_variance / contrast²: how sharp, whatever the contrast; 0 without any contrast.
  double sharpness() const { return contrast > 0 ? laplacian_variance / (contrast * contrast) : 0; }
};

// Of a face as `warp` (data/transform.h) gives it. REQUIRES: face.size() == kInputPixels.
// Thread-safe.
FaceQuality measure_quality(std::span<const std::uint8_t> face);

}  // namespace ferplus
