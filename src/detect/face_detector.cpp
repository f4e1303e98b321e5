#include <array>

#include <ferplus/detect/face_detector.h>

namespace ferplus {

std::string_view pose_name(FacePose pose) {
  constexpr std::array<std::string_view, 5> kNames = {"front", "looking left", "looking right",
                                                      "tilted left", "tilted right"};
  return kNames[static_cast<std::size_t>(pose)];
}

}  // namespace ferplus
