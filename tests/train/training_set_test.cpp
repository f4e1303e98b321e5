// Which images a run trains on.
#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/data/statistics.h>
#include <ferplus/train/training_set.h>

#include "train/short_run.h"

namespace ferplus {
namespace {

using testing::HasSubstr;

TEST(TrainingSetTest, IsTheSelectionUnlessAskedOtherwise) {
  RunConfig config{.mode = LabelMode::crossentropy};
  const Selection all = select(faces(), Split::train, LabelMode::crossentropy);
  const TrainingSet whole = training_set(faces(), config);
  EXPECT_EQ(whole.training.samples, all.samples);
  EXPECT_EQ(whole.training.targets, all.targets);
  EXPECT_EQ(whole.held_out.size(), 0U);
  EXPECT_EQ(whole.leaks, std::nullopt);
  config.limit = 20;
  EXPECT_EQ(training_set(faces(), config).training.samples,
            first(select(faces(), Split::train, LabelMode::crossentropy), 20).samples);
}

TEST(TrainingSetTest, LeaksGoFirstThenHeldOutImagesThenTheLimit) {
  Dataset dataset = faces();
  const auto of = [&](Split split) {
    return std::ranges::find(dataset.samples, split, &Sample::split);
  };
  const auto leak = of(Split::train) + 3;
  leak->votes = {0, 10};
  leak->pixel_offset = of(Split::private_test)->pixel_offset;
  const auto leaked = static_cast<std::size_t>(leak - dataset.samples.begin());
  RunConfig config{
      .mode = LabelMode::crossentropy, .seed = 4, .drop_leaks = true, .hold_out = 25, .limit = 10};
  const TrainingSet set = training_set(dataset, config);
  EXPECT_EQ(set.leaks, 1U);
  EXPECT_EQ(set.held_out.size(), 25U);
  const std::vector<std::size_t> leaks{leaked};
  const HoldOut parts = hold_out(
      dataset, without(select(dataset, Split::train, LabelMode::crossentropy), leaks), 25, 4);
  EXPECT_EQ(set.held_out.samples, parts.held_out.samples);
  EXPECT_EQ(set.training.samples, first(parts.rest, 10).samples);
  config.limit = 0;
  EXPECT_EQ(training_set(dataset, config).held_out.samples, set.held_out.samples);
  // With leaks the held-out images are the same but for one that a leak displaces at most.
  config.drop_leaks = false;
  EXPECT_EQ(training_set(dataset, config).training.size(), parts.rest.size() + 1);
}

TEST(TrainingSetTest, TheLastEpochsArePlain) {
  RunConfig config;
  config.recipe.epochs = 84;
  config.recipe.plain_end = 0.3;
  EXPECT_EQ(training_batches(config).plain_from, 59U);
  config.recipe.plain_end = 0;
  EXPECT_EQ(training_batches(config).plain_from, 84U);
}

TEST(TrainingSetTest, TheFingerprintKnowsWhereTheFaceIs) {
  Dataset dataset = faces();
  const std::vector<std::size_t> samples = {0, 1};
  const std::string before = fingerprint(dataset, samples);
  dataset.samples[1].face = {1, 0, 48, 48};
  EXPECT_NE(fingerprint(dataset, samples), before);
}

TEST(TrainingSetTest, SaysThatNothingIsLeft) {
  RunConfig config{.hold_out = 1000};
  EXPECT_THAT(message_of<UsageError>([&] { training_set(faces(), config); }),
              HasSubstr("hold_out"));
  Dataset dataset = faces();
  dataset.source = "faces.csv";
  for (Sample& sample : dataset.samples) sample.pixel_offset = 0;
  config = {.drop_leaks = true};
  EXPECT_THAT(message_of<Error>([&] { training_set(dataset, config); }),
              testing::AllOf(HasSubstr("faces.csv"), HasSubstr("drop_leaks")));
}

}  // namespace
}  // namespace ferplus
