// Which images of a split a label mode keeps, and their targets.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <ferplus/data/dataset.h>
#include <ferplus/data/label_mode.h>

namespace ferplus {

struct Selection {
  Split split = Split::train;
  LabelMode mode = LabelMode::majority;
  std::vector<std::size_t> samples;  // indices into Dataset::samples, rising
  std::vector<Target> targets;       // of each, before present()

  std::size_t size() const { return samples.size(); }
};

// The images of `split` that `mode` keeps, in the dataset's order; with `limit`, the first `limit`
// of them. Throws Error that names split and source if there are none. Evaluation uses
// LabelMode::majority, whatever the mode of training.
Selection select(const Dataset& dataset, Split split, LabelMode mode, std::size_t limit = 0);

// The same without the samples in `excluded` (indices, rising), for accuracy without twins. May be
// empty.
Selection without(const Selection& selection, std::span<const std::size_t> excluded);

}  // namespace ferplus
