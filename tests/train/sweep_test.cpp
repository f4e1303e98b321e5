// What a sweep's file asks for, and what is read from the folders that its runs leave.
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/train/sweep_results.h>

#include "train/short_run.h"

namespace ferplus {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

std::vector<std::string> names_of(const std::vector<SweepRun>& runs) {
  std::vector<std::string> names;
  for (const SweepRun& run : runs) names.push_back(run.name);
  return names;
}

class SweepTest : public testing::Test {
 protected:
  std::vector<SweepRun> read(const std::string& text) {
    write_text(folder_ / "sweep.json", text);
    return read_sweep(folder_ / "sweep.json");
  }
  std::string error_of(const std::string& text) {
    return message_of<Error>([&] { read(text); });
  }

  TemporaryFolder folder_;
};

TEST_F(SweepTest, IsEveryCombinationInOrder) {
  const auto runs = read(R"({"networks": ["vgg_mini", "vgg13_bn"], "modes": ["majority"],
    "seeds": [3, 1], "recipes": ["quick", {"name": "still", "from": "quick", "distort": false}],
    "fer": "a/fer.csv", "ferplus": "/b/new.csv", "limit": 9, "hold_out": 5, "drop_leaks": true})");
  EXPECT_THAT(names_of(runs),
              ElementsAre("vgg_mini-quick-majority-s3", "vgg_mini-quick-majority-s1",
                          "vgg_mini-still-majority-s3", "vgg_mini-still-majority-s1",
                          "vgg13_bn-quick-majority-s3", "vgg13_bn-quick-majority-s1",
                          "vgg13_bn-still-majority-s3", "vgg13_bn-still-majority-s1"));
  const RunConfig& last = runs.back().config;
  EXPECT_EQ(last.network, "vgg13_bn");
  EXPECT_EQ(last.seed, 1U);
  EXPECT_EQ(last.limit, 9U);
  EXPECT_EQ(last.hold_out, 5U);
  EXPECT_TRUE(last.drop_leaks);
  EXPECT_EQ(last.fer, (folder_.path() / "a/fer.csv").string());
  EXPECT_EQ(last.ferplus, "/b/new.csv");
  Recipe still = find_recipe("quick");
  still.name = "still";
  still.distort = false;
  EXPECT_EQ(json(to_json(last.recipe)), json(to_json(still)));
  EXPECT_EQ(json(to_json(runs[0].config.recipe)), json(to_json(find_recipe("quick"))));
}

TEST_F(SweepTest, ARecipeMayKeepItsNameAndTheNetworkIsThePapers) {
  const auto runs = read(R"({"modes": ["probability"], "seeds": [1],
                             "recipes": [{"name": "paper", "epochs": 40}]})");
  ASSERT_THAT(names_of(runs), ElementsAre("vgg13-paper-probability-s1"));
  EXPECT_EQ(runs[0].config.recipe.epochs, 40);
  EXPECT_EQ(runs[0].config.mode, LabelMode::probability);
}

TEST_F(SweepTest, ThePapersTableIsShipped) {
  const auto runs =
      read_sweep(std::filesystem::path(FERPLUS_TEST_FILES) / "../../data/sweeps/paper.json");
  EXPECT_THAT(runs, SizeIs(4 * 5));
  for (const SweepRun& run : runs) {
    EXPECT_EQ(json(to_json(run.config.recipe)), json(to_json(find_recipe("paper"))));
  }
}

TEST_F(SweepTest, RefusesByName) {
  EXPECT_THAT(error_of("{"), AllOf(HasSubstr("sweep.json"), HasSubstr("not a sweep")));
  EXPECT_THAT(error_of("[]"), HasSubstr("sweep.json"));
  const auto with = [&](const char* key, const char* value) {
    json sweep = {{"networks", {"vgg_mini"}},
                  {"modes", {"majority"}},
                  {"seeds", {1}},
                  {"recipes", {"quick"}}};
    sweep[key] = json::parse(value);
    return error_of(sweep.dump());
  };
  EXPECT_THAT(with("mode", "[]"), AllOf(HasSubstr("sweep.json"), HasSubstr("modes?")));
  EXPECT_THAT(with("modes", "[]"), HasSubstr("modes"));
  EXPECT_THAT(with("modes", R"("majority")"), HasSubstr("modes"));
  EXPECT_THAT(with("modes", R"(["magority"])"), HasSubstr("majority?"));
  EXPECT_THAT(with("networks", R"(["vgg14"])"), HasSubstr("vgg13?"));
  EXPECT_THAT(with("seeds", "[-1]"), HasSubstr("seeds"));
  EXPECT_THAT(with("seeds", "[1.5]"), HasSubstr("seeds"));
  EXPECT_THAT(with("seeds", "[1, 2, 1]"), HasSubstr("vgg_mini-quick-majority-s1"));
  EXPECT_THAT(with("recipes", R"(["quik"])"), HasSubstr("quick?"));
  EXPECT_THAT(with("recipes", "[3]"), HasSubstr("recipes"));
  EXPECT_THAT(with("recipes", R"([{"from": "quick"}])"), HasSubstr("name"));
  EXPECT_THAT(with("recipes", R"([{"name": "mine"}])"), HasSubstr("mine"));
  EXPECT_THAT(with("recipes", R"([{"name": "../x", "from": "quick"}])"), HasSubstr("../x"));
  EXPECT_THAT(with("recipes", R"([{"name": "x", "from": "quick", "epoch": 1}])"),
              HasSubstr("epochs?"));
  EXPECT_THAT(with("recipes", R"([{"name": "x", "from": "quick", "epochs": 0}])"),
              HasSubstr("epochs"));
  EXPECT_THAT(with("limit", R"("all")"), HasSubstr("limit"));
  const std::string deep = std::string(100000, '[') + std::string(100000, ']');
  EXPECT_THAT(error_of(R"({"limit": )" + deep + "}"), HasSubstr("limit"));
  EXPECT_THAT(error_of(R"({"recipes": [{"name": "x", "from": )" + deep + "}]}"), HasSubstr("from"));
  EXPECT_THAT(error_of(R"({"modes": ["majority"], "recipes": ["quick"]})"), HasSubstr("seeds"));
  EXPECT_THAT(error_of(R"({"modes": ["majority", "multi_target"], "seeds": [1],
                           "recipes": [{"name": "x", "from": "quick", "mixup": 0.2}]})"),
              AllOf(HasSubstr("mixup"), HasSubstr("multi_target")));
}

// A run of vgg_mini for two epochs on few faces.
SweepRun small_run(std::uint64_t seed) {
  SweepRun run{.name = "run-s" + std::to_string(seed), .config = short_run()};
  run.config.seed = seed;
  run.config.recipe.epochs = 2;
  return run;
}

TEST_F(SweepTest, ReadsWhatRunsLeft) {
  const SweepRun run = small_run(1);
  EXPECT_EQ(read_result(folder_.path(), run).best_epoch, -1);
  EXPECT_FALSE(read_result(folder_.path(), run).finished);

  Recorder first(4);
  train(faces(), run.config, {.folder = folder_.path() / run.name}, first);
  SweepResult result = read_result(folder_.path(), run);
  EXPECT_FALSE(result.finished);
  EXPECT_EQ(result.epochs, 1);
  EXPECT_EQ(result.public_accuracy, first.epochs.at(0).public_accuracy);

  Recorder second;
  const TrainResult trained =
      train(faces(), run.config, {.folder = folder_.path() / run.name, .resume = true}, second);
  result = read_result(folder_.path(), run);
  EXPECT_TRUE(result.finished);
  EXPECT_EQ(result.epochs, 2);
  EXPECT_EQ(result.best_epoch, trained.best_epoch);
  EXPECT_EQ(result.public_accuracy, trained.public_accuracy);
  EXPECT_EQ(result.private_accuracy, trained.private_accuracy);
  const double seconds = first.epochs.at(0).seconds + second.epochs.at(0).seconds;
  EXPECT_NEAR(result.minutes, seconds / 60, 1e-12);

  // Where the data is does not matter, all else does.
  SweepRun other = run;
  other.config.fer = "/elsewhere";
  EXPECT_TRUE(read_result(folder_.path(), other).finished);
  other.config.recipe.epochs = 3;
  EXPECT_THAT(message_of<Error>([&] { read_result(folder_.path(), other); }),
              AllOf(HasSubstr(run.name), HasSubstr("other settings")));

  // Extended since, and cut off in the middle of a line.
  other.config.recipe.epochs = 3;
  write_config(folder_.path() / run.name / "config.json", other.config);
  const auto metrics = folder_.path() / run.name / "metrics.jsonl";
  const std::string lines = read_text(metrics);
  write_text(metrics, lines + "{\"epoch\": 2, \"publ");
  EXPECT_FALSE(read_result(folder_.path(), other).finished);
  EXPECT_EQ(read_result(folder_.path(), other).epochs, 2);
  write_text(metrics, lines + "{}\n");
  EXPECT_THAT(message_of<Error>([&] { read_result(folder_.path(), other); }),
              HasSubstr("metrics.jsonl"));
}

TEST(SpreadTest, MeanAndSampleDeviation) {
  const Spread five = spread({83.2, 84.1, 83.9, 84.5, 83.6});
  EXPECT_EQ(five.count, 5U);
  EXPECT_NEAR(five.mean, 83.86, 1e-12);
  EXPECT_NEAR(five.deviation.value(), std::sqrt(0.972 / 4), 1e-12);
  EXPECT_EQ(spread({7}).deviation, std::nullopt);
  EXPECT_EQ(spread({}).count, 0U);
}

SweepResult result_of(const std::string& recipe, LabelMode mode, std::uint64_t seed,
                      double accuracy) {
  SweepResult result{.run = {.name = recipe + "-s" + std::to_string(seed), .config = {}}};
  result.run.config.mode = mode;
  result.run.config.seed = seed;
  result.run.config.recipe.name = recipe;
  result.finished = accuracy > 0;
  result.epochs = result.finished ? 12 : 3;
  result.minutes = 1.5 * static_cast<double>(seed);
  result.best_epoch = static_cast<int>(seed) + 3;
  result.public_accuracy = accuracy;
  return result;
}

TEST(SweepTableTest, GroupsSeedsOfFinishedRuns) {
  std::vector<SweepResult> results = {result_of("paper", LabelMode::majority, 1, 0.8325),
                                      result_of("paper", LabelMode::majority, 2, 0.8425),
                                      result_of("paper", LabelMode::majority, 3, 0),
                                      result_of("paper", LabelMode::probability, 1, 0.85),
                                      result_of("mine", LabelMode::majority, 1, 0)};
  results[3].private_accuracy = 0.84;
  results[4].failure = "the loss is not finite";
  EXPECT_EQ(sweep_markdown(results),
            "| network | recipe | mode | runs | public accuracy, % | private accuracy, % | best "
            "epoch | epochs | minutes |\n"
            "|---|---|---|---|---|---|---|---|---|\n"
            "| vgg13 | paper | majority | 2 of 3 | 83.75 ± 0.71 | – | 5.5 ± 0.7 | 12 | 2.2 ± 1.1 "
            "|\n"
            "| vgg13 | paper | probability | 1 | 85.00 | 84.00 | 5.0 | 12 | 1.5 |\n"
            "| vgg13 | mine | majority | 0 of 1 | – | – | – | – | – |\n"
            "\n"
            "- mine-s1 failed: the loss is not finite\n");
  const json object = sweep_json(results);
  const json& group = object.at("groups").at(0);
  EXPECT_EQ(group.at("runs"), 3);
  EXPECT_EQ(group.at("finished"), 2);
  EXPECT_NEAR(group.at("public_accuracy").at("mean").get<double>(), 0.8375, 1e-12);
  EXPECT_NEAR(group.at("public_accuracy").at("deviation").get<double>(), std::sqrt(0.5) / 100,
              1e-12);
  EXPECT_TRUE(group.at("private_accuracy").is_null());
  ASSERT_THAT(object.at("runs"), SizeIs(5));
  EXPECT_EQ(object.at("runs").at(3).at("private_accuracy"), 0.84);
  EXPECT_EQ(object.at("runs").at(4).at("failure"), "the loss is not finite");
}

}  // namespace
}  // namespace ferplus
