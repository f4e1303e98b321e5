// How far accuracies are from chance: intervals, and whether two models differ.
#pragma once

#include <cstddef>
#include <span>

namespace ferplus {

struct Interval {
  double low = 0, high = 1;
};

// Wilson's score interval (1927) of a share, without continuity correction, at 95 %. Images are
// taken as independent draws: it covers the choice of test images, not of the training's seed.
// [0, 1] without trials. REQUIRES: successes <= trials.
Interval wilson_interval(std::size_t successes, std::size_t trials);

// Two models on the same images, by which of them is right.
struct Comparison {
  std::size_t both = 0, neither = 0, only_first = 0, only_second = 0;
  // Two-sided exact McNemar test: the chance, if each image on which one alone is right were as
  // likely to be the one's as the other's, of a split at least as uneven. 1 without such images.
  double p_value = 1;
};

// REQUIRES: spans of equal size, one entry per image.
Comparison compare(std::span<const int> classes, std::span<const int> first,
                   std::span<const int> second);

// p_value for these counts.
double exact_mcnemar(std::size_t only_first, std::size_t only_second);

}  // namespace ferplus
