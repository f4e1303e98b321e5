// How good predictions are.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include <nlohmann/json_fwd.hpp>

#include <ferplus/data/label_mode.h>
#include <ferplus/train/significance.h>

namespace ferplus {

using Logits = std::array<float, kClasses>;

struct ClassMetrics {
  std::size_t support = 0;                   // images of the class
  double precision = 0, recall = 0, f1 = 0;  // 0 where undefined
  Interval recall_interval;                  // Wilson, 95 %
};

// Of predictions against one class per image.
struct Classification {
  std::size_t images = 0, correct = 0;  // correct: argmax of the logits equals the class
  double accuracy = 0;                  // 0 without images
  Interval accuracy_interval;           // Wilson, 95 %
  double macro_f1 = 0;                  // mean over the classes that occur
  // Guo et al. 2017: 15 bins of equal width, confidence = largest probability.
  double expected_calibration_error = 0;
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
  // As expected_calibration_error, of the share of the votes that the predicted class has.
  double calibration_error = 0;
};

Agreement agree(std::span<const Logits> logits, std::span<const Target> targets);

}  // namespace ferplus
