// What a model says of the faces in a picture.
#pragma once

#include <optional>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <ferplus/detect/face_detector.h>
#include <ferplus/nn/predictor.h>

namespace ferplus {

struct FacePrediction {
  Rectangle crop;                         // what the network saw
  std::optional<DetectedFace> detection;  // none: the whole picture was taken for the face
  Probabilities probabilities{};
};

// Of each face that `detector` finds, from left to right; without a detector the picture is one
// face. Throws Error as they do. As thread-safe as they are.
std::vector<FacePrediction> predict_faces(ImageView image, Predictor& predictor,
                                          FaceDetector* detector);

// Box found, score and pose, of a face that was looked for; and crop. Rectangles are [left, top,
// right, bottom].
nlohmann::ordered_json face_json(const Rectangle& crop,
                                 const std::optional<DetectedFace>& detection);
// Label, probability and expected votes of ten, most probable first. REQUIRES: they sum to 1.
nlohmann::ordered_json predictions_json(const Probabilities& probabilities);
// The face, and its "predictions".
nlohmann::ordered_json to_json(const FacePrediction& face);

}  // namespace ferplus
