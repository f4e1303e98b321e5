#include <algorithm>
#include <cmath>
#include <numeric>

#include <ferplus/core/error.h>
#include <ferplus/data/face_crop.h>
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

std::array<float, kClasses> tempered(std::span<const float> logits, double temperature) {
  std::array<float, kClasses> result;
  for (std::size_t k = 0; k < kClasses; ++k) {
    result[k] = static_cast<float>(static_cast<double>(logits[k]) / temperature);
  }
  return result;
}

std::array<int, kClasses> expected_votes(const Probabilities& probabilities, int taggers) {
  std::array<int, kClasses> votes{};
  std::array<double, kClasses> remainders{};
  int left = taggers;
  for (std::size_t k = 0; k < kClasses; ++k) {
    const double share = static_cast<double>(probabilities[k]) * taggers;
    // Sums of floats may exceed 1 by a rounding: never more votes than there are.
    votes[k] = std::min(left, static_cast<int>(share));
    remainders[k] = share - votes[k];
    left -= votes[k];
  }
  std::array<std::size_t, kClasses> order;
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return remainders[a] != remainders[b] ? remainders[a] > remainders[b]
                                          : probabilities[a] > probabilities[b];
  });
  for (std::size_t i = 0; left > 0; --left) ++votes[order[i++ % kClasses]];
  return votes;
}

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
