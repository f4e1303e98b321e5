// The two protocols, twins, and the JSON of an evaluation.
#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/nn/models.h>
#include <ferplus/train/evaluate.h>

#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

class EvaluateTest : public testing::Test {
 protected:
  EvaluateTest() : network_(build_model("vgg_mini")), parameters_(network_) {
    initialize(network_, parameters_, Initialization::he_normal, 4);
    dataset_.source = "hand-made";
    add(Split::train, 0, {10});
    add(Split::public_test, 1, {6, 4});                           // 0: majority keeps it
    add(Split::public_test, 0, {0, 10});                          // 1: twin of a training image
    add(Split::public_test, 2, {3, 3, 4});                        // 2: no majority; argmax 2
    add(Split::public_test, 3, {1, 0, 0, 0, 0, 0, 0, 0, 9, 0});   // 3: unknown; argmax 0
    add(Split::public_test, 4, {0, 0, 0, 0, 0, 0, 0, 0, 0, 10});  // 4: not a face
    add(Split::public_test, 5, {0, 0, 5, 5});                     // 5: half is no majority
  }

  void add(Split split, std::uint8_t shade, const Votes& votes) {
    Sample sample{.row = dataset_.samples.size(),
                  .draw_key = static_cast<std::uint32_t>(dataset_.samples.size()),
                  .split = split,
                  .name = "face",
                  .face = {0, 0, 48, 48},
                  .votes = votes,
                  .pixel_offset = dataset_.pixels.size(),
                  .width = 48,
                  .height = 48};
    for (int i = 0; i < 48 * 48; ++i) {
      dataset_.pixels.push_back(static_cast<std::uint8_t>(i * (shade + 3) % 256));
    }
    dataset_.samples.push_back(std::move(sample));
  }

  Evaluation run(const EvaluateOptions& options) {
    const PreparedModel prepared(network_, parameters_);
    return evaluate(dataset_, prepared, options);
  }

  Dataset dataset_;
  Network network_;
  Parameters parameters_;
};

TEST_F(EvaluateTest, PaperKeepsMajorities) {
  const Evaluation e = run({});
  EXPECT_THAT(e.samples, ElementsAre(1, 2));
  EXPECT_THAT(e.classes, ElementsAre(0, 1));
  EXPECT_EQ(e.classification.images, 2u);
  // What mode crossentropy keeps: images 0, 1, 2 and 5.
  EXPECT_EQ(e.raw.agreement.images, 4u);
  EXPECT_GT(e.raw.agreement.cross_entropy, e.raw.agreement.kl_divergence);
  EXPECT_FALSE(e.calibrated.has_value());
  EXPECT_EQ(e.taggers.images, 2u);
  // Of (6, 4) and (0, 10), the plurality's share: what is left out is on that side.
  EXPECT_DOUBLE_EQ(e.taggers.people, (0.6 + 1) / 2);
}

TEST_F(EvaluateTest, ArgmaxKeepsAllWithAVote) {
  Evaluation e = run({.protocol = Protocol::argmax});
  for (std::size_t k = 0; k < kClasses; ++k) {
    ClassMetrics& figures = e.classification.classes[k];
    figures.precision = 0.01 * static_cast<double>(k);
    figures.recall = figures.precision + 0.2;
    figures.f1 = figures.precision + 0.4;
    figures.predicted = k + 10;
  }
  EXPECT_THAT(e.samples, ElementsAre(1, 2, 3, 4, 6));
  EXPECT_THAT(e.classes, ElementsAre(0, 1, 2, 0, 2));
}

TEST_F(EvaluateTest, WithoutTwinsLeavesThemOut) {
  EXPECT_THAT(run({.without_twins = true}).samples, ElementsAre(1));
  EXPECT_EQ(run({.without_twins = true}).raw.agreement.images, 3u);
}

TEST_F(EvaluateTest, TwinFreeFiguresStandBeside) {
  Evaluation e = run({.protocol = Protocol::argmax});
  for (std::size_t k = 0; k < kClasses; ++k) {
    ClassMetrics& figures = e.classification.classes[k];
    figures.precision = 0.01 * static_cast<double>(k);
    figures.recall = figures.precision + 0.2;
    figures.f1 = figures.precision + 0.4;
    figures.predicted = k + 10;
  }
  const Evaluation without = run({.protocol = Protocol::argmax, .without_twins = true});
  ASSERT_TRUE(e.twin_free.has_value());
  EXPECT_EQ(e.classification.images, 5u);
  EXPECT_EQ(e.twin_free->images, 4u);
  EXPECT_EQ(e.twin_free->confusion, without.classification.confusion);
  EXPECT_EQ(without.twin_free->images, 4u);
}

TEST_F(EvaluateTest, WithoutATrainingSplitTwinsAreNotKnown) {
  dataset_.samples.erase(dataset_.samples.begin());
  EXPECT_FALSE(run({}).twin_free.has_value());
  EXPECT_TRUE(to_json(run({})).at("twin_free").is_null());
  EXPECT_THAT(message_of<Error>([&] { run({.without_twins = true}); }),
              AllOf(HasSubstr("no training split"), HasSubstr("hand-made")));
}

TEST_F(EvaluateTest, ViewsAreAveraged) {
  const PreparedModel prepared(network_, parameters_);
  Session session(prepared, 1);
  for (auto augmentation : {TestTimeAugmentation::flip, TestTimeAugmentation::ten_crop}) {
    const Evaluation e = run({.augmentation = augmentation});
    const Sample& sample = dataset_.samples[e.samples[1]];
    std::vector<Logits> seen;
    for (const Distortion& view : views(augmentation)) {
      make_input(dataset_.image(sample), sample.face, view, Preprocessing::ferplus,
                 {session.input(1).data, kInputPixels});
      const ConstTensorView logits = session.forward(1, prepared);
      std::copy_n(logits.data, kClasses, seen.emplace_back().begin());
    }
    EXPECT_EQ(e.logits[1], average(seen));
    EXPECT_NE(seen[0], seen[1]);
  }
}

TEST_F(EvaluateTest, ATemperatureChangesProbabilitiesOnly) {
  const Evaluation plain = run({}), cool = run({.temperature = 2.5});
  EXPECT_EQ(cool.logits, plain.logits);
  EXPECT_EQ(cool.classification.confusion, plain.classification.confusion);
  EXPECT_EQ(cool.raw.agreement.cross_entropy, plain.raw.agreement.cross_entropy);
  ASSERT_TRUE(cool.calibrated.has_value());
  EXPECT_NE(cool.calibrated->agreement.cross_entropy, cool.raw.agreement.cross_entropy);
  EXPECT_EQ(cool.probabilities(0), softmax(tempered(plain.logits[0], 2.5)));
  EXPECT_EQ(plain.probabilities(0), softmax(plain.logits[0]));
  EXPECT_EQ(to_json(cool).at("temperature"), 2.5);
  EXPECT_TRUE(to_json(plain).at("calibrated").is_null());
}

TEST_F(EvaluateTest, AnEnsembleAveragesItsMembers) {
  std::vector<Evaluation> members = {run({.temperature = 2})};
  initialize(network_, parameters_, Initialization::he_normal, 99);
  members.push_back(run({.preprocessing = Preprocessing::raw}));
  const Evaluation both = ensemble(dataset_, members);
  EXPECT_EQ(both.samples, members[0].samples);
  EXPECT_FALSE(both.calibrated.has_value());
  for (std::size_t i = 0; i < both.samples.size(); ++i) {
    const Probabilities a = softmax(members[0].logits[i]), b = softmax(members[1].logits[i]);
    for (std::size_t k = 0; k < kClasses; ++k) {
      EXPECT_NEAR(both.probabilities(i)[k], (a[k] + b[k]) / 2, 1e-6);
    }
    EXPECT_EQ(both.predictions[i], argmax(both.probabilities(i)));
  }
  EXPECT_EQ(both.vote_logits.size(), members[0].vote_logits.size());
  EXPECT_EQ(ensemble(dataset_, std::span(members).first(1)).logits, members[0].logits);
}

TEST_F(EvaluateTest, BatchSizeDoesNotMatter) {
  const auto logits = run({.protocol = Protocol::argmax, .batch = 32}).logits;
  EXPECT_EQ(run({.protocol = Protocol::argmax, .batch = 1}).logits, logits);
  EXPECT_EQ(run({.protocol = Protocol::argmax, .batch = 3}).logits, logits);
}

TEST_F(EvaluateTest, ObeysThePreprocessing) {
  const Evaluation equalized = run({}), raw = run({.preprocessing = Preprocessing::raw});
  EXPECT_NE(raw.logits, equalized.logits);
  const PreparedModel prepared(network_, parameters_);
  Session session(prepared, 1);
  const Sample& sample = dataset_.samples[raw.samples[0]];
  make_input(dataset_.image(sample), sample.face, {}, Preprocessing::raw,
             {session.input(1).data, kInputPixels});
  const ConstTensorView logits = session.forward(1, prepared);
  EXPECT_TRUE(std::equal(raw.logits[0].begin(), raw.logits[0].end(), logits.data));
}

TEST_F(EvaluateTest, ProgressCountsImages) {
  const PreparedModel prepared(network_, parameters_);
  std::vector<std::pair<std::size_t, std::size_t>> heard;
  evaluate(dataset_, prepared, {.protocol = Protocol::argmax, .batch = 2},
           [&](std::size_t done, std::size_t total) { heard.emplace_back(done, total); });
  EXPECT_THAT(heard, ElementsAre(std::pair(2, 5), std::pair(4, 5), std::pair(5, 5)));
  heard.clear();
  evaluate(dataset_, prepared, {.augmentation = TestTimeAugmentation::flip},
           [&](std::size_t done, std::size_t total) { heard.emplace_back(done, total); });
  EXPECT_THAT(heard, ElementsAre(std::pair(4, 8), std::pair(8, 8)));
}

TEST_F(EvaluateTest, AnswersThatAreNoNumbersAreAnError) {
  parameters_.values()[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(message_of<Error>([&] { run({}); }), HasSubstr("is no number"));
}

TEST_F(EvaluateTest, EmptySplitIsAnError) {
  EXPECT_THAT(message_of<Error>([&] { run({.split = Split::private_test}); }),
              AllOf(HasSubstr("private"), HasSubstr("hand-made")));
}

TEST_F(EvaluateTest, JsonHasEveryFigure) {
  const auto json = to_json(run({}));
  for (const char* key :
       {"accuracy", "images", "macro_f1", "confusion", "cross_entropy", "kl_divergence",
        "expected_calibration_error", "votes_calibration_error", "per_class", "accuracy_interval",
        "twin_free", "taggers", "misplaced_votes", "tta", "mean_votes", "mean_probabilities",
        "reliability"}) {
    EXPECT_TRUE(json.contains(key)) << key;
  }
  EXPECT_EQ(json.at("split"), "public");
  EXPECT_EQ(json.at("protocol"), "paper");
  EXPECT_EQ(json.at("per_class").size(), 8u);
  EXPECT_EQ(json.at("per_class").at("happiness").at("support"), 1);
  EXPECT_EQ(json.at("per_class").at("happiness").at("recall_interval").size(), 2u);
  EXPECT_EQ(json.at("twin_free").at("images"), 1);
  EXPECT_EQ(json.at("confusion").size(), 8u);
  EXPECT_EQ(json.at("confusion")[0].size(), 8u);
}

TEST_F(EvaluateTest, JsonStatesWhatWasMeasured) {
  Evaluation e = run({.protocol = Protocol::argmax});
  for (std::size_t k = 0; k < kClasses; ++k) {
    ClassMetrics& figures = e.classification.classes[k];
    figures.precision = 0.01 * static_cast<double>(k);
    figures.recall = figures.precision + 0.2;
    figures.f1 = figures.precision + 0.4;
    figures.predicted = k + 10;
  }
  const auto json = to_json(e);
  ASSERT_NE(e.taggers.people, e.taggers.best);
  EXPECT_EQ(json.at("taggers").at("left_out_tagger_with_rest"), e.taggers.people);
  EXPECT_EQ(json.at("taggers").at("best_with_tagger"), e.taggers.best);
  EXPECT_EQ(json.at("taggers").at("model_with_tagger"), e.taggers.model);
  EXPECT_EQ(json.at("accuracy"), e.classification.accuracy);
  EXPECT_EQ(json.at("macro_f1"), e.classification.macro_f1);
  EXPECT_EQ(json.at("cross_entropy"), e.raw.agreement.cross_entropy);
  EXPECT_EQ(json.at("kl_divergence"), e.raw.agreement.kl_divergence);
  EXPECT_EQ(json.at("misplaced_votes"), e.raw.agreement.misplaced_votes);
  EXPECT_EQ(json.at("expected_calibration_error"), e.raw.reliability.error());
  EXPECT_EQ(json.at("votes_calibration_error"), e.raw.agreement.reliability.error());
  EXPECT_EQ(json.at("accuracy_interval"), (std::vector{e.classification.accuracy_interval.low,
                                                       e.classification.accuracy_interval.high}));
  for (std::size_t k = 0; k < kClasses; ++k) {
    const auto& figures = json.at("per_class").at(std::string(kClassNames[k]));
    EXPECT_EQ(figures.at("precision"), e.classification.classes[k].precision);
    EXPECT_EQ(figures.at("recall"), e.classification.classes[k].recall);
    EXPECT_EQ(figures.at("f1"), e.classification.classes[k].f1);
    EXPECT_EQ(figures.at("predicted"), e.classification.classes[k].predicted);
  }
}

TEST(ProtocolTest, Names) {
  EXPECT_EQ(protocol_from_name("argmax"), Protocol::argmax);
  EXPECT_THAT(message_of<UsageError>([] { protocol_from_name("papre"); }), HasSubstr("paper?"));
}

}  // namespace
}  // namespace ferplus
