#include <algorithm>
#include <array>
#include <cmath>
#include <locale>
#include <numbers>
#include <sstream>

#include <ferplus/core/error.h>
#include <ferplus/core/names.h>
#include <ferplus/train/schedule.h>

namespace ferplus {
namespace {

constexpr std::array<std::string_view, 4> kNames{"step", "one_cycle", "cosine", "constant"};

}  // namespace

std::span<const std::string_view> schedule_names() { return kNames; }

Schedule::Kind Schedule::kind_from_name(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == kNames.end()) {
    throw UsageError(unknown_name("schedule", name, {kNames.begin(), kNames.end()}));
  }
  return static_cast<Kind>(found - kNames.begin());
}

Schedule::Schedule(const Recipe& recipe)
    : kind_(kind_from_name(recipe.schedule)),
      highest_(recipe.learning_rate),
      warmup_(recipe.warmup),
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
        (!milestones_.empty() && milestone.progress <= milestones_.back().progress)) {
      throw UsageError(concat("milestones '", recipe.milestones,
                              "': expected rising progress:factor pairs such as 0.2:0.5,0.4:0.1"));
    }
    milestones_.push_back(milestone);
  }
}

double Schedule::rate(double progress) const { return highest_ * factor(progress); }

double Schedule::factor(double progress) const {
  const auto half_cosine = [](double phase) {
    return 0.5 * (1 + std::cos(std::numbers::pi * phase));
  };
  switch (kind_) {
    case Kind::constant:
      return 1;
    case Kind::step: {
      double factor = 1;
      for (const Milestone& milestone : milestones_) {
        // Steps are whole numbers: half a millionth absorbs the rounding of their quotient.
        if (progress >= milestone.progress - 5e-7) factor = milestone.factor;
      }
      return factor;
    }
    case Kind::one_cycle:
      if (progress < warmup_) return warmup_start_ + (1 - warmup_start_) * progress / warmup_;
      return half_cosine(warmup_ < 1 ? (progress - warmup_) / (1 - warmup_) : 1);
    case Kind::cosine:
      return half_cosine(progress);
  }
  return 1;
}

}  // namespace ferplus
