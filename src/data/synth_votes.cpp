#include "data/synth_votes.h"

namespace ferplus {
namespace {

constexpr std::size_t kColumns = kVoteColumns;

// Row: class shown; column: what is voted when it is not seen as meant. After the confusions that
// people make (Barsoum et al., figure 1; Ekman): fear and surprise, anger and disgust, sadness and
// neutral, contempt and neutral.
constexpr std::array<std::array<double, kColumns>, kClasses> kConfusions = {{
    //       neu  hap  sur  sad  ang  dis  fear con  unk  NF
    /* neu */ {0, .20, .06, .38, .12, .02, .02, .14, .06, 0},
    /* hap */ {.62, 0, .16, .02, .02, .02, .02, .08, .06, 0},
    /* sur */ {.22, .16, 0, .04, .06, .02, .42, .02, .06, 0},
    /* sad */ {.48, .02, .04, 0, .16, .06, .14, .05, .05, 0},
    /* ang */ {.26, .02, .06, .14, 0, .34, .06, .06, .06, 0},
    /* dis */ {.10, .04, .04, .14, .48, 0, .06, .08, .06, 0},
    /* fea */ {.06, .02, .52, .20, .08, .06, 0, .01, .05, 0},
    /* con */ {.56, .16, .02, .08, .06, .04, .01, 0, .07, 0},
}};

// A tagger sees the class that is meant with this probability.
double recognition(int emotion, double intensity) {
  // From a face that barely shows it to one that clearly does.
  return emotion == 0 ? 0.56 + 0.16 * intensity : 0.11 + 0.66 * intensity;
}

}  // namespace

std::array<double, kVoteColumns> expected_shares(const Portrayal& portrayal) {
  std::array<double, kVoteColumns> shares{};
  const auto add = [&](int emotion, double weight) {
    const auto row = static_cast<std::size_t>(emotion);
    const double seen = recognition(emotion, portrayal.intensity);
    for (std::size_t column = 0; column < kColumns; ++column) {
      shares[column] += weight * (1 - seen) * kConfusions[row][column];
    }
    shares[row] += weight * seen;
  };
  add(portrayal.emotion, 1 - portrayal.second_share);
  if (portrayal.second_share > 0) add(portrayal.second, portrayal.second_share);
  return shares;
}

Votes draw_votes(const std::array<double, kVoteColumns>& shares, RandomSequence& random) {
  Votes votes{};
  for (int tagger = 0; tagger < kTaggers; ++tagger) {
    double left = random.uniform();
    std::size_t column = 0;
    while (column + 1 < kColumns && left >= shares[column]) left -= shares[column++];
    ++votes[column];
  }
  return votes;
}

}  // namespace ferplus
