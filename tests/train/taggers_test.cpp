// Agreement among taggers by hand and by drawing every tagger.
#include <vector>

#include <gtest/gtest.h>

#include <ferplus/core/random.h>
#include <ferplus/train/taggers.h>

namespace ferplus {
namespace {

double people(const Votes& votes) {
  return agree_with_taggers(std::vector{votes}, std::vector{0}).people;
}

TEST(TaggersTest, ByHand) {
  EXPECT_DOUBLE_EQ(people({10}), 1);
  // A happy tagger left out: the others are 6 to 3. A neutral one: 7 to 2.
  EXPECT_DOUBLE_EQ(people({7, 3}), 0.7);
  // Whoever is left out was on the side that then trails.
  EXPECT_DOUBLE_EQ(people({5, 5}), 0);
  // A first one left out: 5 to 5, half a hit; a second one: 6 to 4, none.
  EXPECT_DOUBLE_EQ(people({6, 5}), 6.0 / 11 / 2);
  // Two who disagree never agree; two who agree always do.
  EXPECT_DOUBLE_EQ(people({1, 1}), 0);
  EXPECT_DOUBLE_EQ(people({0, 2}), 1);
  // Unknown and not-a-face are choices too.
  EXPECT_DOUBLE_EQ(people({3, 0, 0, 0, 0, 0, 0, 0, 7, 0}), 0.7);
}

TEST(TaggersTest, ModelAndBestAreSharesOfAllVotes) {
  const std::vector<Votes> votes = {{6, 3, 0, 0, 0, 0, 0, 0, 0, 1},
                                    {0, 2, 0, 0, 0, 0, 0, 0, 8, 0},
                                    {1},  // one tagger: nobody to agree with
                                    {}};
  const TaggerAgreement a = agree_with_taggers(votes, std::vector{1, 1, 0, 0});
  EXPECT_EQ(a.images, 2u);
  EXPECT_DOUBLE_EQ(a.model, (0.3 + 0.2) / 2);
  EXPECT_DOUBLE_EQ(a.best, (0.6 + 0.2) / 2);
  EXPECT_DOUBLE_EQ(a.people, (0.6 + 0.8) / 2);
  EXPECT_EQ(agree_with_taggers({}, {}).people, 0);
}

TEST(TaggersTest, EqualsTheMeanOverEveryTagger) {
  RandomSequence random({.seed = 5, .stream = Stream::label, .epoch = 0, .sample = 0});
  for (int image = 0; image < 200; ++image) {
    std::vector<std::size_t> taggers;  // the choice of each
    Votes votes{};
    const std::uint32_t count = 2 + random.below(9);
    for (std::uint32_t t = 0; t < count; ++t) {
      taggers.push_back(random.below(4) * 3);
      ++votes[taggers.back()];
    }
    double hits = 0;
    for (std::size_t left_out = 0; left_out < taggers.size(); ++left_out) {
      std::array<int, kVoteColumns> others{};
      for (std::size_t t = 0; t < taggers.size(); ++t) others[taggers[t]] += t != left_out;
      int most = 0, leaders = 0;
      for (int n : others) most = std::max(most, n);
      for (int n : others) leaders += n == most;
      if (others[taggers[left_out]] == most) hits += 1.0 / leaders;
    }
    EXPECT_NEAR(people(votes), hits / count, 1e-12);
  }
}

}  // namespace
}  // namespace ferplus
