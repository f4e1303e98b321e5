// Temperatures: recovered, compared with a search, refused, written.
#include <cmath>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/core/random.h>
#include <ferplus/data/synth.h>
#include <ferplus/io/safetensors.h>
#include <ferplus/nn/predictor.h>
#include <ferplus/train/calibration.h>
#include <ferplus/train/evaluate.h>
#include <ferplus/train/training_set.h>

#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::vector<Logits> random_logits(std::size_t count, double spread) {
  std::vector<Logits> logits(count);
  RandomSequence random({.seed = 3, .stream = Stream::label, .epoch = 0, .sample = 0});
  for (Logits& row : logits) {
    for (float& value : row) value = static_cast<float>(random.uniform(-spread, spread));
  }
  return logits;
}

std::vector<Target> targets_at(const std::vector<Logits>& logits, double temperature) {
  std::vector<Target> targets;
  for (const Logits& row : logits) targets.push_back(softmax(tempered(row, temperature)));
  return targets;
}

TEST(FitTemperatureTest, RecoversTheOneThatMadeTheTargets) {
  const std::vector<Logits> logits = random_logits(300, 4);
  for (double temperature : {0.1, 0.5, 1.0, 1.7, 12.0}) {
    EXPECT_NEAR(fit_temperature(logits, targets_at(logits, temperature)).value(), temperature,
                1e-4 * temperature);
  }
}

TEST(FitTemperatureTest, IsTheMinimumOfTheCrossEntropy) {
  // Targets of other logits: no temperature makes them equal.
  const std::vector<Logits> logits = random_logits(200, 4);
  std::vector<Logits> shifted = logits;
  for (std::size_t i = 0; i < shifted.size(); ++i) shifted[i][i % kClasses] += 2;
  const std::vector<Target> targets = targets_at(shifted, 1.5);
  const auto cross_entropy = [&](double temperature) {
    std::vector<Logits> rows;
    for (const Logits& row : logits) rows.push_back(tempered(row, temperature));
    return agree(rows, targets).cross_entropy;
  };
  const double fitted = fit_temperature(logits, targets).value();
  for (double other = 0.2; other < 10; other *= 1.05) {
    EXPECT_LE(cross_entropy(fitted), cross_entropy(other) + 1e-9) << other;
  }
  EXPECT_LT(cross_entropy(fitted), cross_entropy(fitted * 1.05));
  EXPECT_LT(cross_entropy(fitted), cross_entropy(fitted / 1.05));
}

TEST(FitTemperatureTest, NothingWhereThereIsNoMinimum) {
  const auto fit = [](const Logits& row, const Target& target) {
    return fit_temperature(std::vector<Logits>(10, row), std::vector<Target>(10, target));
  };
  EXPECT_FALSE(fit(Logits{}, Target{1}).has_value());
  // All right: the sharper the better. All wrong: the flatter the better.
  EXPECT_FALSE(fit(Logits{5}, Target{1}).has_value());
  EXPECT_FALSE(fit(Logits{5}, Target{0, 1}).has_value());
  EXPECT_FALSE(fit(Logits{std::nanf("")}, Target{1}).has_value());
  EXPECT_FALSE(fit_temperature({}, {}).has_value());
  EXPECT_TRUE(fit(Logits{5}, Target{0.6f, 0.4f}).has_value());
}

class CalibrationTest : public testing::Test {
 protected:
  CalibrationTest() : dataset_(synthesize({.count = 200, .seed = 5})) {
    Network network = build_model("vgg_mini");
    Parameters parameters(network);
    initialize(network, parameters, Initialization::he_normal, 4);
    save_model(path_, network, parameters, {{"mode", "majority"}});
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "model.safetensors";
  Dataset dataset_;
};

TEST_F(CalibrationTest, SamplesAreTheLastOfTheSplitWithoutTwins) {
  const auto all = calibration_samples(dataset_, load_model(path_), Split::train, 0);
  for (std::size_t i : all) {
    EXPECT_EQ(dataset_.samples[i].split, Split::train);
    EXPECT_TRUE(vote_shares(dataset_.samples[i].votes).has_value());
  }
  EXPECT_TRUE(std::is_sorted(all.begin(), all.end()));
  const auto ten = calibration_samples(dataset_, load_model(path_), Split::train, 10);
  EXPECT_EQ(ten, std::vector(all.end() - 10, all.end()));

  // The last one becomes the first one's twin: it gives way, and so does the first.
  Sample& last = dataset_.samples[all.back()];
  const Sample& first = dataset_.samples[all.front()];
  last.pixel_offset = first.pixel_offset;
  const auto without = calibration_samples(dataset_, load_model(path_), Split::train, 0);
  EXPECT_EQ(without, std::vector(all.begin() + 1, all.end() - 1));
  EXPECT_THAT(message_of<Error>([&] {
                calibration_samples(dataset_, load_model(path_), Split::train, all.size());
              }),
              AllOf(HasSubstr("train"), HasSubstr(std::to_string(all.size() - 2))));
}

TEST_F(CalibrationTest, TrainingImagesAreTakenOnlyIfTheModelDidNotSeeThem) {
  Model model = load_model(path_);
  const RunConfig config{.mode = LabelMode::majority, .seed = 3, .hold_out = 25, .limit = 90};
  model.metadata.merge(std::map<std::string, std::string>{
      {"seed", "3"}, {"drop_leaks", "false"}, {"hold_out", "25"}, {"limit", "90"}});
  const TrainingSet set = training_set(dataset_, config);
  const auto samples = calibration_samples(dataset_, model, Split::train, 0);
  for (const std::size_t i : set.held_out.samples) EXPECT_THAT(samples, testing::Contains(i));
  for (const std::size_t i : set.training.samples) {
    EXPECT_THAT(samples, testing::Not(testing::Contains(i)));
  }
  EXPECT_GT(samples.size(), 25U);  // those past the limit too

  model.metadata["hold_out"] = model.metadata["limit"] = "0";
  EXPECT_THAT(message_of<Error>([&] { calibration_samples(dataset_, model, Split::train, 0); }),
              HasSubstr("--hold-out"));
  EXPECT_FALSE(calibration_samples(dataset_, model, Split::public_test, 0).empty());
}

TEST_F(CalibrationTest, ARunsModelSaysWhatItWasTrainedOnUnlessItsOriginIsNotKnown) {
  Model model = load_model(path_);
  RunConfig config{.network = "vgg_mini", .mode = LabelMode::majority, .seed = 3, .hold_out = 25};
  model.metadata = to_metadata(config);
  EXPECT_EQ(calibration_samples(dataset_, model, Split::train, 0),
            training_set(dataset_, config).held_out.samples);
  config.from = "elsewhere.safetensors";
  model.metadata = to_metadata(config);
  EXPECT_THAT(message_of<Error>([&] { calibration_samples(dataset_, model, Split::train, 0); }),
              HasSubstr("elsewhere.safetensors"));
}

TEST_F(CalibrationTest, LowersTheCrossEntropyAndNoPredictionChanges) {
  const Model model = load_model(path_);
  const auto samples = calibration_samples(dataset_, load_model(path_), Split::public_test, 0);
  const Calibration c = calibrate(dataset_, samples, model).value();
  EXPECT_EQ(c.split, Split::public_test);
  EXPECT_EQ(c.images, samples.size());
  EXPECT_LT(c.cross_entropy, c.cross_entropy_before);

  const PreparedModel prepared(model.network, model.parameters);
  const Evaluation before = evaluate(dataset_, prepared, {});
  const Evaluation after = evaluate(dataset_, prepared, {.temperature = c.temperature});
  EXPECT_EQ(after.predictions, before.predictions);
  EXPECT_EQ(after.classification.accuracy, before.classification.accuracy);
  ASSERT_TRUE(after.calibrated.has_value());
  EXPECT_DOUBLE_EQ(after.raw.agreement.cross_entropy, c.cross_entropy_before);
  EXPECT_DOUBLE_EQ(after.calibrated->agreement.cross_entropy, c.cross_entropy);
}

// As a file is that PyTorch wrote back.
TEST_F(CalibrationTest, IsWrittenWhereThereIsNoContentHash) {
  const SafetensorsFile file(path_);
  auto metadata = file.metadata();
  metadata.erase("content_hash");
  write_safetensors(folder_ / "again.safetensors", file.tensors(), metadata);
  update_metadata(folder_ / "again.safetensors", metadata, {{"temperature", "2"}});
  EXPECT_EQ(load_model(folder_ / "again.safetensors").temperature(), 2);
}

TEST_F(CalibrationTest, IsWrittenBesideWhatIsThere) {
  const Model before = load_model(path_);
  EXPECT_EQ(before.temperature(), 1);
  write_calibration(path_, before,
                    {.temperature = 1.7,
                     .split = Split::train,
                     .images = 12,
                     .cross_entropy_before = 2,
                     .cross_entropy = 1.5});
  const Model after = load_model(path_);
  EXPECT_EQ(after.temperature(), 1.7);
  EXPECT_EQ(after.metadata.at("mode"), "majority");
  EXPECT_EQ(after.metadata.at("content_hash"), before.metadata.at("content_hash"));
  const auto json = nlohmann::json::parse(after.metadata.at("calibration"));
  EXPECT_EQ(json.at("split"), "train");
  EXPECT_EQ(json.at("images"), 12);
  EXPECT_FALSE(for_model({.split = Split::public_test}, after).fitted_here());
  EXPECT_TRUE(for_model({.split = Split::train}, after).fitted_here());
  EXPECT_EQ(calibration_split(before.metadata), std::nullopt);
  EXPECT_EQ(calibration_split({{"calibration", R"({"split": 3})"}}), std::nullopt);

  const Sample& sample = dataset_.samples.front();
  Predictor plain(load_model(path_));
  const Probabilities tempered_ones = plain.predict(dataset_.image(sample));
  write_calibration(path_, load_model(path_), {.temperature = 1});
  Predictor other(load_model(path_));
  EXPECT_NE(other.predict(dataset_.image(sample)), tempered_ones);
  EXPECT_EQ(argmax(other.predict(dataset_.image(sample))), argmax(tempered_ones));
}

}  // namespace
}  // namespace ferplus
