// Batches of network inputs and targets for training, made anew from the images of a selection.
// (Evaluation shows faces as they are: train/evaluate.h.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <ferplus/core/random.h>
#include <ferplus/core/tensor.h>
#include <ferplus/data/dataset.h>
#include <ferplus/data/selection.h>
#include <ferplus/data/transform.h>

namespace ferplus {

enum class Shuffle : std::uint8_t {
  once,        // one random order for all epochs, as the paper's recipe
  every_epoch  // a new one each epoch
};

struct BatchOptions {
  Index batch_size = 32;
  std::uint64_t seed = 0;
  Shuffle shuffle = Shuffle::once;
  DistortionLimits distortion{};
  // With distortion.flip: an image is mirrored in every other epoch, from its own random start, in
  // place of a coin each epoch (Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", 2024).
  bool alternate_flip = false;
  ErasingLimits erasing{};
  // What becomes of targets once the mode has drawn its label. All three want distributions
  // (LossKind::cross_entropy); the loss takes targets of any sum, so a weight is a factor of them.
  double label_smoothing = 0;  // the share that is spread evenly over the classes
  double class_balance = 0;    // the exponent of balancing_weights
  // Mixup (Zhang et al., ICLR 2018): images 2i and 2i + 1 of a batch become mixtures of the two,
  // targets too, each with a share of its own from Beta(mixup, mixup); 0: none. An odd last image
  // stays alone. Partners are within a micro-batch, and meet again in every epoch unless the order
  // changes.
  double mixup = 0;
  // From this epoch on (counted from 0) neither erased rectangles nor mixtures: the last epochs
  // show a network whole faces again.
  std::uint32_t plain_from = std::numeric_limits<std::uint32_t>::max();
  Preprocessing preprocessing = Preprocessing::ferplus;
};

// Batch b of epoch e is a pure function of (selection, images, options, e, b): the order comes from
// Stream::shuffle, distortions, erased rectangles, drawn labels and shares of mixtures from
// Stream::distortion, erasing, label and mixing keyed by (seed, epoch, Sample::draw_key), the start
// of alternating flips from Stream::flip without the epoch. So a CSV and the folders made from it
// give the same bits, on any number of threads, and a run can resume at any batch.
class BatchLoader {
 public:
  // `selection` is of `dataset`, which must outlive the loader. Throws UsageError if batch_size
  // < 1.
  BatchLoader(const Dataset& dataset, Selection selection, const BatchOptions& options);

  const Selection& selection() const { return selection_; }
  Index images() const { return static_cast<Index>(selection_.size()); }
  Index batch_size() const { return options_.batch_size; }
  // Per epoch; the last one may be short.
  Index batches() const;
  // Images of that batch. REQUIRES: 0 <= batch < batches().
  Index batch_images(Index batch) const;

  // Fills the first n = batch_images(batch) entries of `input` [≥n, 64, 64, 1], `targets` [≥n, 8]
  // and `draw_keys` (Sample::draw_key; may be empty: not wanted). Parallel inside, allocates
  // nothing. Not thread-safe.
  void load(std::uint32_t epoch, Index batch, TensorView input, TensorView targets,
            std::span<std::uint32_t> draw_keys = {});
  // Of image n of a batch of the epoch that was loaded last: its place in Dataset::samples.
  // REQUIRES: 0 <= n < batch_images(batch).
  std::size_t sample_index(Index batch, Index n) const {
    return selection_.samples[position_of(batch, n)];
  }

 private:
  void order_for(std::uint32_t epoch);
  // Position in the selection of image n of a batch.
  std::size_t position_of(Index batch, Index n) const {
    return order_[static_cast<std::size_t>(batch * options_.batch_size + n)];
  }
  const Sample& sample(std::size_t position) const {
    return dataset_->samples[selection_.samples[position]];
  }
  RandomSequence draws(Stream stream, std::uint32_t epoch, const Sample& sample) const;
  Distortion distortion(std::uint32_t epoch, const Sample& sample) const;
  Target training_target(std::size_t position, std::uint32_t epoch) const;
  void mix(std::uint32_t epoch, Index batch, TensorView input, TensorView targets) const;

  const Dataset* dataset_;
  Selection selection_;
  BatchOptions options_;
  std::vector<double> weights_;       // of the selection's images; empty: all 1
  std::vector<std::uint32_t> order_;  // of ordered_epoch_: positions in the selection
  std::uint32_t ordered_epoch_ = 0;
};

}  // namespace ferplus
