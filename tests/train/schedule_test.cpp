#include <cmath>
#include <locale>
#include <numbers>
#include <string>

#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/train/schedule.h>

namespace ferplus {
namespace {

// As the trainer asks: `epoch`'s step `step` of `steps`, in a run of `epochs`.
double rate_at(const Recipe& recipe, int epochs, int epoch, int step, int steps) {
  return Schedule(recipe).rate((static_cast<double>(epoch) * steps + step) /
                               (static_cast<double>(epochs) * steps));
}

TEST(ScheduleTest, PaperHasThreeSteps) {
  const Recipe paper = find_recipe("paper");
  EXPECT_EQ(paper.epochs, 100);
  // 784 steps an epoch, as in majority mode, and numbers that no binary fraction holds.
  for (int steps : {784, 783, 7, 1}) {
    for (int epoch = 0; epoch < 100; ++epoch) {
      const double expected = epoch < 20 ? 0.05 : epoch < 40 ? 0.025 : 0.005;
      for (int step : {0, steps - 1}) {
        ASSERT_DOUBLE_EQ(rate_at(paper, 100, epoch, step, steps), expected)
            << epoch << " " << step << " of " << steps;
      }
    }
  }
}

// A program that links the library may have a locale of its own.
TEST(ScheduleTest, DoesNotDependOnTheGlobalLocale) {
  struct Commas : std::numpunct<char> {
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };
  const std::locale before = std::locale::global(std::locale(std::locale::classic(), new Commas));
  EXPECT_DOUBLE_EQ(rate_at(find_recipe("paper"), 100, 20, 0, 7), 0.025);
  EXPECT_EQ(concat(1234, " ", 0.5), "1234 0.5");
  std::locale::global(before);
}

TEST(ScheduleTest, CompressesInProportion) {
  const Recipe paper = find_recipe("paper");
  for (int epoch = 0; epoch < 10; ++epoch) {
    const double expected = epoch < 2 ? 0.05 : epoch < 4 ? 0.025 : 0.005;
    for (int step : {0, 782}) {
      EXPECT_DOUBLE_EQ(rate_at(paper, 10, epoch, step, 783), expected) << epoch << " " << step;
    }
  }
  // Three epochs: a fifth and two fifths lie within epochs 0 and 1.
  EXPECT_DOUBLE_EQ(rate_at(paper, 3, 0, 59, 100), 0.05);
  EXPECT_DOUBLE_EQ(rate_at(paper, 3, 0, 60, 100), 0.025);
  EXPECT_DOUBLE_EQ(rate_at(paper, 3, 1, 19, 100), 0.025);
  EXPECT_DOUBLE_EQ(rate_at(paper, 3, 1, 20, 100), 0.005);
  // Two thirds, rounded up in writing.
  Recipe thirds;
  thirds.milestones = "0.6666667:0.5";
  EXPECT_DOUBLE_EQ(rate_at(thirds, 3, 1, 99, 100), 0.05);
  EXPECT_DOUBLE_EQ(rate_at(thirds, 3, 2, 0, 100), 0.025);
}

TEST(ScheduleTest, OneCycleRisesThenFallsToNothing) {
  Recipe recipe;
  recipe.schedule = "one_cycle";
  recipe.learning_rate = 0.06;
  recipe.warmup = 0.25;
  recipe.warmup_start = 0.04;
  const Schedule schedule(recipe);
  EXPECT_DOUBLE_EQ(schedule.rate(0), 0.04 * 0.06);
  EXPECT_DOUBLE_EQ(schedule.rate(0.125), 0.52 * 0.06);
  EXPECT_DOUBLE_EQ(schedule.rate(0.25), 0.06);
  EXPECT_DOUBLE_EQ(schedule.rate(0.625), 0.03);
  EXPECT_NEAR(schedule.rate(0.5), 0.06 * 0.5 * (1 + std::cos(std::numbers::pi / 3)), 1e-15);
  EXPECT_NEAR(schedule.rate(1), 0, 1e-15);
  for (int i = 0; i < 1000; ++i) {
    const double now = schedule.rate(i / 1000.0), next = schedule.rate((i + 1) / 1000.0);
    EXPECT_EQ(now < next, i < 250) << i;
  }
}

TEST(ScheduleTest, CosineIsOneCycleWithoutWarmUp) {
  Recipe recipe;
  recipe.schedule = "cosine";
  recipe.learning_rate = 0.2;
  EXPECT_DOUBLE_EQ(Schedule(recipe).rate(0), 0.2);
  EXPECT_DOUBLE_EQ(Schedule(recipe).rate(0.5), 0.1);
  EXPECT_NEAR(Schedule(recipe).rate(1), 0, 1e-15);
}

TEST(ScheduleTest, ConstantAndEdges) {
  Recipe recipe;
  recipe.schedule = "constant";
  EXPECT_EQ(Schedule(recipe).rate(0.99), 0.05);
  recipe.schedule = "step";
  recipe.milestones = "";
  EXPECT_EQ(Schedule(recipe).rate(0.99), 0.05);
  recipe.schedule = "one_cycle";
  recipe.warmup = 1;
  EXPECT_NEAR(Schedule(recipe).rate(0.999999), 0.05, 1e-6);
}

TEST(ScheduleTest, RefusesMilestonesThatAreNone) {
  for (const char* text :
       {"0.2", "0.2:", ":0.5", "0.2:0.5;0.4:0.1", "0.4:0.5,0.2:0.1", "0.2:0.5,0.2:0.1", "1.5:0.1",
        "-0.1:0.5", "0.2:0", "0.2:-1", "0.2:nan", "a:b", "0.2:0.5x"}) {
    Recipe recipe;
    recipe.milestones = text;
    EXPECT_THROW(Schedule{recipe}, UsageError) << text;
  }
}

}  // namespace
}  // namespace ferplus
