#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include <ferplus/core/random.h>

namespace ferplus {
namespace {

// Known-answer vectors of the Random123 distribution (kat_vectors, philox4x32 10).
TEST(Philox, KnownAnswers) {
  using Block = std::array<std::uint32_t, 4>;
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox4x32({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomSequence, EveryPartOfTheKeyMatters) {
  const RandomKey base{.seed = 7, .stream = Stream::label, .epoch = 3, .sample = 9};
  std::set<std::uint32_t> firsts;
  for (RandomKey key : {base, RandomKey{8, Stream::label, 3, 9}, RandomKey{7, Stream::synth, 3, 9},
                        RandomKey{7, Stream::label, 4, 9}, RandomKey{7, Stream::label, 3, 10},
                        RandomKey{7 + (1ULL << 32), Stream::label, 3, 9}}) {
    firsts.insert(RandomSequence(key).next_u32());
  }
  EXPECT_EQ(firsts.size(), 6U);
  EXPECT_EQ(RandomSequence(base).next_u32(), RandomSequence(base).next_u32());
}

TEST(RandomSequence, UniformAndNormalHaveTheirMoments) {
  RandomSequence random({.seed = 1, .stream = Stream::initialization});
  constexpr int kDraws = 200000;
  double sum = 0, squares = 0, normal_sum = 0, normal_squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    squares += u * u;
    const double z = random.normal();
    normal_sum += z;
    normal_squares += z * z;
  }
  // Five standard errors.
  EXPECT_NEAR(sum / kDraws, 0.5, 5 * std::sqrt(1.0 / 12 / kDraws));
  EXPECT_NEAR(squares / kDraws, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / kDraws));
  EXPECT_NEAR(normal_sum / kDraws, 0, 5 * std::sqrt(1.0 / kDraws));
  EXPECT_NEAR(normal_squares / kDraws, 1, 5 * std::sqrt(2.0 / kDraws));
}

TEST(RandomSequence, BetaHasItsMoments) {
  constexpr int kDraws = 100000;
  for (const double shape : {0.01, 0.2, 1.0, 3.0}) {
    RandomSequence random({.seed = 3, .stream = Stream::initialization});
    double sum = 0, squares = 0, fourths = 0;
    for (int i = 0; i < kDraws; ++i) {
      const double share = random.beta(shape);
      ASSERT_GE(share, 0.0);
      ASSERT_LE(share, 1.0);
      const double d = share - 0.5;
      sum += d;
      squares += d * d;
      fourths += d * d * d * d;
    }
    // Five standard errors; the kurtosis of Beta(a, a) is 3·(2a + 1)/(2a + 3).
    const double variance = 0.25 / (2 * shape + 1);
    const double fourth = variance * variance * 3 * (2 * shape + 1) / (2 * shape + 3);
    EXPECT_NEAR(sum / kDraws, 0, 5 * std::sqrt(variance / kDraws)) << shape;
    EXPECT_NEAR(squares / kDraws, variance, 5 * std::sqrt((fourth - variance * variance) / kDraws))
        << shape;
    EXPECT_NEAR(fourths / kDraws, fourth, 5 * fourth / std::sqrt(kDraws)) << shape;
  }
}

TEST(RandomSequence, BelowIsUniform) {
  RandomSequence random({.seed = 2, .stream = Stream::initialization});
  std::array<int, 7> counts{};
  for (int i = 0; i < 70000; ++i) ++counts[random.below(7)];
  for (int count : counts) EXPECT_NEAR(count, 10000, 5 * std::sqrt(10000.0 * 6 / 7));
}

}  // namespace
}  // namespace ferplus
