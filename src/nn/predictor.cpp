#include <algorithm>
#include <cmath>

#include <ferplus/core/error.h>
#include <ferplus/nn/predictor.h>

namespace ferplus {

Probabilities softmax(std::span<const float> logits) {
  const float largest = *std::max_element(logits.begin(), logits.end());
  std::array<double, kClasses> exponentials{};
  double sum = 0;
  for (std::size_t k = 0; k < kClasses; ++k) {
    sum += exponentials[k] =
        std::exp(static_cast<double>(logits[k]) - static_cast<double>(largest));
  }
  Probabilities probabilities;
  for (std::size_t k = 0; k < kClasses; ++k) {
    probabilities[k] = static_cast<float>(exponentials[k] / sum);
  }
  return probabilities;
}

Predictor::Predictor(Model model)
    : model_(std::move(model)),
      preprocessing_(model_.preprocessing()),
      prepared_(model_.network, model_.parameters),
      session_(model_.network, 1, Phase::inference) {}

Probabilities Predictor::predict(ImageView image, const Rectangle& face) {
  if (face.left < 0 || face.top < 0 || face.right > image.width || face.bottom > image.height ||
      face.left >= face.right || face.top >= face.bottom) {
    throw Error(concat("face (", face.left, ", ", face.top, ", ", face.right, ", ", face.bottom,
                       ") is not within the image of ", image.width, "x", image.height));
  }
  make_input(image, face, {}, preprocessing_,
             {session_.input(1).data, static_cast<std::size_t>(kInputPixels)});
  const ConstTensorView logits = session_.forward(1, prepared_);
  return softmax({logits.data, static_cast<std::size_t>(kClasses)});
}

}  // namespace ferplus
