#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/data/selection.h>
#include <ferplus/data/statistics.h>

#include "data/fixtures.h"
#include "support/shared.h"

namespace ferplus {
namespace {

// A dataset of 1×1 images: split, gray value, votes.
struct Pixel {
  Split split;
  std::uint8_t gray;
  Votes votes;
};
constexpr Votes kHappy{0, 10}, kNeutralOrSad{5, 0, 0, 5}, kNoFace{0, 0, 0, 0, 0, 0, 0, 0, 0, 10};

Dataset dataset_of(const std::vector<Pixel>& pixels) {
  Dataset dataset;
  dataset.source = "somewhere";
  for (const Pixel& pixel : pixels) {
    const auto split = static_cast<std::size_t>(pixel.split);
    dataset.samples.push_back({.row = dataset.samples.size(),
                               .draw_key = static_cast<std::uint32_t>(dataset.rows[split]++),
                               .split = pixel.split,
                               .name = std::to_string(dataset.samples.size()),
                               .face = {0, 0, 1, 1},
                               .votes = pixel.votes,
                               .pixel_offset = dataset.pixels.size(),
                               .width = 1,
                               .height = 1});
    dataset.pixels.push_back(pixel.gray);
  }
  return dataset;
}

const Dataset& small_dataset() {
  static const Dataset dataset = dataset_of({{Split::train, 1, kHappy},
                                             {Split::train, 2, kNeutralOrSad},
                                             {Split::public_test, 1, kHappy},
                                             {Split::train, 3, kNoFace},
                                             {Split::train, 4, kHappy},
                                             {Split::train, 4, kNoFace},
                                             {Split::public_test, 5, kNeutralOrSad},
                                             {Split::public_test, 4, kNeutralOrSad},
                                             {Split::public_test, 5, kNoFace}});
  return dataset;
}

using Indices = std::vector<std::size_t>;

std::string message_of(Split split, LabelMode mode, const Dataset& dataset) {
  try {
    select(dataset, split, mode);
    return "no error";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(Selection, KeepsWhatTheModeKeeps) {
  const Selection majority = select(small_dataset(), Split::train, LabelMode::majority);
  EXPECT_EQ(majority.samples, (Indices{0, 4}));
  EXPECT_EQ(majority.targets[1], (Target{0, 1}));
  const Selection soft = select(small_dataset(), Split::train, LabelMode::crossentropy);
  EXPECT_EQ(soft.samples, (Indices{0, 1, 4}));
  EXPECT_EQ(soft.targets[1], (Target{0.5F, 0, 0, 0.5F}));
  EXPECT_EQ(first(select(small_dataset(), Split::train, LabelMode::crossentropy), 2).samples,
            (Indices{0, 1}));
  EXPECT_EQ(first(select(small_dataset(), Split::train, LabelMode::crossentropy), 100).size(), 3U);
}

TEST(Selection, AnEmptySplitIsAnError) {
  EXPECT_EQ(message_of(Split::private_test, LabelMode::majority, small_dataset()),
            "somewhere: the private split has no images");
  const Dataset no_faces = dataset_of({{Split::train, 1, kNoFace}, {Split::train, 2, kNoFace}});
  EXPECT_EQ(message_of(Split::train, LabelMode::majority, no_faces),
            "somewhere: mode majority keeps none of the 2 images of the train split");
}

TEST(Selection, WithoutTwins) {
  const Selection all = select(small_dataset(), Split::public_test, LabelMode::crossentropy);
  EXPECT_EQ(all.samples, (Indices{2, 6, 7}));
  const Indices twins = samples_with_train_twin(small_dataset(), Split::public_test);
  EXPECT_EQ(twins, (Indices{2, 7}));
  const Selection rest = without(all, twins);
  EXPECT_EQ(rest.samples, (Indices{6}));
  EXPECT_EQ(rest.targets[0], all.targets[1]);
  EXPECT_EQ(samples_with_train_twin(small_dataset(), Split::train), (Indices{4, 5}));
  EXPECT_EQ(train_samples_with_test_twin(small_dataset()), (Indices{0, 4, 5}));
}

TEST(Selection, First) {
  const Selection all = select(small_dataset(), Split::train, LabelMode::crossentropy);
  EXPECT_EQ(first(all, 0).samples, all.samples);
  EXPECT_EQ(first(all, 5).samples, all.samples);
  EXPECT_EQ(first(all, 2).samples, (Indices{0, 1}));
  EXPECT_EQ(first(all, 2).targets.size(), 2U);
}

TEST(Selection, HoldOutSplitsAtRandom) {
  const Dataset dataset = parse(random_csv(400));
  const Selection all = select(dataset, Split::train, LabelMode::crossentropy);
  const HoldOut parts = hold_out(dataset, all, 40, 9);
  EXPECT_EQ(parts.held_out.size(), 40U);
  EXPECT_EQ(parts.held_out.mode, LabelMode::crossentropy);
  EXPECT_EQ(without(all, parts.held_out.samples).samples, parts.rest.samples);
  EXPECT_EQ(without(all, parts.held_out.samples).targets, parts.rest.targets);
  EXPECT_TRUE(std::is_sorted(parts.held_out.samples.begin(), parts.held_out.samples.end()));
  // At random: not the first or last, and others with another seed.
  EXPECT_LT(parts.held_out.samples.front(), all.samples[all.size() / 2]);
  EXPECT_GT(parts.held_out.samples.back(), all.samples[all.size() / 2]);
  EXPECT_NE(hold_out(dataset, all, 40, 10).held_out.samples, parts.held_out.samples);
  // More of them hold out the same and others; so does another mode, as far as it keeps them.
  const Indices more = hold_out(dataset, all, 80, 9).held_out.samples;
  EXPECT_TRUE(std::includes(more.begin(), more.end(), parts.held_out.samples.begin(),
                            parts.held_out.samples.end()));
  const HoldOut majority =
      hold_out(dataset, select(dataset, Split::train, LabelMode::majority), 40, 9);
  const auto shared = std::ranges::count_if(majority.held_out.samples, [&](std::size_t i) {
    return std::binary_search(more.begin(), more.end(), i);
  });
  EXPECT_EQ(shared, 40);
  EXPECT_EQ(hold_out(dataset, all, 0, 9).rest.samples, all.samples);
  EXPECT_THROW(hold_out(dataset, all, all.size(), 9), UsageError);
}

TEST(Selection, BalancingWeights) {
  Selection selection;
  for (int i = 0; i < 6; ++i) selection.targets.push_back({1});
  selection.targets.push_back({0, 1});
  selection.targets.push_back({0.5F, 0.5F});
  for (double exponent : {0.0, 0.5, 1.0}) {
    const std::vector<double> weights = balancing_weights(selection, exponent);
    ASSERT_EQ(weights.size(), 8U);
    double sum = 0;
    for (double weight : weights) sum += weight;
    EXPECT_NEAR(sum, 8, 1e-12);
    // Classes of 6.5 and 1.5 images.
    EXPECT_NEAR(weights[6] / weights[0], std::pow(6.5 / 1.5, exponent), 1e-12);
    EXPECT_NEAR(weights[7], (weights[0] + weights[6]) / 2, 1e-12);
  }
  const std::vector<double> equal = balancing_weights(selection, 1);
  EXPECT_NEAR(6.5 * equal[0], 4, 1e-12);
  EXPECT_NEAR(1.5 * equal[6], 4, 1e-12);
}

TEST(Statistics, CountEverything) {
  const DatasetStatistics counts = statistics(small_dataset());
  const SplitStatistics& train = counts.splits[0];
  EXPECT_EQ(train.rows, 5U);
  EXPECT_EQ(train.images, 5U);
  EXPECT_EQ(train.modes[0].kept, 2U);
  EXPECT_EQ(train.modes[0].dropped, 3U);
  EXPECT_EQ(train.modes[0].per_class[1], 2U);
  EXPECT_EQ(train.modes[2].kept, 3U);
  EXPECT_EQ(train.modes[2].per_class[0], 1U);
  EXPECT_EQ(counts.splits[2].rows, 0U);
  EXPECT_EQ(counts.duplicates.groups, 3U);
  EXPECT_EQ(counts.duplicates.images, 7U);
  EXPECT_EQ(counts.duplicates.cross_split_groups, 2U);
  EXPECT_EQ(counts.duplicates.public_with_train_twin, 2U);
  EXPECT_EQ(counts.duplicates.private_with_train_twin, 0U);
}

TEST(Statistics, AnImageCountsForEachClassThatMultiTargetAdmits) {
  const DatasetStatistics counts =
      statistics(dataset_of({{Split::train, 1, {5, 5}}, {Split::train, 2, {0, 0, 10}}}));
  const ModeStatistics& multi_target = counts.splits[0].modes[3];
  EXPECT_EQ(multi_target.kept, 2U);
  EXPECT_EQ(multi_target.per_class, (std::array<std::size_t, kClasses>{1, 1, 1}));
}

TEST(Statistics, EqualBytesInAnotherShapeAreAnotherImage) {
  Dataset dataset = dataset_of({{Split::train, 1, kHappy}, {Split::public_test, 1, kHappy}});
  dataset.pixels.assign(12, 1);
  dataset.samples[0].width = 2, dataset.samples[0].height = 3;
  dataset.samples[1].width = 3, dataset.samples[1].height = 2, dataset.samples[1].pixel_offset = 6;
  EXPECT_EQ(statistics(dataset).duplicates.groups, 0U);
}

// fer2013.csv is in the shared folder in compressed form only.
TEST(Statistics, TheRealImagesHaveTheCountsOfTheReference) {
  FERPLUS_NEEDS_SHARED("data/fer2013new.csv");
  const char* fer = std::getenv("FERPLUS_FER_CSV");
  if (fer == nullptr) GTEST_SKIP() << "set FERPLUS_FER_CSV to the decompressed fer2013.csv";
  const Dataset dataset = load_fer_csv(fer, shared_folder() / "data/fer2013new.csv");
  const DatasetStatistics counts = statistics(dataset);
  EXPECT_EQ(counts.duplicates.groups, 1273U);
  EXPECT_EQ(counts.duplicates.images, 2795U);
  EXPECT_EQ(counts.duplicates.cross_split_groups, 269U);
  EXPECT_EQ(counts.duplicates.public_with_train_twin, 279U);
  using PerClass = std::array<std::size_t, kClasses>;
  EXPECT_EQ(counts.splits[0].modes[0].per_class,
            (PerClass{8740, 7287, 3149, 3014, 2100, 119, 532, 119}));
  EXPECT_EQ(counts.splits[1].modes[0].per_class, (PerClass{1182, 865, 415, 351, 287, 24, 62, 13}));
  const Selection all = select(dataset, Split::public_test, LabelMode::majority);
  const Selection rest = without(all, samples_with_train_twin(dataset, Split::public_test));
  EXPECT_EQ(all.size(), 3199U);
  EXPECT_EQ(all.size() - rest.size(), 251U);
  const Indices leaks = train_samples_with_test_twin(dataset);
  const Selection soft = select(dataset, Split::train, LabelMode::crossentropy);
  RecordProperty("leaks", std::to_string(leaks.size()));
  RecordProperty("kept leaks", std::to_string(soft.size() - without(soft, leaks).size()));
  // Twins are mutual: without the leaks, no public image has one in training.
  Dataset rest_of_data = dataset;
  rest_of_data.samples.clear();
  for (std::size_t i = 0; i < dataset.samples.size(); ++i) {
    if (!std::binary_search(leaks.begin(), leaks.end(), i)) {
      rest_of_data.samples.push_back(dataset.samples[i]);
    }
  }
  EXPECT_TRUE(samples_with_train_twin(rest_of_data, Split::public_test).empty());
}

TEST(Statistics, NamesOfSplits) {
  for (const Split split : {Split::train, Split::public_test, Split::private_test}) {
    EXPECT_EQ(split_from_name(split_name(split)), split);
  }
  EXPECT_THROW(split_from_name("test"), UsageError);
}

}  // namespace
}  // namespace ferplus
