// How good predictions are.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include <nlohmann/json_fwd.hpp>

#include <ferplus/data/label_mode.h>

namespace ferplus {

using Logits = std::array<float, kClasses>;

struct ClassMetrics {
  std::size_t support = 0;                   // images of the class
  double precision = 0, recall = 0, f1 = 0;  // 0 where undefined
};

// Of predictions against one class per image.
struct Classification {
  std::size_t images = 0;
  double accuracy = 0;  // argmax of the logits equals the class; 0 without images
  double macro_f1 = 0;  // mean over the classes that occur
  // Guo et al. 2017: 15 bins of equal width, confidence = largest probability.
  double expected_calibration_error = 0;
  std::array<ClassMetrics, kClasses> classes{};
  std::array<std::array<std::size_t, kClasses>, kClasses> confusion{};  // [class][prediction]
};

// REQUIRES: spans of equal size; classes in [0, kClasses).
Classification classify(std::span<const Logits> logits, std::span<const int> classes);

// Of predicted distributions against those of the votes; means over images, in nats.
struct Agreement {
  std::size_t images = 0;
  double cross_entropy = 0;  // −Σ t·log p
  double kl_divergence = 0;  // Σ t·log(t/p)
};

Agreement agree(std::span<const Logits> logits, std::span<const Target> targets);

}  // namespace ferplus
