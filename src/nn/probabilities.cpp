#include <algorithm>
#include <cmath>
#include <numeric>

#include <ferplus/nn/probabilities.h>

namespace ferplus {

LogProbabilities log_softmax(std::span<const float> logits) {
  const double largest = *std::ranges::max_element(logits);
  double sum = 0;
  for (std::size_t k = 0; k < kClasses; ++k) sum += std::exp(logits[k] - largest);
  const double log_sum = std::log(sum);
  LogProbabilities log_p;
  for (std::size_t k = 0; k < kClasses; ++k) log_p[k] = (logits[k] - largest) - log_sum;
  return log_p;
}

Probabilities softmax(std::span<const float> logits) {
  const LogProbabilities log_p = log_softmax(logits);
  Probabilities probabilities;
  std::ranges::transform(log_p, probabilities.begin(),
                         [](double value) { return static_cast<float>(std::exp(value)); });
  return probabilities;
}

Logits tempered(std::span<const float> logits, double temperature) {
  Logits result;
  for (std::size_t k = 0; k < kClasses; ++k) {
    result[k] = static_cast<float>(static_cast<double>(logits[k]) / temperature);
  }
  return result;
}

std::vector<std::size_t> ranked(const Probabilities& probabilities) {
  std::vector<std::size_t> order(kClasses);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return probabilities[a] > probabilities[b];
  });
  return order;
}

std::array<int, kClasses> expected_votes(const Probabilities& probabilities, int taggers) {
  std::array<int, kClasses> votes{};
  std::array<double, kClasses> remainders{};
  int left = taggers;
  for (std::size_t k = 0; k < kClasses; ++k) {
    const double share = static_cast<double>(probabilities[k]) * taggers;
    // Sums of floats may exceed 1 by a rounding: never more votes than there are.
    votes[k] = std::min(left, static_cast<int>(share));
    remainders[k] = share - votes[k];
    left -= votes[k];
  }
  std::array<std::size_t, kClasses> order;
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return remainders[a] != remainders[b] ? remainders[a] > remainders[b]
                                          : probabilities[a] > probabilities[b];
  });
  for (std::size_t i = 0; left > 0; --left) ++votes[order[i++ % kClasses]];
  return votes;
}

}  // namespace ferplus
