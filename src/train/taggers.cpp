#include <algorithm>
#include <cassert>
#include <numeric>

#include <ferplus/train/taggers.h>

namespace ferplus {
namespace {

// The chance that a tagger drawn from `votes` chose what leads among the others.
double left_out_agreement(const Votes& votes, double taggers) {
  double agreement = 0;
  for (std::size_t c = 0; c < votes.size(); ++c) {
    if (votes[c] == 0) continue;
    Votes others = votes;
    --others[c];
    const auto most = std::max_element(others.begin(), others.end());
    if (others[c] != *most) continue;
    const auto leaders = std::count(others.begin(), others.end(), *most);
    agreement += votes[c] / taggers / static_cast<double>(leaders);
  }
  return agreement;
}

}  // namespace

TaggerAgreement agree_with_taggers(std::span<const Votes> votes, std::span<const int> predictions) {
  assert(votes.size() == predictions.size());
  TaggerAgreement result;
  for (std::size_t i = 0; i < votes.size(); ++i) {
    const double taggers = std::accumulate(votes[i].begin(), votes[i].end(), 0.0);
    if (taggers < 2) continue;
    ++result.images;
    result.people += left_out_agreement(votes[i], taggers);
    result.model += votes[i][static_cast<std::size_t>(predictions[i])] / taggers;
    result.best += *std::max_element(votes[i].begin(), votes[i].begin() + kClasses) / taggers;
  }
  if (result.images > 0) {
    const auto images = static_cast<double>(result.images);
    result.people /= images;
    result.model /= images;
    result.best /= images;
  }
  return result;
}

}  // namespace ferplus
