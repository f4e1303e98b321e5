// What training refuses, and how it ends where numbers end.
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/data/batch.h>
#include <ferplus/train/checkpoint.h>
#include <ferplus/train/training_set.h>

#include "train/short_run.h"

namespace ferplus {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;

TEST(TrainerRefusals, RefusesAFolderThatHoldsARun) {
  for (const char* name : {"config.json", "last.safetensors", "metrics.jsonl"}) {
    TemporaryFolder folder;
    write_text(folder / name, "{}");
    EXPECT_THAT(error_of(faces(), short_run(), {.folder = folder.path()}),
                AllOf(HasSubstr(folder.path().string()), HasSubstr(name), HasSubstr("--resume")));
    EXPECT_EQ(read_text(folder / name), "{}");
  }
}

TEST(TrainerRefusals, RefusesToResumeNothing) {
  TemporaryFolder folder;
  EXPECT_THAT(error_of(faces(), short_run(), {.folder = folder.path(), .resume = true}),
              HasSubstr("config.json"));
}

TEST(TrainerRefusals, RefusesASecondTrainerOnTheSameFolder) {
  TemporaryFolder folder;
  Recorder recorder;
  std::string message;
  recorder.during_step = [&](std::size_t steps) {
    if (steps != 1) return;
    message = error_of(faces(), short_run(), {.folder = folder.path(), .resume = true});
  };
  EXPECT_TRUE(train(faces(), short_run(), {.folder = folder.path()}, recorder).finished);
  EXPECT_THAT(message, HasSubstr(folder.path().string()));
}

TEST(TrainerRefusals, ResumedSettingsMustBeTheRuns) {
  TemporaryFolder folder;
  Recorder recorder(1);
  train(faces(), short_run(), {.folder = folder.path()}, recorder);
  const std::string config = read_text(folder / "config.json");
  const std::vector<std::function<void(RunConfig&)>> changes = {
      [](RunConfig& c) { c.seed = 8; },
      [](RunConfig& c) { c.limit = 21; },
      [](RunConfig& c) { c.hold_out = 31; },
      [](RunConfig& c) { c.drop_leaks = false; },
      [](RunConfig& c) { c.mode = LabelMode::majority; },
      [](RunConfig& c) { c.recipe.learning_rate = 0.05; },
      [](RunConfig& c) { c.recipe.distort = false; },
      [](RunConfig& c) { c.convolution.algorithm = "matrix_product"; },
      [](RunConfig& c) { c.convolution.tuned = {kTunedLayer}; },
      [](RunConfig& c) { c.network = "vgg13_bn"; }};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    RunConfig other = short_run();
    changes[i](other);
    EXPECT_THAT(error_of(faces(), other, {.folder = folder.path(), .resume = true}),
                AllOf(HasSubstr("config.json"), HasSubstr("settings differ")))
        << i;
    EXPECT_EQ(read_text(folder / "config.json"), config);
  }
  RunConfig two = short_run();
  two.seed = 77;
  two.recipe.learning_rate = 0.05;
  EXPECT_THAT(error_of(faces(), two, {.folder = folder.path(), .resume = true}),
              HasSubstr("(seed, learning_rate)"));
  // Data may have moved.
  RunConfig moved = short_run();
  moved.fer = "/elsewhere/fer2013.csv";
  Recorder again(1);
  EXPECT_NO_THROW(train(faces(), moved, {.folder = folder.path(), .resume = true}, again));
}

TEST(TrainerRefusals, ResumeRefusesOtherDataAndDamagedCheckpoints) {
  TemporaryFolder folder;
  RunConfig config = short_run();
  config.limit = config.hold_out = 0;
  Recorder recorder(4);
  train(faces(), config, {.folder = folder.path()}, recorder);
  Dataset fewer = faces();
  std::size_t kept = 0;
  std::erase_if(fewer.samples,
                [&](const Sample& s) { return s.split == Split::train && ++kept > 20; });
  EXPECT_THAT(error_of(fewer, config, {.folder = folder.path(), .resume = true}),
              HasSubstr("other data"));
  // One vote or one pixel is enough, of the public split too.
  for (const Split split : {Split::train, Split::public_test}) {
    const Selection selection = select(faces(), split, config.mode);
    for (const bool is_vote : {true, false}) {
      Dataset other = faces();
      Sample& sample = other.samples[selection.samples.back()];
      if (is_vote) {
        ++sample.votes[0];
      } else {
        ++other.pixels[sample.pixel_offset];
      }
      EXPECT_THAT(error_of(other, config, {.folder = folder.path(), .resume = true}),
                  HasSubstr("other data"))
          << split_name(split) << ' ' << is_vote;
    }
  }
  const std::string checkpoint = read_text(folder / "last.safetensors");
  for (std::string damaged : {checkpoint.substr(0, checkpoint.size() / 2), checkpoint}) {
    damaged[damaged.size() - 100] = static_cast<char>(damaged[damaged.size() - 100] ^ 1);
    write_text(folder / "last.safetensors", damaged);
    EXPECT_THAT(error_of(faces(), config, {.folder = folder.path(), .resume = true}),
                HasSubstr("last.safetensors"));
  }
}

TEST(TrainerRefusals, NamesASplitThatIsEmpty) {
  for (Split split : {Split::train, Split::public_test}) {
    Dataset dataset = faces();
    dataset.source = "faces.csv";
    std::erase_if(dataset.samples, [&](const Sample& s) { return s.split == split; });
    TemporaryFolder folder;
    EXPECT_THAT(error_of(dataset, short_run(), {.folder = folder.path()}),
                AllOf(HasSubstr("faces.csv"), HasSubstr(std::string(split_name(split)))));
  }
}

TEST(TrainerRefusals, RefusesRecipesThatAreOutOfRange) {
  TemporaryFolder folder;
  RunConfig config = short_run();
  config.recipe.batch = 0;
  Recorder recorder;
  EXPECT_THROW(train(faces(), config, {.folder = folder.path()}, recorder), UsageError);
  EXPECT_EQ(folder.entries(), 0);
}

// The CSV rows of a step's batch, as the message lists them.
std::string rows_of(const RunConfig& config, std::uint32_t epoch, Index step) {
  BatchLoader loader(faces(), training_set(faces(), config).training, training_batches(config));
  const Index batch = config.recipe.batch;
  Buffer<float> input(static_cast<std::size_t>(batch * kInputPixels));
  Buffer<float> targets(static_cast<std::size_t>(batch * kClasses));
  loader.load(epoch, step, {input.data(), {batch, kInputSide, kInputSide, 1}},
              {targets.data(), {batch, kClasses}});
  std::string rows;
  for (Index n = 0; n < loader.batch_images(step); ++n) {
    rows += (n > 0 ? ", " : "") + std::to_string(faces().samples[loader.sample_index(step, n)].row);
  }
  return rows;
}

TEST(TrainerRefusals, NonFiniteLossNamesStepLayerAndRows) {
  TemporaryFolder folder;
  const RunConfig config = short_run();
  Recorder recorder(4);
  train(faces(), config, {.folder = folder.path()}, recorder);
  // A weight of the first dense layer becomes a not-a-number, in epoch 1 before step 1.
  const Network network = build_network(config);
  TrainingState state(network, config);
  const SafetensorsFile file(folder / "last.safetensors");
  state.data = file.metadata().at("data");
  state.public_data = file.metadata().at("public_data");
  load_checkpoint(folder / "last.safetensors", network, state);
  for (const Network::Array& array : network.parameters()) {
    if (array.spec.name != "fc1.weight") continue;
    state.parameters.values()[array.offset] = std::numeric_limits<float>::quiet_NaN();
  }
  save_checkpoint(folder / "last.safetensors", network, config, state);
  const std::string before = read_text(folder / "last.safetensors");

  EXPECT_THAT(error_of(faces(), config, {.folder = folder.path(), .resume = true}),
              AllOf(HasSubstr("not finite"), HasSubstr("epoch 2, step 2"), HasSubstr("fc1"),
                    HasSubstr("rows of the batch: " + rows_of(config, 1, 1))));
  EXPECT_EQ(read_text(folder / "last.safetensors"), before);
}

// An infinite running variance leaves training and logits finite.
TEST(TrainerRefusals, NonFiniteStatisticsLeaveTheEpochBeforeAsItWas) {
  TemporaryFolder folder;
  const RunConfig config = short_run();
  Recorder recorder;
  train(faces(), config, {.folder = folder.path(), .stop_after = 1}, recorder);
  const Network network = build_network(config);
  TrainingState state(network, config);
  const auto metadata = SafetensorsFile(folder / "last.safetensors").metadata();
  state.data = metadata.at("data");
  state.public_data = metadata.at("public_data");
  load_checkpoint(folder / "last.safetensors", network, state);
  for (const Network::Array& array : network.state()) {
    if (!array.spec.name.ends_with("running_var")) continue;
    state.parameters.state()[array.offset] = std::numeric_limits<float>::infinity();
  }
  state.position.best_accuracy = 0;  // so that any epoch would be the best
  save_checkpoint(folder / "last.safetensors", network, config, state);
  const std::string best = read_text(folder / "best.safetensors");
  const std::string metrics = read_text(folder / "metrics.jsonl");

  EXPECT_THAT(error_of(faces(), config, {.folder = folder.path(), .resume = true}),
              AllOf(HasSubstr("no longer finite"), HasSubstr("epoch 2")));
  EXPECT_EQ(read_text(folder / "best.safetensors"), best);
  EXPECT_EQ(read_text(folder / "metrics.jsonl"), metrics);
}

TEST(TrainerRefusals, HugeLearningRateEndsInThatError) {
  TemporaryFolder folder;
  RunConfig config = plain_run(LabelMode::majority, 20);
  config.recipe.schedule = "constant";
  config.recipe.learning_rate = 100;
  config.recipe.momentum = 0.99;
  config.recipe.nesterov = false;
  const std::string message = error_of(faces(), config, {.folder = folder.path()});
  // Which of the checks comes first depends on the rounding of the ISA.
  EXPECT_THAT(message, AllOf(HasSubstr("finite"), HasSubstr("epoch"), HasSubstr("learning rate")));
}

}  // namespace
}  // namespace ferplus
