// Which images of a split a label mode keeps, and their targets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <ferplus/data/dataset.h>
#include <ferplus/data/label_mode.h>

namespace ferplus {

struct Selection {
  Split split = Split::train;
  LabelMode mode = LabelMode::majority;
  std::vector<std::size_t> samples;  // indices into Dataset::samples, rising
  std::vector<Target> targets;       // of each, before LabelModeInfo::draw_target

  std::size_t size() const { return samples.size(); }
};

// The images of `split` that `mode` keeps, in the dataset's order. Throws Error that names split
// and source if there are none.
Selection select(const Dataset& dataset, Split split, LabelMode mode);

// The same without the samples in `excluded` (indices, rising), for accuracy without twins. May be
// empty.
Selection without(const Selection& selection, std::span<const std::size_t> excluded);
// The first `limit` of them; 0: all.
Selection first(Selection selection, std::size_t limit);

// `count` of them at random, for what must be measured on images that no training saw. An image's
// chance is keyed by (seed, Sample::draw_key), so another mode or a CSV in place of its folders
// holds out the same images as far as it has them. Throws UsageError unless some are left.
struct HoldOut {
  Selection rest, held_out;
};
HoldOut hold_out(const Dataset& dataset, const Selection& selection, std::size_t count,
                 std::uint64_t seed);

// A weight for each image, for classes of unequal size: proportional to Σ_k t_k·n_k^-exponent,
// where n_k = Σ t_k over the selection, with mean 1. exponent 0: all are 1; 1: every class weighs
// the same in all. REQUIRES: targets are distributions.
std::vector<double> balancing_weights(const Selection& selection, double exponent);

}  // namespace ferplus
