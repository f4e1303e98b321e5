#include <nlohmann/json.hpp>

#include <ferplus/data/face_crop.h>
#include <ferplus/nn/photograph.h>

namespace ferplus {
namespace {

using nlohmann::ordered_json;

ordered_json corners(const Rectangle& r) { return {r.left, r.top, r.right, r.bottom}; }

}  // namespace

std::vector<FacePrediction> predict_faces(ImageView image, Predictor& predictor,
                                          FaceDetector* detector) {
  if (detector == nullptr) {
    const Rectangle whole{0, 0, image.width, image.height};
    return {{whole, std::nullopt, predictor.predict(image, whole)}};
  }
  std::vector<FacePrediction> faces;
  for (const DetectedFace& face : detector->detect(image)) {
    const Rectangle crop = frame_face(face.box, image.width, image.height);
    faces.push_back({crop, face, predictor.predict(image, crop)});
  }
  return faces;
}

ordered_json to_json(const FacePrediction& face) {
  ordered_json json;
  if (face.detection) {
    json["box"] = corners(face.detection->box);
    json["score"] = face.detection->score;
    json["pose"] = pose_name(face.detection->pose);
  }
  json["crop"] = corners(face.crop);
  const auto votes = expected_votes(face.probabilities);
  for (const std::size_t k : ranked(face.probabilities)) {
    json["predictions"].push_back(
        {{"label", kClassNames[k]}, {"probability", face.probabilities[k]}, {"votes", votes[k]}});
  }
  return json;
}

}  // namespace ferplus
