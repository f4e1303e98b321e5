// Metrics against values worked out by hand.
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <ferplus/train/metrics.h>

namespace ferplus {
namespace {

// Logits whose softmax gives class `k` probability `p`, and the others equal shares of the rest.
Logits confident(std::size_t k, double p) {
  Logits logits;
  logits.fill(static_cast<float>(std::log((1 - p) / 7)));
  logits[k] = static_cast<float>(std::log(p));
  return logits;
}

TEST(ClassifyTest, CountsByHand) {
  const std::vector<Logits> logits = {confident(0, .9), confident(0, .9), confident(1, .9),
                                      confident(1, .9), confident(2, .9), confident(3, .9)};
  const std::vector<int> classes = {0, 1, 1, 1, 0, 5};
  const Classification c = classify(logits, classes);
  EXPECT_EQ(c.images, 6u);
  EXPECT_DOUBLE_EQ(c.accuracy, 3.0 / 6);
  EXPECT_EQ(c.confusion[0][0], 1u);
  EXPECT_EQ(c.confusion[1][0], 1u);
  EXPECT_EQ(c.confusion[1][1], 2u);
  EXPECT_EQ(c.confusion[0][2], 1u);
  EXPECT_EQ(c.confusion[5][3], 1u);

  EXPECT_EQ(c.classes[0].support, 2u);
  EXPECT_DOUBLE_EQ(c.classes[0].precision, 1.0 / 2);
  EXPECT_DOUBLE_EQ(c.classes[0].recall, 1.0 / 2);
  EXPECT_DOUBLE_EQ(c.classes[0].f1, 1.0 / 2);
  EXPECT_EQ(c.classes[1].support, 3u);
  EXPECT_DOUBLE_EQ(c.classes[1].precision, 1);
  EXPECT_DOUBLE_EQ(c.classes[1].recall, 2.0 / 3);
  EXPECT_DOUBLE_EQ(c.classes[1].f1, 0.8);
  EXPECT_EQ(c.classes[2].support, 0u);
  EXPECT_EQ(c.classes[2].precision, 0);
  EXPECT_EQ(c.classes[2].f1, 0);
  EXPECT_EQ(c.classes[5].recall, 0);
  // Classes 0, 1 and 5 occur.
  EXPECT_DOUBLE_EQ(c.macro_f1, (0.5 + 0.8 + 0) / 3);
}

TEST(ClassifyTest, CalibrationErrorByHand) {
  // Bins of 1/15: 0.95 and 0.97 in the last, one right; 0.50 and 0.51 in bin 7, both right; 0.3 in
  // bin 4, wrong.
  const std::vector<Logits> logits = {confident(0, .95), confident(1, .97), confident(2, .50),
                                      confident(3, .51), confident(4, .30)};
  const std::vector<int> classes = {0, 0, 2, 3, 0};
  const double expected = (std::abs(1 - (.95 + .97)) + std::abs(2 - (.50 + .51)) + .30) / 5;
  EXPECT_NEAR(classify(logits, classes).reliability.error(), expected, 1e-6);
}

TEST(ClassifyTest, BinsByHand) {
  const std::vector<Logits> logits = {confident(0, .95), confident(1, .97), confident(2, .50)};
  const Reliability r = classify(logits, std::vector<int>{0, 0, 2}).reliability;
  EXPECT_EQ(r.bins[14].images, 2u);
  EXPECT_EQ(r.bins[14].hits, 1);
  EXPECT_NEAR(r.bins[14].confidence, .95 + .97, 1e-6);
  EXPECT_EQ(r.bins[7].images, 1u);
  EXPECT_EQ(r.bins[6].images + r.bins[8].images, 0u);
}

TEST(ClassifyTest, AnEdgeBelongsToTheBinBelowIt) {
  Reliability r;
  r.add(0.2, 1);  // 3 of 15 bins
  EXPECT_EQ(r.bins[2].images, 1U);
}

TEST(ClassifyTest, CertaintyIsInTheLastBin) {
  // 1 and 0.95 share a bin: |1 right - 1.95|, not |0 - 1| + |1 - 0.95|.
  const std::vector<Logits> logits = {Logits{1000}, confident(1, .95)};
  EXPECT_NEAR(classify(logits, std::vector<int>{2, 1}).reliability.error(), 0.95 / 2, 1e-6);
}

TEST(ClassifyTest, WhatIsNotANumberShowsInTheError) {
  const std::vector<Logits> logits = {confident(1, .95), Logits{std::nanf("")}};
  const Classification c = classify(logits, std::vector<int>{1, 3});
  EXPECT_EQ(c.accuracy, 0.5);
  EXPECT_TRUE(std::isnan(c.reliability.error()));
}

TEST(ClassifyTest, FirstOfEqualLogitsIsPredicted) {
  const std::vector<Logits> logits = {Logits{0, 2, 2, 2, 0, 0, 0, 0}};
  EXPECT_EQ(classify(logits, std::vector<int>{1}).accuracy, 1);
  EXPECT_EQ(classify(logits, std::vector<int>{2}).accuracy, 0);
}

TEST(ClassifyTest, NothingIsZeroThroughout) {
  const Classification c = classify({}, {});
  EXPECT_EQ(c.images, 0u);
  EXPECT_EQ(c.accuracy, 0);
  EXPECT_EQ(c.macro_f1, 0);
  EXPECT_EQ(c.reliability.error(), 0);
}

TEST(AgreeTest, CrossEntropyAndDivergenceByHand) {
  // p = (1/2, 1/14 …) for both; targets one-hot on 0, and half 0, half 1.
  const std::vector<Logits> logits = {confident(0, .5), confident(0, .5)};
  const std::vector<Target> targets = {Target{1}, Target{.5f, .5f}};
  const Agreement a = agree(logits, targets);
  EXPECT_EQ(a.images, 2u);
  const double second = 0.5 * std::log(2.0) + 0.5 * std::log(14.0);
  EXPECT_NEAR(a.cross_entropy, (std::log(2.0) + second) / 2, 1e-6);
  EXPECT_NEAR(a.kl_divergence, (std::log(2.0) + second - std::log(2.0)) / 2, 1e-6);
}

TEST(ClassifyTest, IntervalsAreWilsons) {
  const std::vector<Logits> logits = {confident(0, .9), confident(0, .9), confident(1, .9)};
  const Classification c = classify(logits, std::vector<int>{0, 1, 1});
  EXPECT_EQ(c.correct, 2u);
  EXPECT_EQ(c.accuracy_interval.low, wilson_interval(2, 3).low);
  EXPECT_EQ(c.accuracy_interval.high, wilson_interval(2, 3).high);
  EXPECT_EQ(c.classes[1].recall_interval.low, wilson_interval(1, 2).low);
  EXPECT_EQ(c.classes[5].recall_interval.high, 1);
  // Said to be of class 0: one of two rightly.
  EXPECT_EQ(c.classes[0].predicted, 2u);
  EXPECT_EQ(c.classes[0].precision_interval.high, wilson_interval(1, 2).high);
  EXPECT_EQ(c.classes[1].precision_interval.low, wilson_interval(1, 1).low);
}

TEST(VoteSharesTest, CountsLoneVotesAndEightClasses) {
  const auto shares = vote_shares({6, 1, 0, 1, 0, 0, 0, 0, 2, 0});
  ASSERT_TRUE(shares.has_value());
  EXPECT_EQ(*shares, (Target{0.75f, 0.125f, 0, 0.125f}));
  // Mode crossentropy discards it: half of the votes is unknown.
  EXPECT_FALSE(vote_shares({5, 0, 0, 0, 0, 0, 0, 0, 5, 0}).has_value());
  EXPECT_FALSE(vote_shares({}).has_value());
}

TEST(AgreeTest, VotesByHand) {
  // p = (.3, .1 …): 7 of ten votes are elsewhere if all chose class 0; 6 if 7 did and 3 class 1.
  const std::vector<Logits> logits = {confident(0, .3), confident(0, .3)};
  const std::vector<Target> targets = {Target{1}, Target{.7f, .3f}};
  const Agreement a = agree(logits, targets);
  EXPECT_NEAR(a.misplaced_votes, (7.0 + 6.0) / 2, 1e-5);
  EXPECT_NEAR(a.mean_votes[0], .85, 1e-6);
  EXPECT_NEAR(a.mean_votes[1], .15, 1e-6);
  EXPECT_NEAR(a.mean_probabilities[0], .3, 1e-6);
  EXPECT_NEAR(a.mean_probabilities[7], .1, 1e-6);
  // One bin: mean share of the predicted class .85, mean confidence .3.
  EXPECT_NEAR(a.reliability.error(), 0.55, 1e-6);
}

TEST(AgreeTest, DivergenceFromItselfIsZero) {
  Target target;
  Logits logits;
  for (std::size_t k = 0; k < kClasses; ++k) {
    target[k] = static_cast<float>(k + 1) / 36;
    logits[k] = 3 + std::log(target[k]);
  }
  const Agreement a = agree(std::vector{logits}, std::vector{target});
  EXPECT_NEAR(a.kl_divergence, 0, 1e-6);
  EXPECT_NEAR(a.misplaced_votes, 0, 1e-5);
  EXPECT_NEAR(a.reliability.error(), 0, 1e-6);
  EXPECT_GT(a.cross_entropy, 1);
  EXPECT_EQ(agree({}, {}).cross_entropy, 0);
}

TEST(IsRight, AnyOfTheLargestTargetsCounts) {
  const Logits logits = {0, 3, 1, 0, 2, 0, 0, 0};
  EXPECT_TRUE(is_right(logits, Target{0, 1, 0, 0, 0, 0, 0, 0}));
  EXPECT_TRUE(is_right(logits, Target{0.1F, 0.5F, 0.4F, 0, 0, 0, 0, 0}));
  EXPECT_FALSE(is_right(logits, Target{0.1F, 0.4F, 0.5F, 0, 0, 0, 0, 0}));
  // multi_target: 1 for what is admitted, 0.001 for the rest.
  EXPECT_TRUE(is_right(logits, Target{1, 1, 0.001F, 0.001F, 0.001F, 0.001F, 0.001F, 0.001F}));
  EXPECT_FALSE(is_right(logits, Target{1, 0.001F, 1, 0.001F, 0.001F, 0.001F, 0.001F, 0.001F}));
}

}  // namespace
}  // namespace ferplus
