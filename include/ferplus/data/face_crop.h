// Faces cut out of photographs the way FER2013's are, so that a network sees what it was trained
// on.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include <ferplus/io/image.h>

namespace ferplus {

// Side of FER2013's images: faces that are larger in a photograph are brought down to it before the
// warp to 64×64 (data/transform.h), which alone would skip pixels and give a sharpness that no
// training face has.
inline constexpr int kFaceSide = 48;

// The `face` of `image` at width × height pixels, each the mean of the area that it covers, pixels
// at its edges in part, rounded half up; exact in integers. Row-major. REQUIRES: the rectangle lies
// within the image, 1 <= width <= its width, 1 <= height <= its height, output.size() ==
// width·height. Thread-safe.
void area_average(ImageView image, const Rectangle& face, int width, int height,
                  std::span<std::uint8_t> output);

// The `face` of `image` as it is. REQUIRES: the rectangle lies within the image. Thread-safe.
GrayImage cut_out(ImageView image, const Rectangle& face);

// What the warp is to work on. A side of at most kFaceSide pixels stays: the warp enlarges it, as
// the reference does. A longer one is averaged down to kFaceSide; the picture is then a copy of the
// face alone.
class FaceImage {
 public:
  // REQUIRES: the rectangle lies within the image and is at least 1×1. Keeps a view of `image` if
  // no side is too long, so it must not outlive it. Allocates nothing.
  FaceImage(ImageView image, const Rectangle& face);
  FaceImage(const FaceImage&) = delete;  // its view may be of itself
  FaceImage& operator=(const FaceImage&) = delete;

  ImageView image() const { return image_; }
  const Rectangle& face() const { return face_; }

 private:
  std::array<std::uint8_t, std::size_t{kFaceSide} * kFaceSide> pixels_;
  ImageView image_;
  Rectangle face_;
};

// How FER2013 frames a face, against the box that dlib's frontal detector finds in it: the frame's
// side is kFrameScale times the box's, its middle kFrameRise box sides above the box's. Means over
// 2,613 faces found in rows 0 … 1,999 (enlarged fourfold, 16 pixels of edge repeated around them)
// and 3,000 … 4,499 (threefold, 20 pixels) of fer2013.csv: 41.44 pixels a side, middle at (23.84,
// 26.59) of 48.
inline constexpr double kFrameScale = 48 / 41.44;
inline constexpr double kFrameRise = (26.59 - 24) / 41.44;

// The square to cut out for a face that a detector found in `box`, which may reach outside of the
// picture of width × height pixels. Where the square would, it is moved inside, and made smaller if
// it does not fit at all. REQUIRES: box, width and height are at least 1×1.
Rectangle frame_face(const Rectangle& box, int width, int height);

}  // namespace ferplus
