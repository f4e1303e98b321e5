// In place of dlib_detector.cpp where the build has no dlib.
#include <ferplus/core/error.h>
#include <ferplus/detect/face_detector.h>

namespace ferplus {

bool detection_available() { return false; }

void require_detection() {
  throw Error(
      "this ferplus was built without face detection: install libdlib-dev, liblapack-dev and "
      "libblas-dev and build again");
}

std::unique_ptr<FaceDetector> make_face_detector(const DetectorOptions&) {
  require_detection();
  return nullptr;
}

}  // namespace ferplus
