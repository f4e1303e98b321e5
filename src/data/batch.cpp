#include <algorithm>
#include <cassert>
#include <numeric>
#include <utility>

#include <ferplus/core/error.h>
#include <ferplus/core/parallel.h>
#include <ferplus/data/batch.h>

namespace ferplus {

BatchLoader::BatchLoader(const FaceSource& faces, Selection selection, const BatchOptions& options)
    : faces_(&faces), selection_(std::move(selection)), options_(options) {
  if (options_.batch_size < 1) {
    throw UsageError(concat("a batch has at least one image, not ", options_.batch_size));
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
  if (options_.shuffle == Shuffle::none) return;
  // Fisher-Yates from the identity, never from the last order: an epoch's order must not depend on
  // which epochs came before it in this process.
  RandomSequence random({.seed = options_.seed, .stream = Stream::shuffle, .epoch = epoch});
  for (std::size_t left = order_.size(); left > 1; --left) {
    std::swap(order_[left - 1], order_[random.below(static_cast<std::uint32_t>(left))]);
  }
}

Index BatchLoader::load(std::uint32_t epoch, Index batch, TensorView input, TensorView targets,
                        std::span<std::size_t> samples) {
  if (options_.shuffle == Shuffle::every_epoch && epoch != ordered_epoch_) order_for(epoch);
  const Index count = batch_images(batch);
  assert(input.batch() >= count && input.stride() == kInputPixels);
  assert(targets.batch() >= count && targets.stride() == kClasses);
  assert(samples.empty() || samples.size() >= static_cast<std::size_t>(count));
  const LabelModeInfo& mode = label_mode(selection_.mode);
  parallel_for(count, [&](Index n) {
    const std::size_t chosen = order_[static_cast<std::size_t>(batch * options_.batch_size + n)];
    const std::size_t sample = selection_.samples[chosen];
    const FaceSource::Face face = faces_->face(sample);
    RandomKey key{
        .seed = options_.seed, .stream = Stream::distortion, .epoch = epoch, .sample = face.index};
    Distortion distortion;
    Target target = selection_.targets[chosen];
    if (options_.augment) {
      RandomSequence distortions(key);
      distortion = draw_distortion(distortions, options_.distortion);
      key.stream = Stream::label;
      RandomSequence labels(key);
      target = mode.present(target, labels);
    }
    make_input(face.image, face.rectangle, distortion, options_.preprocessing,
               {input.image(n), kInputPixels});
    std::copy(target.begin(), target.end(), targets.image(n));
    if (!samples.empty()) samples[static_cast<std::size_t>(n)] = sample;
  });
  return count;
}

}  // namespace ferplus
