#include <algorithm>
#include <cassert>
#include <cmath>

#include <ferplus/train/significance.h>

namespace ferplus {

Interval wilson_interval(std::size_t successes, std::size_t trials) {
  assert(successes <= trials);
  if (trials == 0) return {};
  constexpr double kDeviations = 1.959963984540054;  // of the normal distribution, 97.5 %
  const auto n = static_cast<double>(trials);
  const double share = static_cast<double>(successes) / n;
  const double square = kDeviations * kDeviations;
  const double centre = (share + square / (2 * n)) / (1 + square / n);
  const double half =
      kDeviations / (1 + square / n) * std::sqrt(share * (1 - share) / n + square / (4 * n * n));
  // At the ends the bounds are 0 and 1 exactly; rounding must not carry them past the share.
  return {successes == 0 ? 0 : centre - half, successes == trials ? 1 : centre + half};
}

double exact_mcnemar(std::size_t only_first, std::size_t only_second) {
  const auto n = static_cast<double>(only_first + only_second);
  const std::size_t fewer = std::min(only_first, only_second);
  // Twice the lower tail of the binomial distribution with p = 1/2, its terms by their logarithms:
  // 2^-n alone underflows from 1,075 images on.
  double log_term = -n * std::log(2.0);
  double tail = 0;
  for (std::size_t k = 0;; ++k) {
    tail += std::exp(log_term);
    if (k == fewer) break;
    log_term += std::log((n - static_cast<double>(k)) / static_cast<double>(k + 1));
  }
  return std::min(1.0, 2 * tail);
}

Comparison compare(std::span<const int> classes, std::span<const int> first,
                   std::span<const int> second) {
  assert(classes.size() == first.size() && classes.size() == second.size());
  Comparison result;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const bool first_right = first[i] == classes[i], second_right = second[i] == classes[i];
    ++(first_right ? (second_right ? result.both : result.only_first)
                   : (second_right ? result.only_second : result.neither));
  }
  result.p_value = exact_mcnemar(result.only_first, result.only_second);
  return result;
}

}  // namespace ferplus
