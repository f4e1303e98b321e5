// One face in, eight probabilities out: preprocessing, network and softmax.
#pragma once

#include <memory>

#include <ferplus/data/transform.h>
#include <ferplus/nn/model_file.h>
#include <ferplus/nn/probabilities.h>
#include <ferplus/nn/session.h>

namespace ferplus {

// A model and the memory to run it. Not thread-safe: one predictor per thread, or a lock; it uses
// thread_count() threads itself.
class Predictor {
 public:
  explicit Predictor(Model model, Precision precision = Precision::fp32);
  // For another thread: shares the model and its packed weights, has working memory of its own.
  // `other` may be in use meanwhile.
  Predictor(const Predictor& other);
  Predictor& operator=(const Predictor&) = delete;

  const Model& model() const { return weights_->model; }
  // Probabilities of the classes for the face in `rectangle` of `image`, tempered as the model's
  // metadata say (Model::temperature). A face of more than 48 pixels a side is averaged down to
  // them first (data/face_crop.h). Throws Error if the rectangle is empty or not within the image,
  // or if the network's answer is no number, as after a training that diverged.
  Probabilities predict(ImageView image, const Rectangle& face);
  // The whole image is the face.
  Probabilities predict(ImageView image) {
    return predict(image, {0, 0, image.width, image.height});
  }

 private:
  struct Weights {
    Weights(Model given, Precision precision);
    Model model;
    Preprocessing preprocessing;
    double temperature;
    PreparedModel prepared;  // refers to model
  };

  std::shared_ptr<const Weights> weights_;
  Session session_;
};

}  // namespace ferplus
