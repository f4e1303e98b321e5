// What a run computes and writes. What it refuses: trainer_refusals_test.cpp. That it does not
// matter how it is cut up: resume_test.cpp.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/nn/model_file.h>
#include <ferplus/train/evaluate.h>
#include <ferplus/train/origins.h>
#include <ferplus/train/training_set.h>

#include "nn/allocation_counter.h"
#include "nn/threads.h"
#include "train/short_run.h"

namespace ferplus {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;

class Modes : public testing::TestWithParam<LabelMode> {};

TEST_P(Modes, LossFalls) {
  TemporaryFolder folder;
  Recorder recorder;
  train(faces(), plain_run(GetParam(), 8), {.folder = folder.path()}, recorder);
  ASSERT_THAT(recorder.epochs, SizeIs(8));
  const double first = recorder.epochs.front().train_loss, last = recorder.epochs.back().train_loss;
  RecordProperty("first", std::to_string(first));
  RecordProperty("last", std::to_string(last));
  EXPECT_LT(last, 0.5 * first);
}

INSTANTIATE_TEST_SUITE_P(TrainerTest, Modes,
                         testing::Values(LabelMode::majority, LabelMode::probability,
                                         LabelMode::crossentropy, LabelMode::multi_target),
                         [](const auto& parameter) {
                           return std::string(label_mode(parameter.param).name);
                         });

// The public accuracies of both kinds of run, and of their models evaluated again as their files
// say.
TEST(TrainerTest, ObeysThePreprocessing) {
  std::vector<double> losses;
  for (const Preprocessing preprocessing : {Preprocessing::ferplus, Preprocessing::raw}) {
    TemporaryFolder folder;
    Recorder recorder;
    RunConfig config = plain_run(LabelMode::majority, 1);
    config.preprocessing = preprocessing;
    const TrainResult result = train(faces(), config, {.folder = folder.path()}, recorder);
    losses.push_back(recorder.epochs.front().train_loss);
    for (const char* name : {"best.safetensors", "last.safetensors"}) {
      const Model model = load_model(folder / name);
      ASSERT_EQ(model.preprocessing(), preprocessing);
      const PreparedModel prepared(model.network, model.parameters);
      EXPECT_EQ(
          evaluate(faces(), prepared, {.preprocessing = preprocessing}).classification.accuracy,
          result.public_accuracy);
      EXPECT_EQ(evaluate(faces(), prepared,
                         {.split = Split::private_test, .preprocessing = preprocessing})
                    .classification.accuracy,
                result.private_accuracy);
    }
  }
  EXPECT_NE(losses[0], losses[1]);
}

TEST(TrainerTest, StartsFromAModel) {
  TemporaryFolder first, second;
  Recorder recorder;
  const RunConfig before = plain_run(LabelMode::majority, 2);
  train(faces(), before, {.folder = first.path()}, recorder);
  // A learning rate of nearly nothing: the run ends where it started.
  RunConfig config = plain_run(LabelMode::majority, 1);
  config.from = first / "last.safetensors";
  config.recipe.learning_rate = 1e-12;
  config.recipe.weight_decay = 0;
  train(faces(), config, {.folder = second.path()}, recorder);
  const Model from = load_model(config.from), to = load_model(second / "last.safetensors");
  for (std::size_t i = 0; i < from.parameters.values().size(); ++i) {
    ASSERT_NEAR(to.parameters.values()[i], from.parameters.values()[i], 1e-9);
  }
  // Batch-norm statistics go on from there.
  EXPECT_FALSE(std::ranges::equal(to.parameters.state(), from.parameters.state()));
  // What both held out can still calibrate, also after an interruption.
  for (const char* name : {"best.safetensors", "last.safetensors"}) {
    const Model model = load_model(second / name);
    EXPECT_EQ(untrained_samples(faces(), model.metadata), untrained_samples(faces(), from.metadata))
        << name;
  }
  config.recipe.epochs = 2;
  train(faces(), config, {.folder = second.path(), .resume = true}, recorder);
  EXPECT_EQ(load_model(second / "last.safetensors").metadata.at("origins"),
            origins_after(from.metadata));
  config.recipe.epochs = 1;

  TemporaryFolder third;
  RunConfig other = config;
  other.network = "vgg13";
  EXPECT_THAT(error_of(faces(), other, {.folder = third.path()}),
              AllOf(HasSubstr("vgg_mini"), HasSubstr("vgg13")));
  other = config;
  other.preprocessing = Preprocessing::raw;
  EXPECT_THAT(error_of(faces(), other, {.folder = third.path()}),
              HasSubstr("--preprocessing ferplus"));
  other.from = "/nowhere.safetensors";
  EXPECT_THAT(error_of(faces(), other, {.folder = third.path()}), HasSubstr("/nowhere"));
  // A refused run leaves nothing that would stop the next one.
  train(faces(), config, {.folder = third.path()}, recorder);
}

TEST(TrainerTest, ReportsWhatItDid) {
  TemporaryFolder folder;
  Recorder recorder;
  const RunConfig config = short_run();
  const TrainResult result = train(faces(), config, {.folder = folder.path()}, recorder);

  ASSERT_THAT(recorder.steps, SizeIs(9));
  for (std::size_t i = 0; i < 9; ++i) {
    const StepReport& step = recorder.steps[i];
    EXPECT_EQ(step.epoch, static_cast<int>(i / 3));
    EXPECT_EQ(step.epochs, 3);
    EXPECT_EQ(step.step, static_cast<std::int64_t>(i % 3 + 1));
    EXPECT_EQ(step.steps_per_epoch, 3);
    EXPECT_EQ(step.images, i % 3 == 0 ? 8 : i % 3 == 1 ? 16 : 20);
    EXPECT_EQ(step.epoch_images, 20);
  }
  ASSERT_THAT(recorder.epochs, SizeIs(3));
  for (std::size_t e = 0; e < 3; ++e) {
    const StepReport* steps = &recorder.steps[3 * e];
    const EpochMetrics& metrics = recorder.epochs[e];
    EXPECT_EQ(metrics.epoch, static_cast<int>(e));
    EXPECT_NEAR(metrics.train_loss,
                (8 * steps[0].loss + 8 * steps[1].loss + 4 * steps[2].loss) / 20, 1e-12);
    EXPECT_EQ(metrics.train_loss, steps[2].mean_loss);
    EXPECT_EQ(metrics.train_accuracy, steps[2].mean_accuracy);
    EXPECT_EQ(metrics.learning_rate, steps[0].learning_rate);
    // The last fifty steps of the epoch are all three of it.
    EXPECT_NEAR(metrics.final_train_loss.value(), metrics.train_loss, 1e-12);
    EXPECT_GT(metrics.images_per_second, 0);
  }
  EXPECT_TRUE(recorder.best_flags[0]);

  // The best model is the one of the best epoch, with its averaged weights.
  const Model best = load_model(folder / "best.safetensors");
  const PreparedModel prepared(best.network, best.parameters);
  EXPECT_EQ(evaluate(faces(), prepared, {}).classification.accuracy, result.public_accuracy);
  EXPECT_EQ(recorder.epochs[static_cast<std::size_t>(result.best_epoch)].public_accuracy,
            result.public_accuracy);
  EXPECT_EQ(best.metadata.at("epoch"), std::to_string(result.best_epoch));
  EXPECT_EQ(best.metadata.at("mode"), "probability");
  EXPECT_EQ(best.metadata.at("seed"), "7");
  EXPECT_EQ(best.metadata.at("drop_leaks"), "true");
  EXPECT_EQ(best.metadata.at("hold_out"), "30");
  ASSERT_TRUE(result.private_accuracy.has_value());
  EXPECT_EQ(evaluate(faces(), prepared, {.split = Split::private_test}).classification.accuracy,
            *result.private_accuracy);

  // The last epoch's public figures are those of the checkpoint's averages.
  const Model last = load_model(folder / "last.safetensors");
  const PreparedModel prepared_last(last.network, last.parameters);
  Session session(prepared_last, 8);
  const Selection kept = select(faces(), Split::public_test, LabelMode::majority);
  const std::vector<Logits> logits =
      predict_samples(faces(), kept.samples, Preprocessing::ferplus, session,
                      [&](Index batch) { return session.forward(batch, prepared_last); });
  EXPECT_NEAR(agree(logits, kept.targets).cross_entropy, recorder.epochs.back().public_loss, 1e-6);

  const auto summary = nlohmann::json::parse(read_text(folder / "summary.json"));
  EXPECT_EQ(summary.at("best_epoch"), result.best_epoch);
  EXPECT_EQ(summary.at("finished"), true);
  EXPECT_EQ(summary.at("private_accuracy"), *result.private_accuracy);
}

TEST(TrainerTest, FirstOfEquallyGoodEpochsIsTheBest) {
  TemporaryFolder folder;
  RunConfig config = plain_run(LabelMode::majority, 3);
  config.recipe.schedule = "constant";
  config.recipe.learning_rate = 1e-30;
  config.recipe.batch_norm_momentum = 1e-6;
  Recorder recorder;
  const TrainResult result = train(faces(), config, {.folder = folder.path()}, recorder);
  ASSERT_EQ(recorder.epochs[0].public_accuracy, recorder.epochs[2].public_accuracy);
  EXPECT_EQ(result.best_epoch, 0);
  EXPECT_THAT(recorder.best_flags, testing::ElementsAre(true, false, false));
}

TEST(TrainerTest, PrivateAccuracyIsMeasuredOnceAllEpochsAreDone) {
  TemporaryFolder folder;
  const RunConfig config = plain_run(LabelMode::majority, 2);
  Recorder recorder;
  const TrainResult half =
      train(faces(), config, {.folder = folder.path(), .stop_after = 1}, recorder);
  EXPECT_EQ(half.private_accuracy, std::nullopt);
  const TrainResult whole =
      train(faces(), config, {.folder = folder.path(), .resume = true}, recorder);
  EXPECT_TRUE(whole.private_accuracy.has_value());
}

TEST(TrainerTest, WithoutAPrivateSplitThereIsNoPrivateAccuracy) {
  Dataset dataset = faces();
  std::erase_if(dataset.samples, [](const Sample& s) { return s.split == Split::private_test; });
  TemporaryFolder folder;
  Recorder recorder;
  const TrainResult result =
      train(dataset, plain_run(LabelMode::majority, 1), {.folder = folder.path()}, recorder);
  EXPECT_EQ(result.private_accuracy, std::nullopt);
  EXPECT_TRUE(
      nlohmann::json::parse(read_text(folder / "summary.json")).at("private_accuracy").is_null());
}

TEST(TrainerTest, StepsAllocateNothing) {
  if (!kCountsAllocations) GTEST_SKIP() << "allocations are not counted in this build";
  const Threads threads(2);
  struct Counter : TrainListener {
    void on_step(const StepReport& report) override {
      // From the end of one step to the end of the next, in an order that was drawn before.
      if (report.step == 1) begin = allocations;
      if (report.step == report.steps_per_epoch) counts[report.epoch] = allocations - begin;
    }
    long begin = 0;
    std::map<int, long> counts;
  };
  TemporaryFolder folder;
  Counter counter;
  train(faces(), short_run(), {.folder = folder.path()}, counter);
  EXPECT_EQ(counter.counts.at(1), 0);
  EXPECT_EQ(counter.counts.at(2), 0);
}

TEST(TrainerTest, AlgorithmsAreTheRunsAndNoLongerThanIt) {
  const TemporaryFolder folder;
  RunConfig config = short_run();
  config.recipe.epochs = 1;
  const std::vector<ConvSelection> selections = {
      {}, {.algorithm = "matrix_product"}, {.tuned = {kTunedLayer}}};
  std::vector<std::vector<std::string>> lines;
  for (std::size_t i = 0; i < selections.size(); ++i) {
    config.convolution = selections[i];
    const auto path = folder / std::to_string(i);
    Recorder recorder;
    recorder.during_step = [&](std::size_t) { EXPECT_EQ(conv_selection(), selections[i]); };
    train(faces(), config, {.folder = path}, recorder);
    EXPECT_EQ(conv_selection(), ConvSelection());
    RunConfig written;
    read_config(path / "config.json", written);
    EXPECT_EQ(written.convolution, selections[i]);
    for (const auto& other : lines) EXPECT_NE(metrics_lines(path), other) << i;
    lines.push_back(metrics_lines(path));
  }
}

TEST(TrainerTest, StopsWithinAnEvaluationToo) {
  TemporaryFolder folder;
  Recorder recorder;
  recorder.stop_after_evaluated_batches = 1;
  const TrainResult result = train(faces(), short_run(), {.folder = folder.path()}, recorder);
  EXPECT_TRUE(result.interrupted);
  EXPECT_EQ(recorder.evaluated_batches, 1U);
  EXPECT_TRUE(recorder.epochs.empty());
}

TEST(TrainerTest, FinalLossIsThatOfTheLastFiftyStepsOfTheEpoch) {
  TemporaryFolder folder;
  Recorder recorder;
  RunConfig config = plain_run(LabelMode::majority, 2);
  config.hold_out = 0;
  config.drop_leaks = false;
  config.limit = 106;
  config.recipe.batch = 2;
  train(faces(), config, {.folder = folder.path()}, recorder);
  ASSERT_EQ(recorder.steps.size(), 2U * 53);
  for (std::size_t epoch = 0; epoch < 2; ++epoch) {
    double sum = 0;
    for (std::size_t step = 3; step < 53; ++step) sum += recorder.steps[epoch * 53 + step].loss;
    EXPECT_NEAR(recorder.epochs[epoch].final_train_loss.value(), sum / 50, 1e-9) << epoch;
  }
}

TEST(TrainerTest, TellsWhatItLeavesOut) {
  struct Listener : TrainListener {
    void on_start(const StartReport& start) override { report = start; }
    bool stop_requested() override { return true; }
    StartReport report;
  };
  // The first public face becomes that of three training rows, the private one that of a fourth.
  Dataset dataset = faces();
  std::vector<Sample*> training;
  for (Sample& sample : dataset.samples) {
    if (sample.split == Split::train) training.push_back(&sample);
  }
  const auto pixels_of = [&](Split split) {
    return std::ranges::find(dataset.samples, split, &Sample::split)->pixel_offset;
  };
  for (std::size_t i : {5U, 6U, 70U}) training[i]->pixel_offset = pixels_of(Split::public_test);
  training[9]->pixel_offset = pixels_of(Split::private_test);
  for (std::size_t i : {5U, 6U, 70U, 9U}) training[i]->votes = {0, 10};
  RunConfig config = short_run();
  config.limit = 0;
  const auto report = [&] {
    TemporaryFolder folder;
    Listener listener;
    train(dataset, config, {.folder = folder.path()}, listener);
    return listener.report;
  };
  const StartReport without = report();
  EXPECT_EQ(without.leaks, 4U);
  EXPECT_EQ(without.held_out, 30U);
  config.drop_leaks = false;
  config.hold_out = 0;
  const StartReport with = report();
  EXPECT_EQ(with.leaks, std::nullopt);
  EXPECT_EQ(with.train_images, without.train_images + 34);
}

}  // namespace
}  // namespace ferplus
