// The learning rate over a run.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include <ferplus/train/recipe.h>

namespace ferplus {

// "step", "one_cycle", "cosine", "constant".
std::span<const std::string_view> schedule_names();

class Schedule {
 public:
  // Throws UsageError if the recipe's schedule is none of them, or if its milestones are not rising
  // "progress:factor" pairs.
  explicit Schedule(const Recipe& recipe);

  // The rate of a step; `progress` is steps done / steps of the whole run, in [0, 1).
  double rate(double progress) const;

 private:
  struct Milestone {
    double progress, factor;
  };
  double factor(double progress) const;  // of the highest rate

  enum class Kind { step, one_cycle, cosine, constant };  // as in schedule_names()
  static Kind kind_from_name(std::string_view name);

  Kind kind_;
  double highest_, warmup_, warmup_start_;
  std::vector<Milestone> milestones_;
};

}  // namespace ferplus
