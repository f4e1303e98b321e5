// The learning rate over a run.
#pragma once

#include <vector>

#include <ferplus/train/recipe.h>

namespace ferplus {

class Schedule {
 public:
  // Throws UsageError if the recipe's milestones are not rising "progress:factor" pairs.
  explicit Schedule(const Recipe& recipe);

  // The rate of a step; `progress` is steps done / steps of the whole run, in [0, 1).
  double rate(double progress) const;

 private:
  struct Milestone {
    double progress, factor;
  };
  enum class Kind { step, one_cycle, constant };
  Kind kind_;
  double highest_, warmup_, warmup_start_;
  std::vector<Milestone> milestones_;
};

}  // namespace ferplus
