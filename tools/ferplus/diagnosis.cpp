#include "diagnosis.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace ferplus::tool {
namespace {

class Reasons {
 public:
  void add(Trust trust, std::string text) { reasons_.push_back({trust, std::move(text)}); }
  // `no` if the second holds, else `with_care` if the first does.
  void add(bool care, bool no, const std::string& text) {
    if (no || care) add(no ? Trust::no : Trust::with_care, text);
  }
  std::vector<Reason> worst_first() && {
    std::ranges::stable_sort(reasons_, std::ranges::greater{}, &Reason::trust);
    return std::move(reasons_);
  }

 private:
  std::vector<Reason> reasons_;
};

void examine_picture(const FaceQuality& quality, Reasons& reasons) {
  constexpr const char* kRare = "1 % of training faces or fewer are";
  const double sharpness = quality.sharpness();
  reasons.add(sharpness < kUsualSharpness.low, sharpness < kBlurred,
              fmt::format("blurred: sharpness {:.3f}, {} so blurred", sharpness, kRare));
  reasons.add(sharpness > kUsualSharpness.high, false,
              fmt::format("grainy or all edges: sharpness {:.3f}, {} so sharp", sharpness, kRare));
  reasons.add(
      quality.contrast < kUsualContrast.low, quality.contrast < kFlat,
      fmt::format("flat: contrast {:.1f} gray levels, {} so flat", quality.contrast, kRare));
  reasons.add(
      quality.contrast > kUsualContrast.high, false,
      fmt::format("harsh: contrast {:.1f} gray levels, {} so harsh", quality.contrast, kRare));
  reasons.add(quality.brightness < kUsualBrightness.low, false,
              fmt::format("dark: mean gray {:.0f}, {} so dark", quality.brightness, kRare));
  reasons.add(quality.brightness > kUsualBrightness.high, false,
              fmt::format("bright: mean gray {:.0f}, {} so bright", quality.brightness, kRare));
  reasons.add(quality.clipped > kUsualClipped.high, quality.clipped > kMostlyClipped,
              fmt::format("clipped: {:.0f} % of the face is pure black or white, {} so clipped",
                          100 * quality.clipped, kRare));
}

void examine_answer(const Probabilities& probabilities, Reasons& reasons) {
  const auto most = std::ranges::max_element(probabilities);
  if (*most >= 0.5F) return;
  reasons.add(Trust::with_care,
              fmt::format("the network is unsure: {} has {:.0f} % of the votes, less than half",
                          kClassNames[static_cast<std::size_t>(most - probabilities.begin())],
                          100 * *most));
}

}  // namespace

std::string_view trust_name(Trust trust) {
  constexpr std::array<std::string_view, 3> kNames = {"yes", "with_care", "no"};
  return kNames[static_cast<std::size_t>(trust)];
}

std::vector<Reason> examine(const Examination& examination) {
  Reasons reasons;
  if (examination.searched && examination.faces == 0) {
    reasons.add(Trust::no,
                "no face was found; predict --detect says no_face. If the picture is a face and "
                "little else, --no-detect takes it as a whole");
  }
  if (!examination.searched) {
    reasons.add(Trust::with_care, "nothing looked for a face: the whole picture is taken for one");
  }
  reasons.add(examination.size < kSmallFace, examination.size < kTinyFace,
              fmt::format("small: {} pixels a side, training faces have 48", examination.size));
  if (examination.tilt) {
    const double tilt = std::abs(*examination.tilt);
    reasons.add(tilt > kTilted, tilt > kFarTilted,
                fmt::format("tilted by {:.0f} degrees, training turns faces by up to 20", tilt));
  }
  examine_picture(examination.quality, reasons);
  if (examination.probabilities) examine_answer(*examination.probabilities, reasons);
  return std::move(reasons).worst_first();
}

Trust verdict(const std::vector<Reason>& reasons) {
  Trust trust = Trust::yes;
  for (const Reason& reason : reasons) trust = std::max(trust, reason.trust);
  return trust;
}

}  // namespace ferplus::tool
