// From a face to the network's input, exactly as the reference implementation: warp to 64×64 in
// 8-bit gray, equalise the histogram, subtract the least-squares plane, scale to unit deviation.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include <ferplus/core/random.h>
#include <ferplus/io/image.h>

namespace ferplus {

inline constexpr int kInputSide = 64;
inline constexpr int kInputPixels = kInputSide * kInputSide;

// A random distortion of a training face. The default is the identity, which evaluation uses.
// Shifts in pixels of the output, angle in degrees, skews and scales as factors.
struct Distortion {
  double shift_y = 0, shift_x = 0, angle = 0, skew_y = 0, skew_x = 0, scale_y = 1, scale_x = 1;
  bool flip = false;  // left-right, after the warp
};

// Ranges that draw_distortion draws from; the defaults are the paper's recipe.
struct DistortionLimits {
  double shift = 0.08;  // ± this share of the output side
  double angle = 20;    // ± degrees
  double skew = 0.05;   // ±
  double scale = 1.05;  // in [1, scale], inverted with probability one half
  bool flip = true;     // with probability one half
};

// Draws in the reference's order: shift_y, shift_x, angle, skew_y, skew_x, scale_y, scale_x, flip.
Distortion draw_distortion(RandomSequence& random, const DistortionLimits& limits);

// Random erasing (Zhong, Zheng, Kang, Li, Yang, "Random erasing data augmentation", AAAI 2020), of
// a network's input.
struct ErasingLimits {
  double probability = 0;      // that a face loses a rectangle
  double largest_area = 0.33;  // of the rectangle, as a share of the face; the smallest is 0.02
};

// Draws whether, then the area (uniform), height over width (log-uniform in 0.3 … 1/0.3; sides
// longer than the face are cut to it) and the place, uniform within the face. Empty (0, 0, 0, 0):
// nothing is erased.
Rectangle draw_erasing(RandomSequence& random, const ErasingLimits& limits);

// Sets the pixels of the rectangle to 0, the mean gray of a normalised face. REQUIRES: it lies
// within the kInputPixels of `input`. Thread-safe.
void erase(const Rectangle& rectangle, std::span<float> input);

// The face rectangle of `image`, warped to kInputSide² pixels: bilinear in double, mirrored outside
// the image, rounded half up. REQUIRES: the rectangle lies within the image and is at least 1×1;
// output.size() == kInputPixels. Thread-safe.
void warp(ImageView image, const Rectangle& face, const Distortion& distortion,
          std::span<std::uint8_t> output);

// Histogram equalisation with the image's own cdf, minus the least-squares plane in (1, x, y), over
// the root mean square if that is above 1e-6. REQUIRES: both spans have kInputPixels. Thread-safe.
void normalize(std::span<const std::uint8_t> face, std::span<float> output);

// What a model wants its input to be; model files name it and every user of a model obeys.
enum class Preprocessing : std::uint8_t {
  ferplus,  // warp, then normalize: the paper's
  // warp, then (gray - 127.5) / 255: what the graph of the ONNX model zoo's emotion_ferplus makes
  // of its input of gray 0 … 255, and what exported graphs make of theirs.
  raw
};
// Of Preprocessing::raw, in single precision.
inline constexpr float kRawOffset = 127.5f, kRawDivisor = 255.0f;
// "ferplus", "raw". preprocessing_from_name throws UsageError that names the nearest one.
std::string_view preprocessing_name(Preprocessing preprocessing);
Preprocessing preprocessing_from_name(std::string_view name);

// One network input: warp, then what `preprocessing` says. REQUIRES: as warp and normalize.
// Thread-safe, allocates nothing.
void make_input(ImageView image, const Rectangle& face, const Distortion& distortion,
                Preprocessing preprocessing, std::span<float> output);

}  // namespace ferplus
