// How good predictions are.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include <nlohmann/json_fwd.hpp>

#include <ferplus/data/label_mode.h>
#include <ferplus/nn/probabilities.h>
#include <ferplus/train/significance.h>

namespace ferplus {

// Whether the largest logit is of a class with the largest target: of any that mode multi_target
// admits. REQUIRES: kClasses of each.
bool is_right(std::span<const float> logits, std::span<const float> target);

// How often predictions of about the same confidence are right, or agree with the votes. Confidence
// is the largest probability; bin b holds confidences in (b/15, (b+1)/15].
struct Reliability {
  struct Bin {
    std::size_t images = 0;
    double confidence = 0, hits = 0;  // sums over them
  };
  std::array<Bin, 15> bins{};

  // A hit is 1, or in part. REQUIRES: confidence <= 1.
  void add(double confidence, double hit);
  // Expected calibration error (Guo et al. 2017): Σ over bins |hits - confidence| / images.
  double error() const;
};

struct ClassMetrics {
  std::size_t support = 0;                       // images of the class
  std::size_t predicted = 0;                     // images that are said to be of it
  double precision = 0, recall = 0, f1 = 0;      // 0 where undefined
  Interval precision_interval, recall_interval;  // Wilson, 95 %
};

// Of predictions against one class per image.
struct Classification {
  std::size_t images = 0, correct = 0;  // correct: argmax of the logits equals the class
  double accuracy = 0;                  // 0 without images
  Interval accuracy_interval;           // Wilson, 95 %
  double macro_f1 = 0;                  // mean over the classes that occur
  Reliability reliability;
  std::array<ClassMetrics, kClasses> classes{};
  std::array<std::array<std::size_t, kClasses>, kClasses> confusion{};  // [class][prediction]
};

// REQUIRES: spans of equal size; classes in [0, kClasses).
Classification classify(std::span<const Logits> logits, std::span<const int> classes);

// What taggers chose, as shares of the votes for the eight classes; nothing for an image that mode
// crossentropy discards. Lone votes count here, unlike in that mode's training target.
std::optional<Target> vote_shares(const Votes& votes);

// Of predicted distributions against those of the votes; means over images, entropies in nats.
struct Agreement {
  std::size_t images = 0;
  double cross_entropy = 0;  // −Σ t·log p
  double kl_divergence = 0;  // Σ t·log(t/p)
  // Of ten taggers' votes, how many stand in another class than predicted: 10·Σ|t − p|/2, from 0 to
  // 10. The mean absolute error of a class's votes is a quarter of it.
  double misplaced_votes = 0;
  Reliability reliability;  // of the share of the votes that the predicted class has
  std::array<double, kClasses> mean_votes{}, mean_probabilities{};
};

Agreement agree(std::span<const Logits> logits, std::span<const Target> targets);

}  // namespace ferplus
