// Whether to trust what a network says of a face: `doctor`'s judgement.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ferplus/data/face_quality.h>
#include <ferplus/nn/probabilities.h>

namespace ferplus::tool {

// What holds for all but 1 % of FER2013's 28,561 training faces on either side.
struct Range {
  double low, high;
};
inline constexpr Range kUsualSharpness{0.0467, 0.480}, kUsualContrast{24.4, 85.5},
    kUsualBrightness{52, 203}, kUsualClipped{0, 0.175};
// What 0.1 % of them do not reach or exceed.
inline constexpr double kBlurred = 0.0284, kFlat = 17.6, kMostlyClipped = 0.32;

// Pixels a side. 1,000 public faces of FER2013 (48 pixels: right 77.6 %) averaged down lose next to
// nothing at 32 (77.0 %), some at 24 (71.6 %) and much at 20 (64.1 %); `vgg13_bn`, majority, of
// data/results.
inline constexpr int kSmallFace = 32, kTinyFace = 20;
// Degrees: training turns faces by up to 20.
inline constexpr double kTilted = 20, kFarTilted = 40;

struct Examination {
  bool searched = false;  // for faces
  std::size_t faces = 0;  // found
  int size = 0;           // shorter side of what the network sees, in pixels of the photograph
  std::optional<double> tilt{};
  FaceQuality quality{};
  std::optional<Probabilities> probabilities{};
};

enum class Trust : std::uint8_t { yes, with_care, no };
// "yes", "with_care", "no".
std::string_view trust_name(Trust trust);

struct Reason {
  Trust trust;  // what it leaves
  std::string text;
};

// Worst first; empty: nothing speaks against it.
std::vector<Reason> examine(const Examination& examination);
// The least that a reason leaves.
Trust verdict(const std::vector<Reason>& reasons);

}  // namespace ferplus::tool
