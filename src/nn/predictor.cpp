#include <algorithm>
#include <cmath>

#include <ferplus/core/error.h>
#include <ferplus/data/face_crop.h>
#include <ferplus/nn/predictor.h>

namespace ferplus {

Predictor::Weights::Weights(Model given, Precision precision)
    : model(std::move(given)),
      preprocessing(model.preprocessing()),
      temperature(model.temperature()),
      prepared(model.network, model.parameters, precision) {}

Predictor::Predictor(Model model, Precision precision)
    : weights_(std::make_shared<const Weights>(std::move(model), precision)),
      session_(weights_->prepared, 1) {}

Predictor::Predictor(const Predictor& other)
    : weights_(other.weights_), session_(weights_->prepared, 1) {}

Probabilities Predictor::predict(ImageView image, const Rectangle& face) {
  if (face.left < 0 || face.top < 0 || face.right > image.width || face.bottom > image.height ||
      face.left >= face.right || face.top >= face.bottom) {
    throw Error(concat("face (", face.left, ", ", face.top, ", ", face.right, ", ", face.bottom,
                       ") is not within the image of ", image.width, "x", image.height));
  }
  const FaceImage shrunk(image, face);
  make_input(shrunk.image(), shrunk.face(), {}, weights_->preprocessing,
             {session_.input(1).data, static_cast<std::size_t>(kInputPixels)});
  const ConstTensorView logits = session_.forward(1, weights_->prepared);
  const auto answer =
      tempered({logits.data, static_cast<std::size_t>(kClasses)}, weights_->temperature);
  if (!std::ranges::all_of(answer, [](float v) { return std::isfinite(v); })) {
    throw Error("the model's answer is no number: its training diverged, or its file is damaged");
  }
  return softmax(answer);
}

}  // namespace ferplus
