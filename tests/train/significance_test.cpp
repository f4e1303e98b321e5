// Intervals against published values, the test of two models against exact arithmetic.
#include <vector>

#include <gtest/gtest.h>

#include <ferplus/train/significance.h>

namespace ferplus {
namespace {

TEST(WilsonTest, ValuesOfNewcombe1998) {
  // R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
  struct Row {
    std::size_t successes, trials;
    double low, high;
  };
  for (const Row& row : {Row{81, 263, 0.2553, 0.3662}, Row{15, 148, 0.0624, 0.1605},
                         Row{0, 20, 0.0000, 0.1611}, Row{1, 29, 0.0061, 0.1718}}) {
    const Interval interval = wilson_interval(row.successes, row.trials);
    EXPECT_NEAR(interval.low, row.low, 5e-5) << row.successes;
    EXPECT_NEAR(interval.high, row.high, 5e-5) << row.successes;
  }
}

TEST(WilsonTest, IsSymmetricHoldsTheShareAndStaysInRange) {
  for (std::size_t trials : {1U, 7U, 100U, 3199U}) {
    for (std::size_t successes = 0; successes <= trials; ++successes) {
      const Interval interval = wilson_interval(successes, trials);
      const Interval mirrored = wilson_interval(trials - successes, trials);
      const double share = static_cast<double>(successes) / static_cast<double>(trials);
      EXPECT_GE(interval.low, 0);
      EXPECT_LE(interval.high, 1);
      EXPECT_LE(interval.low, share);
      EXPECT_GE(interval.high, share);
      EXPECT_NEAR(interval.low, 1 - mirrored.high, 1e-12);
    }
  }
  EXPECT_EQ(wilson_interval(0, 0).low, 0);
  EXPECT_EQ(wilson_interval(0, 0).high, 1);
}

TEST(McNemarTest, ExactValues) {
  // Twice the binomial tail in whole numbers (Python's fractions).
  struct Row {
    std::size_t first, second;
    double p_value;
  };
  for (const Row& row :
       {Row{0, 0, 1}, Row{5, 5, 1}, Row{1, 9, 0.021484375}, Row{6, 0, 0.03125},
        Row{120, 101, 0.22588707069169486}, Row{143, 160, 0.3580246355945832},
        Row{900, 1100, 8.457089535503927e-06}, Row{2000, 1700, 8.738822275817884e-07}}) {
    EXPECT_NEAR(exact_mcnemar(row.first, row.second), row.p_value, 1e-9 * row.p_value);
    EXPECT_EQ(exact_mcnemar(row.first, row.second), exact_mcnemar(row.second, row.first));
  }
}

TEST(CompareTest, CountsWhoIsRight) {
  const std::vector<int> classes = {0, 1, 2, 3, 4, 5};
  const std::vector<int> first = {0, 1, 2, 0, 4, 0};
  const std::vector<int> second = {0, 0, 0, 3, 0, 1};
  const Comparison c = compare(classes, first, second);
  EXPECT_EQ(c.both, 1u);
  EXPECT_EQ(c.only_first, 3u);
  EXPECT_EQ(c.only_second, 1u);
  EXPECT_EQ(c.neither, 1u);
  EXPECT_DOUBLE_EQ(c.p_value, 2 * (1 + 4) / 16.0);
}

}  // namespace
}  // namespace ferplus
