// Losses against their formulas in float64, the gradients against central differences of those, and
// logits that overflow a naive softmax.
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include <ferplus/core/parallel.h>
#include <ferplus/core/random.h>
#include <ferplus/train/loss.h>

namespace ferplus {
namespace {

constexpr std::size_t kRows = 21;  // three micro-batches, the last one short

using Row = std::array<double, kClasses>;

// The formulas of loss.h on exp and log of long doubles.
double formula(LossKind kind, const Row& z, const Row& t) {
  long double sum = 0;
  for (double value : z) sum += std::exp(static_cast<long double>(value));
  long double loss = 0, best = 0;
  for (std::size_t k = 0; k < kClasses; ++k) {
    const long double p = std::exp(static_cast<long double>(z[k])) / sum;
    loss -= static_cast<long double>(t[k]) * std::log(p);
    best = std::max(best, static_cast<long double>(t[k]) * p);
  }
  return static_cast<double>(kind == LossKind::cross_entropy ? loss : -std::log(best));
}

struct Batch {
  explicit Batch(LossKind kind) : logits(kRows * kClasses), targets(logits.size()) {
    RandomSequence random({.seed = 3, .stream = Stream::synth});
    for (float& value : logits) value = static_cast<float>(random.uniform(-6, 6));
    for (std::size_t row = 0; row < kRows; ++row) {
      double sum = 0;
      std::array<double, kClasses> values;
      for (double& value : values) sum += value = random.uniform();
      for (std::size_t k = 0; k < kClasses; ++k) {
        targets[row * kClasses + k] =
            static_cast<float>(kind == LossKind::cross_entropy ? 1.25 * values[k] / sum
                                                               : (random.coin() ? 1.0 : 0.001));
      }
    }
  }
  ConstTensorView logits_view() const { return {logits.data(), {kRows, kClasses}}; }
  ConstTensorView targets_view() const { return {targets.data(), {kRows, kClasses}}; }
  Row logit_row(std::size_t row) const { return row_of(logits, row); }
  Row target_row(std::size_t row) const { return row_of(targets, row); }
  static Row row_of(const std::vector<float>& values, std::size_t row) {
    Row result;
    for (std::size_t k = 0; k < kClasses; ++k) {
      result[k] = static_cast<double>(values[row * kClasses + k]);
    }
    return result;
  }

  std::vector<float> logits, targets;
};

class LossTest : public testing::TestWithParam<LossKind> {};

TEST_P(LossTest, EqualsTheFormula) {
  const Batch batch(GetParam());
  double expected = 0;
  for (std::size_t row = 0; row < kRows; ++row) {
    expected += formula(GetParam(), batch.logit_row(row), batch.target_row(row));
  }
  const double loss =
      softmax_loss(GetParam(), batch.logits_view(), batch.targets_view(), TensorView{});
  EXPECT_NEAR(loss, expected, 1e-12 * expected);
}

TEST_P(LossTest, GradientIsThatOfTheMean) {
  const Batch batch(GetParam());
  std::vector<float> gradient(batch.logits.size(), 777.0f);
  softmax_loss(GetParam(), batch.logits_view(), batch.targets_view(),
               {gradient.data(), {kRows, kClasses}});
  constexpr double kStep = 1e-5;
  for (std::size_t row = 0; row < kRows; ++row) {
    for (std::size_t k = 0; k < kClasses; ++k) {
      Row above = batch.logit_row(row), below = above;
      above[k] += kStep;
      below[k] -= kStep;
      const double expected = (formula(GetParam(), above, batch.target_row(row)) -
                               formula(GetParam(), below, batch.target_row(row))) /
                              (2 * kStep * kRows);
      EXPECT_NEAR(gradient[row * kClasses + k], expected, 1e-8) << row << " " << k;
    }
  }
}

TEST_P(LossTest, SumsMicroBatchesInTheFixedTree) {
  const Batch batch(GetParam());
  const auto part = [&](std::size_t begin, std::size_t end) {
    double sum = 0;
    for (std::size_t row = begin; row < end; ++row) {
      const std::size_t at = row * kClasses;
      sum += softmax_loss(GetParam(), {batch.logits.data() + at, {1, kClasses}},
                          {batch.targets.data() + at, {1, kClasses}}, TensorView{});
    }
    return sum;
  };
  const double loss =
      softmax_loss(GetParam(), batch.logits_view(), batch.targets_view(), TensorView{});
  EXPECT_EQ(loss, (part(0, 8) + part(8, 16)) + part(16, 21));
}

TEST_P(LossTest, ExtremeLogitsStayFinite) {
  const std::vector<std::array<float, kClasses>> rows = {
      {1000, 0, 0, 0, 0, 0, 0, 0},
      {-1000, -1000, -1000, -1000, -1000, -1000, -1000, -1001},
      {3e38f, -3e38f, 0, 0, 0, 0, 0, 0},
      {-90, 90, -90, 90, -90, 90, -90, 90}};
  const std::array<float, kClasses> target =
      GetParam() == LossKind::cross_entropy
          ? std::array<float, kClasses>{0, 1, 0, 0, 0, 0, 0, 0}
          : std::array<float, kClasses>{.001f, 1, .001f, .001f, .001f, .001f, .001f, .001f};
  std::array<float, kClasses> gradient;
  for (const auto& row : rows) {
    const double loss =
        softmax_loss(GetParam(), {row.data(), {1, kClasses}}, {target.data(), {1, kClasses}},
                     {gradient.data(), {1, kClasses}});
    EXPECT_TRUE(std::isfinite(loss)) << row[0];
    EXPECT_GE(loss, 0);
    float sum = 0;
    for (float value : gradient) {
      EXPECT_TRUE(std::isfinite(value));
      sum += value;
    }
    EXPECT_NEAR(sum, 0, 1e-6) << "gradients of a softmax's logits sum to 0";
  }
}

TEST_P(LossTest, WhatIsNotANumberIsNotHidden) {
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), INFINITY}) {
    Batch batch(GetParam());
    batch.logits[11 * kClasses + 4] = bad;
    EXPECT_FALSE(std::isfinite(
        softmax_loss(GetParam(), batch.logits_view(), batch.targets_view(), TensorView{})));
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, LossTest,
                         testing::Values(LossKind::cross_entropy, LossKind::max_target),
                         [](const auto& parameter) {
                           return parameter.param == LossKind::cross_entropy ? "cross_entropy"
                                                                             : "max_target";
                         });

TEST(MaxTargetTest, HandMadeValues) {
  // p = (1/2, 1/4, 1/28 …): the largest t·p is that of class 1, not of the largest p.
  std::array<float, kClasses> z;
  z.fill(std::log(1.0f / 24));
  z[0] = std::log(0.5f);
  z[1] = std::log(0.25f);
  const std::array<float, kClasses> t = {.001f, 1, 1, .001f, .001f, .001f, .001f, .001f};
  std::array<float, kClasses> gradient;
  const double loss = softmax_loss(LossKind::max_target, {z.data(), {1, kClasses}},
                                   {t.data(), {1, kClasses}}, {gradient.data(), {1, kClasses}});
  EXPECT_NEAR(loss, std::log(4.0), 1e-6);
  EXPECT_NEAR(gradient[0], 0.5, 1e-6);
  EXPECT_NEAR(gradient[1], 0.25 - 1, 1e-6);
  EXPECT_NEAR(gradient[2], 1.0 / 24, 1e-6);
}

TEST(MaxTargetTest, FirstOfEqualsIsTheTarget) {
  const std::array<float, kClasses> z{};
  const std::array<float, kClasses> t = {.001f, .001f, 1, 1, .001f, 1, .001f, .001f};
  std::array<float, kClasses> gradient;
  softmax_loss(LossKind::max_target, {z.data(), {1, kClasses}}, {t.data(), {1, kClasses}},
               {gradient.data(), {1, kClasses}});
  for (std::size_t k = 0; k < kClasses; ++k) {
    EXPECT_FLOAT_EQ(gradient[k], k == 2 ? -0.875f : 0.125f);
  }
}

}  // namespace
}  // namespace ferplus
