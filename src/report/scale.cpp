#include "report/scale.h"

#include <algorithm>
#include <cmath>

namespace ferplus::report {
namespace {

// The smallest of 1, 2 and 5 times a power of ten that is at least `step`; digits after the point.
struct Step {
  double size;
  int decimals;
};
Step round_step(double step) {
  const double power = std::floor(std::log10(step));
  const double unit = std::pow(10.0, power);
  // A step that is round already must not jump to the next by an error of rounding.
  constexpr double kSlack = 1e-9;
  double factor = 10;
  for (const double candidate : {5.0, 2.0, 1.0}) {
    if (step <= candidate * unit * (1 + kSlack)) factor = candidate;
  }
  const int decimals = static_cast<int>(-power) - (factor == 10 ? 1 : 0);
  return {factor * unit, std::max(0, decimals)};
}

}  // namespace

Ticks round_ticks(double low, double high, int most) {
  // Beyond these, steps leave what a double can hold.
  constexpr double kSmallest = 1e-300, kLargest = 1e300;
  if (!(std::abs(low) <= kLargest && std::abs(high) <= kLargest)) low = 0, high = 1;
  // Closer figures than these are the same one.
  constexpr double kNarrowest = 1e-9;
  const double largest = std::max(std::abs(low), std::abs(high));
  if (high - low <= std::max(kSmallest, kNarrowest * largest)) {
    const double margin = largest <= kSmallest ? 1 : std::abs(low) / 10;
    low -= margin;
    high += margin;
  }
  const Step step = round_step((high - low) / (most - 1));
  constexpr double kSlack = 1e-6;
  const double first = std::floor(low / step.size + kSlack);
  const double last = std::ceil(high / step.size - kSlack);
  Ticks ticks{.values = {}, .decimals = step.decimals};
  for (double i = first; i <= last; ++i) ticks.values.push_back(i * step.size);
  return ticks;
}

Ticks whole_ticks(int low, int high, int most) {
  Ticks ticks;
  const double raw = static_cast<double>(high - low) / std::max(1, most - 1);
  const double step = raw <= 1 ? 1 : round_step(raw).size;
  for (double value = std::ceil(low / step) * step; value <= high; value += step) {
    ticks.values.push_back(value);
  }
  return ticks;
}

}  // namespace ferplus::report
