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

ordered_json face_json(const Rectangle& crop, const std::optional<DetectedFace>& detection) {
  ordered_json json;
  if (detection) {
    json["box"] = corners(detection->box);
    json["score"] = detection->score;
    json["pose"] = pose_name(detection->pose);
  }
  json["crop"] = corners(crop);
  return json;
}

ordered_json predictions_json(const Probabilities& probabilities) {
  ordered_json list;
  const auto votes = expected_votes(probabilities);
  for (const std::size_t k : ranked(probabilities)) {
    list.push_back(
        {{"label", kClassNames[k]}, {"probability", probabilities[k]}, {"votes", votes[k]}});
  }
  return list;
}

ordered_json to_json(const FacePrediction& face) {
  ordered_json json = face_json(face.crop, face.detection);
  json["predictions"] = predictions_json(face.probabilities);
  return json;
}

}  // namespace ferplus
