#include <cmath>
#include <locale>
#include <numbers>
#include <sstream>

#include <ferplus/core/error.h>
#include <ferplus/train/schedule.h>

namespace ferplus {

Schedule::Schedule(const Recipe& recipe)
    : kind_(recipe.schedule == "step"       ? Kind::step
            : recipe.schedule == "constant" ? Kind::constant
                                            : Kind::one_cycle),
      highest_(recipe.learning_rate),
      warmup_(recipe.schedule == "one_cycle" ? recipe.warmup : 0),
      warmup_start_(recipe.warmup_start) {
  std::istringstream list(recipe.milestones);
  for (std::string entry; std::getline(list, entry, ',');) {
    std::istringstream parts(entry);
    parts.imbue(std::locale::classic());
    Milestone milestone{};
    char colon = 0;
    if (!(parts >> milestone.progress >> colon >> milestone.factor) || colon != ':' ||
        !(parts >> std::ws).eof() || !(milestone.progress >= 0 && milestone.progress <= 1) ||
        !(milestone.factor > 0 && milestone.factor <= 100) ||
        (!milestones_.empty() && milestone.progress < milestones_.back().progress)) {
      throw UsageError(concat("milestones '", recipe.milestones,
                              "': expected rising progress:factor pairs such as 0.2:0.5,0.4:0.1"));
    }
    milestones_.push_back(milestone);
  }
}

double Schedule::rate(double progress) const {
  if (kind_ == Kind::constant) return highest_;
  if (kind_ == Kind::step) {
    double factor = 1;
    for (const Milestone& milestone : milestones_) {
      // Steps are whole numbers: half a millionth absorbs the rounding of their quotient.
      if (progress >= milestone.progress - 5e-7) factor = milestone.factor;
    }
    return highest_ * factor;
  }
  if (progress < warmup_) {
    return highest_ * (warmup_start_ + (1 - warmup_start_) * progress / warmup_);
  }
  const double phase = warmup_ < 1 ? (progress - warmup_) / (1 - warmup_) : 1;
  return highest_ * 0.5 * (1 + std::cos(std::numbers::pi * phase));
}

}  // namespace ferplus
