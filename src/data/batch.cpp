#include <algorithm>
#include <array>
#include <cassert>
#include <numeric>
#include <utility>

#include <ferplus/core/error.h>
#include <ferplus/core/parallel.h>
#include <ferplus/data/batch.h>

namespace ferplus {

BatchLoader::BatchLoader(const Dataset& dataset, Selection selection, const BatchOptions& options)
    : dataset_(&dataset), selection_(std::move(selection)), options_(options) {
  if (options_.batch_size < 1) {
    throw UsageError(concat("a batch has at least one image, not ", options_.batch_size));
  }
  if (options_.class_balance > 0) {
    weights_ = balancing_weights(selection_, options_.class_balance);
  }
  order_.resize(selection_.size());
  order_for(0);
}

Index BatchLoader::batches() const {
  return (images() + options_.batch_size - 1) / options_.batch_size;
}

Index BatchLoader::batch_images(Index batch) const {
  assert(batch >= 0 && batch < batches());
  return std::min(options_.batch_size, images() - batch * options_.batch_size);
}

void BatchLoader::order_for(std::uint32_t epoch) {
  ordered_epoch_ = epoch;
  std::iota(order_.begin(), order_.end(), std::uint32_t{0});
  // Fisher-Yates from the identity, never from the last order: an epoch's order must not depend on
  // which epochs came before it in this process.
  RandomSequence random({.seed = options_.seed, .stream = Stream::shuffle, .epoch = epoch});
  for (std::size_t left = order_.size(); left > 1; --left) {
    std::swap(order_[left - 1], order_[random.below(static_cast<std::uint32_t>(left))]);
  }
}

RandomSequence BatchLoader::draws(Stream stream, std::uint32_t epoch, const Sample& sample) const {
  return RandomSequence(
      {.seed = options_.seed, .stream = stream, .epoch = epoch, .sample = sample.draw_key});
}

Distortion BatchLoader::distortion(std::uint32_t epoch, const Sample& sample) const {
  RandomSequence random = draws(Stream::distortion, epoch, sample);
  Distortion distortion = draw_distortion(random, options_.distortion);
  if (options_.alternate_flip && options_.distortion.flip) {
    distortion.flip = draws(Stream::flip, 0, sample).coin() != (epoch % 2 == 1);
  }
  return distortion;
}

Target BatchLoader::training_target(std::size_t position, std::uint32_t epoch) const {
  RandomSequence labels = draws(Stream::label, epoch, sample(position));
  Target target = label_mode(selection_.mode).draw_target(selection_.targets[position], labels);
  const auto smoothing = static_cast<float>(options_.label_smoothing);
  const float weight = weights_.empty() ? 1.0F : static_cast<float>(weights_[position]);
  for (float& value : target) {
    value = weight * ((1 - smoothing) * value + smoothing / kClasses);
  }
  return target;
}

void BatchLoader::mix(std::uint32_t epoch, Index batch, TensorView input,
                      TensorView targets) const {
  parallel_for(batch_images(batch) / 2, [&](Index pair) {
    const std::array<Index, 2> n{2 * pair, 2 * pair + 1};
    std::array<float, 2> share;  // that an image keeps of itself
    for (std::size_t i = 0; i < 2; ++i) {
      RandomSequence random = draws(Stream::mixing, epoch, sample(position_of(batch, n[i])));
      share[i] = static_cast<float>(random.beta(options_.mixup));
    }
    const auto mix_pair = [&](float* first, float* second, Index size) {
      for (Index i = 0; i < size; ++i) {
        const float a = first[i], b = second[i];
        first[i] = share[0] * a + (1 - share[0]) * b;
        second[i] = share[1] * b + (1 - share[1]) * a;
      }
    };
    mix_pair(input.image(n[0]), input.image(n[1]), kInputPixels);
    mix_pair(targets.image(n[0]), targets.image(n[1]), kClasses);
  });
}

void BatchLoader::load(std::uint32_t epoch, Index batch, TensorView input, TensorView targets,
                       std::span<std::uint32_t> draw_keys) {
  if (options_.shuffle == Shuffle::every_epoch && epoch != ordered_epoch_) order_for(epoch);
  const Index count = batch_images(batch);
  const bool is_plain = epoch >= options_.plain_from;
  assert(input.batch() >= count && input.stride() == kInputPixels);
  assert(targets.batch() >= count && targets.stride() == kClasses);
  assert(draw_keys.empty() || draw_keys.size() >= static_cast<std::size_t>(count));
  parallel_for(count, [&](Index n) {
    const std::size_t position = position_of(batch, n);
    const Sample& face = sample(position);
    const std::span<float> pixels{input.image(n), kInputPixels};
    make_input(dataset_->image(face), face.face, distortion(epoch, face), options_.preprocessing,
               pixels);
    if (options_.erasing.probability > 0 && !is_plain) {
      RandomSequence random = draws(Stream::erasing, epoch, face);
      erase(draw_erasing(random, options_.erasing), pixels);
    }
    const Target target = training_target(position, epoch);
    std::copy(target.begin(), target.end(), targets.image(n));
    if (!draw_keys.empty()) draw_keys[static_cast<std::size_t>(n)] = face.draw_key;
  });
  if (options_.mixup > 0 && !is_plain) mix(epoch, batch, input, targets);
}

}  // namespace ferplus
