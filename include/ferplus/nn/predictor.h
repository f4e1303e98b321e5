// One face in, eight probabilities out: preprocessing, network and softmax.
#pragma once

#include <array>
#include <span>

#include <ferplus/data/transform.h>
#include <ferplus/nn/model_file.h>
#include <ferplus/nn/session.h>

namespace ferplus {

using Probabilities = std::array<float, kClasses>;

// softmax(logits) of one row, computed without overflow.
Probabilities softmax(std::span<const float> logits);

// Owns a model and the memory to run it. Not thread-safe: one predictor per thread, or a lock; it
// uses thread_count() threads itself.
class Predictor {
 public:
  explicit Predictor(Model model);
  Predictor(const Predictor&) = delete;  // its parts refer to one another
  Predictor& operator=(const Predictor&) = delete;

  const Model& model() const { return model_; }
  // Probabilities of the classes for the face in `rectangle` of `image`. Throws Error if the
  // rectangle is empty or not within the image.
  Probabilities predict(ImageView image, const Rectangle& face);
  // The whole image is the face.
  Probabilities predict(ImageView image) {
    return predict(image, {0, 0, image.width, image.height});
  }

 private:
  Model model_;
  Preprocessing preprocessing_;
  PreparedModel prepared_;
  Session session_;
};

}  // namespace ferplus
