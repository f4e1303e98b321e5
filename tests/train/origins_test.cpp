// Which images a model has never been trained on.
#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/train/origins.h>
#include <ferplus/train/training_set.h>

#include "train/short_run.h"

namespace ferplus {
namespace {

using testing::HasSubstr;
using Metadata = std::map<std::string, std::string>;

const RunConfig kConfig{.mode = LabelMode::majority, .seed = 3, .hold_out = 40};

// Of a run on faces(), begun with a model of the metadata `from`.
Metadata metadata_of(RunConfig config, const Metadata* from = nullptr) {
  config.from = from ? "a.safetensors" : "";
  Metadata metadata = to_metadata(config);
  metadata["data"] = fingerprint(faces(), training_set(faces(), config).training.samples);
  if (from && !origins_after(*from).empty()) metadata["origins"] = origins_after(*from);
  return metadata;
}

std::vector<std::size_t> untrained(const Metadata& metadata) {
  return untrained_samples(faces(), metadata).value();
}

std::string refusal(const Metadata& metadata, const Dataset& dataset = faces()) {
  return message_of<Error>([&] { untrained_samples(dataset, metadata); });
}

TEST(OriginsTest, UntrainedIsWhatNoRunHasSeen) {
  RunConfig other = kConfig;
  other.seed = 4;
  other.limit = 50;
  const Metadata first = metadata_of(kConfig), same = metadata_of(kConfig, &first);
  EXPECT_EQ(untrained(first), training_set(faces(), kConfig).held_out.samples);
  EXPECT_EQ(untrained(same), untrained(first));

  const Metadata third = metadata_of(other, &same);
  std::vector<std::size_t> both;
  std::ranges::set_intersection(untrained(first), untrained(metadata_of(other)),
                                std::back_inserter(both));
  ASSERT_FALSE(both.empty());
  ASSERT_LT(both.size(), 40U);
  EXPECT_EQ(untrained(third), both);
  EXPECT_EQ(untrained(metadata_of(kConfig, &third)), both);
}

TEST(OriginsTest, ARunThatIsRepeatedIsNotedOnce) {
  const Metadata first = metadata_of(kConfig);
  EXPECT_EQ(origins_after(metadata_of(kConfig, &first)), origins_after(first));
}

TEST(OriginsTest, RefusesIfARunBeforeIsNotKnown) {
  const Metadata first = metadata_of(kConfig);
  const auto refusal_after = [&](const Metadata& before) {
    return refusal(metadata_of(kConfig, &before));
  };
  EXPECT_THAT(refusal_after({}), HasSubstr("a.safetensors"));
  for (const char* key :
       {"mode", "preprocessing", "seed", "drop_leaks", "hold_out", "limit", "data"}) {
    Metadata less = first;
    less.erase(key);
    EXPECT_THAT(refusal_after(less), HasSubstr("--split public")) << key;
  }
  for (const auto& [key, value] : Metadata{{"mode", "x"}, {"hold_out", "x"}, {"data", "x"}}) {
    Metadata wrong = first;
    wrong[key] = value;
    EXPECT_THAT(refusal_after(wrong), HasSubstr("--split public")) << key;
  }
  Metadata of_unknown = first;
  of_unknown["from"] = "b.safetensors";
  EXPECT_THAT(refusal_after(of_unknown), HasSubstr("--split public"));
}

TEST(OriginsTest, RefusesDamagedOnes) {
  const Metadata first = metadata_of(kConfig);
  Metadata second = metadata_of(kConfig, &first);
  ASSERT_EQ(untrained(second).size(), 40U);
  const std::string sound = second.at("origins");
  for (const std::string& damaged :
       {std::string(), std::string("["), std::string("[]"), std::string("{}"), std::string("null"),
        std::string("[3]"), std::string("[{}]"), std::string(R"([{"seed": 3}])"),
        R"({"a":)" + sound.substr(1, sound.size() - 2) + "}"}) {
    second["origins"] = damaged;
    EXPECT_THAT(refusal(second), HasSubstr("--split public")) << damaged;
    EXPECT_EQ(origins_after(second), "") << damaged;
  }
  for (const auto& [key, value] : Metadata{{"mode", "x"}, {"hold_out", "x"}}) {
    Metadata wrong = first;
    wrong[key] = value;
    EXPECT_THAT(refusal(wrong), HasSubstr("damaged")) << key;
    wrong.erase(key);
    EXPECT_THAT(refusal(wrong), HasSubstr("damaged")) << key;
  }
}

TEST(OriginsTest, AModelOfNoRunSaysNothing) {
  EXPECT_EQ(untrained_samples(faces(), {{"mode", "majority"}, {"preprocessing", "raw"}}),
            std::nullopt);
}

TEST(OriginsTest, AsksForTheDataOfTheRun) {
  Metadata metadata = metadata_of(kConfig);
  Dataset dataset = faces();
  dataset.source = "other.csv";
  const auto trained = std::ranges::find(dataset.samples, Split::train, &Sample::split);
  for (auto sample = trained; sample != trained + 50; ++sample) sample->pixel_offset = 0;
  EXPECT_THAT(refusal(metadata, dataset), HasSubstr("other.csv"));
  // Fewer images than the run held out.
  Dataset few = dataset;
  few.samples.resize(20);
  EXPECT_THAT(refusal(metadata, few), HasSubstr("other images or votes"));
  metadata.erase("data");  // as in models of earlier versions: the data is taken to be theirs
  EXPECT_EQ(untrained_samples(dataset, metadata).value().size(), 40U);
}

}  // namespace
}  // namespace ferplus
