#include <algorithm>
#include <cmath>
#include <numeric>

#include <ferplus/train/metrics.h>

namespace ferplus {
namespace {

constexpr double kTenVotes = 10;

double ratio(double numerator, double denominator) {
  return denominator > 0 ? numerator / denominator : 0;
}

}  // namespace

void Reliability::add(double confidence, double hit) {
  // What is not a number goes to bin 0 and shows in the error.
  const double bin = std::ceil(confidence * static_cast<double>(bins.size())) - 1;
  Bin& sums = bins[bin > 0 ? static_cast<std::size_t>(bin) : 0];
  ++sums.images;
  sums.confidence += confidence;
  sums.hits += hit;
}

double Reliability::error() const {
  double sum = 0;
  std::size_t images = 0;
  for (const Bin& bin : bins) {
    sum += std::abs(bin.hits - bin.confidence);
    images += bin.images;
  }
  return ratio(sum, static_cast<double>(images));
}

bool is_right(std::span<const float> logits, std::span<const float> target) {
  return target[static_cast<std::size_t>(argmax(logits))] == *std::ranges::max_element(target);
}

Classification classify(std::span<const Logits> logits, std::span<const int> classes) {
  Classification result;
  result.images = logits.size();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const auto truth = static_cast<std::size_t>(classes[i]);
    const auto predicted = static_cast<std::size_t>(argmax(logits[i]));
    const double confidence = static_cast<double>(softmax(logits[i])[predicted]);
    const bool hit = truth == predicted;
    ++result.confusion[truth][predicted];
    result.correct += hit;
    result.reliability.add(confidence, hit ? 1 : 0);
  }
  const auto images = static_cast<double>(result.images);
  result.accuracy = ratio(static_cast<double>(result.correct), images);
  result.accuracy_interval = wilson_interval(result.correct, result.images);
  int present = 0;
  for (std::size_t k = 0; k < kClasses; ++k) {
    ClassMetrics& metrics = result.classes[k];
    for (std::size_t other = 0; other < kClasses; ++other) {
      metrics.support += result.confusion[k][other];
      metrics.predicted += result.confusion[other][k];
    }
    const auto hits = static_cast<double>(result.confusion[k][k]);
    metrics.precision = ratio(hits, static_cast<double>(metrics.predicted));
    metrics.precision_interval = wilson_interval(result.confusion[k][k], metrics.predicted);
    metrics.recall = ratio(hits, static_cast<double>(metrics.support));
    metrics.recall_interval = wilson_interval(result.confusion[k][k], metrics.support);
    metrics.f1 = ratio(2 * metrics.precision * metrics.recall, metrics.precision + metrics.recall);
    if (metrics.support > 0) {
      result.macro_f1 += metrics.f1;
      ++present;
    }
  }
  result.macro_f1 = ratio(result.macro_f1, present);
  return result;
}

std::optional<Target> vote_shares(const Votes& votes) {
  if (!label_mode(LabelMode::crossentropy).target(votes)) return std::nullopt;
  const double total = std::accumulate(votes.begin(), votes.begin() + kClasses, 0.0);
  Target shares;
  for (std::size_t k = 0; k < kClasses; ++k) shares[k] = static_cast<float>(votes[k] / total);
  return shares;
}

Agreement agree(std::span<const Logits> logits, std::span<const Target> targets) {
  Agreement result;
  result.images = logits.size();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const auto log_p = log_softmax(logits[i]);
    for (std::size_t k = 0; k < kClasses; ++k) {
      const auto t = static_cast<double>(targets[i][k]);
      const double p = std::exp(log_p[k]);
      result.mean_votes[k] += t;
      result.mean_probabilities[k] += p;
      result.cross_entropy -= t * log_p[k];
      if (t > 0) result.kl_divergence += t * (std::log(t) - log_p[k]);
      result.misplaced_votes += kTenVotes * std::abs(t - p) / 2;
    }
    const auto predicted = static_cast<std::size_t>(argmax(logits[i]));
    result.reliability.add(std::exp(log_p[predicted]), static_cast<double>(targets[i][predicted]));
  }
  const auto images = static_cast<double>(result.images);
  result.cross_entropy = ratio(result.cross_entropy, images);
  result.kl_divergence = ratio(result.kl_divergence, images);
  result.misplaced_votes = ratio(result.misplaced_votes, images);
  for (std::size_t k = 0; k < kClasses; ++k) {
    result.mean_votes[k] = ratio(result.mean_votes[k], images);
    result.mean_probabilities[k] = ratio(result.mean_probabilities[k], images);
  }
  return result;
}

}  // namespace ferplus
