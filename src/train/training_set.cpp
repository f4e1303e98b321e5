#include <cmath>
#include <utility>

#include <ferplus/core/error.h>
#include <ferplus/core/hash.h>
#include <ferplus/data/fer_csv.h>
#include <ferplus/data/statistics.h>
#include <ferplus/train/training_set.h>

namespace ferplus {
namespace {

DistortionLimits distortion_limits(const Recipe& recipe) {
  if (!recipe.distort) return {.shift = 0, .angle = 0, .skew = 0, .scale = 1, .flip = false};
  return {.shift = recipe.shift,
          .angle = recipe.angle,
          .skew = recipe.skew,
          .scale = recipe.scale,
          .flip = recipe.flip};
}

std::uint32_t plain_from(const Recipe& recipe) {
  return static_cast<std::uint32_t>(
      std::lround((1 - recipe.plain_end) * static_cast<double>(recipe.epochs)));
}

}  // namespace

TrainingSet training_set(const Dataset& dataset, const RunConfig& config) {
  TrainingSet set;
  set.training = select(dataset, Split::train, config.mode);
  if (config.drop_leaks) {
    const std::size_t kept = set.training.size();
    set.training = without(set.training, train_samples_with_test_twin(dataset));
    set.leaks = kept - set.training.size();
    if (set.training.size() == 0) {
      throw Error(concat(dataset.source, ": every training image is also in the public or private ",
                         "split, so that drop_leaks leaves none"));
    }
  }
  HoldOut parts = hold_out(dataset, set.training, config.hold_out, config.seed);
  set.held_out = std::move(parts.held_out);
  set.training = first(std::move(parts.rest), config.limit);
  return set;
}

std::string fingerprint(const Dataset& dataset, std::span<const std::size_t> samples) {
  Fingerprint fingerprint;
  for (std::size_t i : samples) {
    const Sample& sample = dataset.samples[i];
    const ImageView image = dataset.image(sample);
    fingerprint.update(std::as_bytes(std::span(&sample.draw_key, 1)));
    fingerprint.update(std::as_bytes(std::span(sample.votes)));
    if (sample.face != Rectangle{0, 0, kFerSide, kFerSide}) {
      fingerprint.update(std::as_bytes(std::span(&sample.face, 1)));
    }
    fingerprint.update(std::as_bytes(
        std::span(image.pixels, static_cast<std::size_t>(image.width * image.height))));
  }
  return fingerprint.text();
}

BatchOptions training_batches(const RunConfig& config) {
  const Recipe& recipe = config.recipe;
  return {.batch_size = recipe.batch,
          .seed = config.seed,
          .shuffle = recipe.shuffle == "once" ? Shuffle::once : Shuffle::every_epoch,
          .distortion = distortion_limits(recipe),
          .alternate_flip = recipe.alternate_flip,
          .erasing = {.probability = recipe.erase, .largest_area = recipe.erase_area},
          .label_smoothing = recipe.label_smoothing,
          .class_balance = recipe.class_balance,
          .mixup = recipe.mixup,
          .plain_from = plain_from(recipe),
          .preprocessing = config.preprocessing};
}

}  // namespace ferplus
