// Where in a photograph the faces are. Found by dlib's frontal face detector (histograms of
// oriented gradients and five linear classifiers: King, "Max-margin object detection",
// arXiv 1502.00046), a component of the build.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <ferplus/io/image.h>

namespace ferplus {

// Which of the detector's classifiers was surest.
enum class FacePose : std::uint8_t { front, left, right, tilted_left, tilted_right };
// "front", "looking left" … "tilted right", as the viewer sees it.
std::string_view pose_name(FacePose pose);

struct DetectedFace {
  Rectangle box;     // from brows to chin, in pixels of the photograph; may reach outside of it
  double score = 0;  // distance from the decision: sure from about 1; at least the least asked for
  FacePose pose = FacePose::front;
};

struct DetectorOptions {
  // Side in pixels of the smallest box that is looked for, 20 … kMaxImageSide; 0: 40, and in large
  // photographs a 25th of the longer side. The photograph is enlarged or shrunk so that such a box
  // has the 80 pixels of the classifiers: time grows with (longer side / smallest face)².
  int smallest_face = 0;
  double least_score = 0;
};

// An interface, so that users of detectors can be tested without one.
class FaceDetector {
 public:
  virtual ~FaceDetector() = default;
  // Left to right by the middle of the box, equals top to bottom. Throws Error if the photograph,
  // enlarged as the options want, has more than kMaxImagePixels.
  virtual std::vector<DetectedFace> detect(ImageView image) = 0;
};

// Whether this build has the component.
bool detection_available();
// Throws Error that names the missing packages in a build without it.
void require_detection();

// Not thread-safe: one detector per thread. Throws UsageError for options out of range, Error as
// require_detection.
std::unique_ptr<FaceDetector> make_face_detector(const DetectorOptions& options = {});

}  // namespace ferplus
