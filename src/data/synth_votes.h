// Ten simulated taggers.
#pragma once

#include <array>

#include <ferplus/core/random.h>
#include <ferplus/data/label_mode.h>

#include "data/synth_expression.h"

namespace ferplus {

inline constexpr int kTaggers = 10;

// How likely a tagger is to vote for each of the ten columns; sums to 1.
std::array<double, kVoteColumns> expected_shares(const Portrayal& portrayal);

// Ten independent votes.
Votes draw_votes(const std::array<double, kVoteColumns>& shares, RandomSequence& random);

}  // namespace ferplus
