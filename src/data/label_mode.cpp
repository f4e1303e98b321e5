#include <algorithm>
#include <numeric>

#include <ferplus/core/error.h>
#include <ferplus/core/names.h>
#include <ferplus/data/label_mode.h>

namespace ferplus {
namespace {

// Votes by column; where a column had a single vote, an outlier, none.
using Counts = std::array<int, kVoteColumns>;

Counts without_outliers(const Votes& votes) {
  Counts counts{};
  for (std::size_t i = 0; i < votes.size(); ++i) counts[i] = votes[i] <= 1 ? 0 : votes[i];
  return counts;
}

int sum(const Counts& counts) { return std::accumulate(counts.begin(), counts.end(), 0); }

std::size_t first_largest(const Counts& counts) {
  return static_cast<std::size_t>(std::max_element(counts.begin(), counts.end()) - counts.begin());
}

// The end of every mode: an image whose winner is no class is discarded, the others become a
// distribution over the classes.
std::optional<Target> distribution(const Counts& kept) {
  if (first_largest(kept) >= kClasses) return std::nullopt;
  const int total = std::accumulate(kept.begin(), kept.begin() + kClasses, 0);
  Target target{};
  for (std::size_t i = 0; i < target.size(); ++i) {
    target[i] = static_cast<float>(static_cast<double>(kept[i]) / total);
  }
  return target;
}

std::optional<Target> majority_target(const Votes& votes) {
  const Counts counts = without_outliers(votes);
  const std::size_t winner = first_largest(counts);
  if (counts[winner] <= 0.5 * sum(counts)) return std::nullopt;
  Counts kept{};
  kept[winner] = counts[winner];
  return distribution(kept);
}

// The most voted emotions until they hold three quarters of the votes or are three. Those with
// equally many come together; if that makes more than three, the image is left out.
std::optional<Target> soft_target(const Votes& votes) {
  Counts left = without_outliers(votes);
  const int total = sum(left);
  Counts kept{};
  int part = 0, count = 0;
  bool valid = true;
  while (part < 0.75 * total && count < 3 && valid) {
    const int most = *std::max_element(left.begin(), left.end());
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (left[i] != most) continue;
      kept[i] = most;
      left[i] = 0;
      part += most;
      ++count;
      if (i >= kClasses) {
        // Unknown or not-a-face ends the search; it is forgotten if an emotion came before it, yet
        // its votes stay in `part`, as in the reference.
        valid = false;
        if (sum(kept) > most) {
          kept[i] = 0;
          --count;
        }
        break;
      }
    }
  }
  if (sum(kept) <= 0.5 * total || count > 3) return std::nullopt;
  return distribution(kept);
}

std::optional<Target> multi_target(const Votes& votes) {
  const Counts counts = without_outliers(votes);
  const int total = sum(counts);
  Counts kept{};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] >= 0.3 * total) kept[i] = counts[i];
  }
  if (sum(kept) <= 0.5 * total) return std::nullopt;
  std::optional<Target> target = distribution(kept);
  if (target) {
    for (float& value : *target) {
      // None is 0, for the loss takes the logarithm of each.
      value = static_cast<float>(0.999 * (value > 0 ? 1.0 : 0.0) + 0.001);
    }
  }
  return target;
}

Target same(const Target& target, RandomSequence&) { return target; }

Target draw_class(const Target& target, RandomSequence& random) {
  const double total = std::accumulate(target.begin(), target.end(), 0.0);
  const double point = random.uniform() * total;
  double reached = 0;
  std::size_t drawn = 0;
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (target[i] <= 0) continue;
    drawn = i;
    reached += static_cast<double>(target[i]);
    if (point < reached) break;
  }
  Target one_hot{};
  one_hot[drawn] = 1;
  return one_hot;
}

constexpr std::array<LabelModeInfo, 4> kModes = {{
    {LabelMode::majority, "majority", "the one emotion that most taggers chose", majority_target,
     same, LossKind::cross_entropy},
    {LabelMode::probability, "probability",
     "one emotion, drawn anew each time from the taggers' distribution", soft_target, draw_class,
     LossKind::cross_entropy},
    {LabelMode::crossentropy, "crossentropy", "the taggers' distribution itself", soft_target, same,
     LossKind::cross_entropy},
    {LabelMode::multi_target, "multi_target",
     "any of the emotions that three in ten taggers chose counts as right", multi_target, same,
     LossKind::max_target},
}};

}  // namespace

std::span<const LabelModeInfo> label_modes() { return kModes; }

const LabelModeInfo& label_mode(LabelMode mode) {
  for (const LabelModeInfo& info : kModes) {
    if (info.mode == mode) return info;
  }
  throw UsageError(concat("no label mode has the number ", static_cast<int>(mode)));
}

const LabelModeInfo& label_mode(std::string_view name) {
  std::array<std::string_view, kModes.size()> names;
  for (std::size_t i = 0; i < kModes.size(); ++i) {
    if (kModes[i].name == name) return kModes[i];
    names[i] = kModes[i].name;
  }
  throw UsageError(unknown_name("mode", name, {names.begin(), names.end()}));
}

int argmax(std::span<const float> values) {
  return static_cast<int>(std::max_element(values.begin(), values.end()) - values.begin());
}

}  // namespace ferplus
