// How far a face leans to one side.
#pragma once

#include <optional>

#include <ferplus/io/image.h>

namespace ferplus {

// Degrees from upright, clockwise as the viewer sees it, of the face that a detector found in
// `box`: the turn of the picture that makes the detector's upright classifiers surest is its
// opposite. Within ±50; nothing if they are never sure. Some twenty detections on 200 × 200
// pixels. Throws Error in a build without face detection (detect/face_detector.h). Thread-safe.
std::optional<double> estimate_tilt(ImageView image, const Rectangle& box);

}  // namespace ferplus
