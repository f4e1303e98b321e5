// Softmax, temperature, order and votes of eight numbers.
#include <array>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <ferplus/nn/probabilities.h>

namespace ferplus {
namespace {

TEST(ExpectedVotesTest, LargestRemaindersSumToTen) {
  using Counts = std::array<int, kClasses>;
  EXPECT_EQ(expected_votes({0.63f, 0.28f, 0.09f}), (Counts{6, 3, 1}));
  EXPECT_EQ(expected_votes({1}), (Counts{10}));
  // Four remainders of a half for two votes: to the earlier classes.
  EXPECT_EQ(expected_votes({0.25f, 0.25f, 0.25f, 0.25f}), (Counts{3, 3, 2, 2}));
  EXPECT_EQ(expected_votes({0.125f, 0.125f, 0.125f, 0.125f, 0.125f, 0.125f, 0.125f, 0.125f}),
            (Counts{2, 2, 1, 1, 1, 1, 1, 1}));
  // Equal remainders go to the more probable class.
  EXPECT_EQ(expected_votes({0.25f, 0.75f}, 2), (Counts{0, 2}));
  EXPECT_EQ(expected_votes({0.5f, 0.5f}, 0), (Counts{}));
  EXPECT_EQ(expected_votes({0.5f, 0.3f, 0.2f}, 1), (Counts{1}));
}

TEST(ExpectedVotesTest, AreWithinOneOfTheShares) {
  for (int i = 0; i < 500; ++i) {
    Logits logits;
    for (std::size_t k = 0; k < kClasses; ++k) {
      logits[k] = static_cast<float>((i * 37 + static_cast<int>(k * k) * 101) % 97) / 20;
    }
    const Probabilities p = softmax(logits);
    const auto votes = expected_votes(p);
    int sum = 0;
    for (std::size_t k = 0; k < kClasses; ++k) {
      sum += votes[k];
      EXPECT_LT(std::abs(votes[k] - 10 * static_cast<double>(p[k])), 1);
    }
    EXPECT_EQ(sum, 10);
  }
}

TEST(TemperedTest, OneChangesNoBit) {
  const Logits logits = {0.1f, -3.7f, 1e-30f, 5, 3e30f, -0.0f, 7, 1.0f / 3};
  EXPECT_EQ(tempered(logits, 1), logits);
  EXPECT_EQ(tempered(logits, 2)[3], 2.5f);
}

TEST(SoftmaxTest, SumsToOneAndSurvivesExtremes) {
  const Logits extreme = {1e30f, -1e30f, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(softmax(extreme), (Probabilities{1, 0, 0, 0, 0, 0, 0, 0}));
  const Logits both = {1e30f, 1e30f, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(softmax(both), (Probabilities{0.5f, 0.5f, 0, 0, 0, 0, 0, 0}));
  const Logits equal = {-500, -500, -500, -500, -500, -500, -500, -500};
  for (float p : softmax(equal)) EXPECT_EQ(p, 0.125f);
  const Logits two = {0, std::log(3.0f), -200, -200, -200, -200, -200, -200};
  EXPECT_FLOAT_EQ(softmax(two)[0], 0.25f);
  EXPECT_FLOAT_EQ(softmax(two)[1], 0.75f);
}

TEST(RankedTest, MostProbableFirstAndEqualsInOrder) {
  EXPECT_EQ(ranked({0.1f, 0.3f, 0, 0.3f, 0, 0.2f, 0.1f, 0}),
            (std::vector<std::size_t>{1, 3, 5, 0, 6, 2, 4, 7}));
}

}  // namespace
}  // namespace ferplus
