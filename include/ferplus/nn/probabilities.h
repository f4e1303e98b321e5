// From a network's eight answers to probabilities, their order, and votes.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include <ferplus/data/label_mode.h>

namespace ferplus {

using Logits = std::array<float, kClasses>;
using Probabilities = std::array<float, kClasses>;
using LogProbabilities = std::array<double, kClasses>;

// log softmax of kClasses logits, without overflow.
LogProbabilities log_softmax(std::span<const float> logits);
// Its exponentials.
Probabilities softmax(std::span<const float> logits);

// logits/temperature, whose softmax is flatter (temperature > 1) or sharper with the same order.
// Guo et al. 2017, temperature scaling. At temperature 1 the same bits.
Logits tempered(std::span<const float> logits, double temperature);

// Classes, most probable first; equals in class order.
std::vector<std::size_t> ranked(const Probabilities& probabilities);

// Whole votes of `taggers` people, in proportion to the probabilities, by largest remainders (of
// equal ones the more probable class first, then the earlier); they sum to `taggers`. REQUIRES:
// probabilities that sum to 1, taggers >= 0.
std::array<int, kClasses> expected_votes(const Probabilities& probabilities, int taggers = 10);

}  // namespace ferplus
