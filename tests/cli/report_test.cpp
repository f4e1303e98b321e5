// ferplus report, and train --tensorboard: whole commands on synthetic faces.
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <ferplus/train/run_folder.h>
#include <ferplus/train/tensorboard.h>

#include "cli/command.h"

namespace ferplus {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// Two runs of an epoch or two in one folder.
class ReportCommand : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(run_ferplus({"synth", "-o", folder_ / "faces", "--count", "160"}).exit_code, 0);
    train("runs/short", {"--epochs", "1"});
    train("runs/long", {"--epochs", "2"});
  }
  CommandResult train(const std::string& name, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {
        "train",     "-m",      "majority",  "--network", "vgg_mini", "--recipe",
        "one_cycle", "--limit", "32",        "--batch",   "16",       "--quiet",
        "--fer",     pixels(),  "--ferplus", votes(),     "-o",       folder_ / name};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run_ferplus(arguments);
  }
  CommandResult report(const std::vector<std::string>& arguments) {
    std::vector<std::string> all = {"report", "-o", page(), "--json", figures(), "--quiet"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return run_ferplus(all);
  }
  std::string pixels() const { return folder_ / "faces/fer2013.csv"; }
  std::string votes() const { return folder_ / "faces/fer2013new.csv"; }
  std::string page() const { return folder_ / "report.html"; }
  std::string figures() const { return folder_ / "report.json"; }

  TemporaryFolder folder_;
};

TEST_F(ReportCommand, OpensAFolderOfRunsAndMeasuresAsEvaluateDoes) {
  const CommandResult result = report({folder_ / "runs", "--split", "private", "--mistakes", "3"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.out + result.err, "");
  const std::string html = read_text(page());
  EXPECT_THAT(html, AllOf(HasSubstr("2 runs"), HasSubstr("private split"), HasSubstr("data:image"),
                          HasSubstr("finished: 2 epochs"), Not(HasSubstr("class=\"notice\""))));
  const json found = json::parse(read_text(figures()));
  ASSERT_EQ(found.at("runs").size(), 2u);
  EXPECT_EQ(found.at("runs").at(0).at("name"), "long");
  EXPECT_EQ(found.at("differences"), json({{"epochs", {"2", "1"}}}));

  const CommandResult evaluated = run_ferplus(
      {"evaluate", "--model", folder_ / "runs/short/best.safetensors", "--fer", pixels(),
       "--ferplus", votes(), "--split", "private", "--json", folder_ / "evaluate.json"});
  ASSERT_EQ(evaluated.exit_code, 0);
  const json expected = json::parse(read_text(folder_ / "evaluate.json"));
  const json& model = found.at("runs").at(1).at("model");
  for (const auto& [key, value] : expected.items()) {
    if (key == "model") continue;
    EXPECT_EQ(model.at(key), value) << key;
  }
  EXPECT_LE(model.at("mistakes").size(), 3u);
}

TEST_F(ReportCommand, SaysWhatIsMissing) {
  fs::rename(folder_ / "faces", folder_ / "moved");
  fs::remove(folder_ / "runs/long/summary.json");
  fs::remove(folder_ / "runs/short/best.safetensors");
  const CommandResult without = report({folder_ / "runs"});
  ASSERT_EQ(without.exit_code, 0) << without.err;
  EXPECT_THAT(read_text(page()),
              AllOf(HasSubstr("--fer fer2013.csv"), HasSubstr("There is no best.safetensors"),
                    HasSubstr("unfinished: 2 of 2 epochs"), Not(HasSubstr("data:image"))));
  const std::vector<std::string> data = {"--fer", folder_ / "moved/fer2013.csv", "--ferplus",
                                         folder_ / "moved/fer2013new.csv"};
  std::vector<std::string> with = data;
  with.insert(with.end(), {folder_ / "runs/long", "--model", "last.safetensors"});
  ASSERT_EQ(report(with).exit_code, 0);
  EXPECT_THAT(read_text(page()), HasSubstr("last.safetensors on the public split"));
  with.emplace_back("--curves-only");
  ASSERT_EQ(report(with).exit_code, 0);
  EXPECT_THAT(read_text(page()), AllOf(HasSubstr("--curves-only"), Not(HasSubstr("data:image"))));
}

TEST_F(ReportCommand, RefusesDamageAndRunsGivenTwice) {
  const std::string metrics = folder_ / "runs/long/metrics.jsonl";
  write_text(metrics, lines_of(read_text(metrics))[0] + "\n{\"epoch\": 1, \"train_loss\": \n");
  const CommandResult damaged = report({folder_ / "runs"});
  EXPECT_EQ(damaged.exit_code, 1);
  EXPECT_THAT(damaged.err, HasSubstr(metrics + ":2: "));
  EXPECT_FALSE(fs::exists(page()));
  const CommandResult twice = report({folder_ / "runs", folder_ / "runs/../runs/short"});
  EXPECT_EQ(twice.exit_code, 2);
  EXPECT_THAT(twice.err, HasSubstr("twice"));
  EXPECT_EQ(report({folder_ / "runs/short", "--fer", pixels()}).exit_code, 2);
  const CommandResult nowhere =
      report({folder_ / "runs/short", "--fer", "nowhere.csv", "--ferplus", votes()});
  EXPECT_EQ(nowhere.exit_code, 1);
  EXPECT_THAT(nowhere.err, HasSubstr("nowhere.csv"));
}

TEST_F(ReportCommand, WritesOverNothingOfTheRuns) {
  const auto refused = [&](const std::vector<std::string>& outputs, const std::string& why) {
    std::vector<std::string> arguments = {"report", "--curves-only", "--quiet", folder_ / "runs"};
    arguments.insert(arguments.end(), outputs.begin(), outputs.end());
    const CommandResult result = run_ferplus(arguments);
    EXPECT_EQ(result.exit_code, 2) << outputs[1];
    EXPECT_THAT(result.err, HasSubstr(why)) << outputs[1];
  };
  refused({"-o", page(), "--json", folder_ / "runs/../report.html"}, "same name");
  refused({"-o", "-", "--json", "-"}, "same name");
  EXPECT_FALSE(fs::exists(page()));
  const std::string config = folder_ / "runs/short/config.json", before = read_text(config);
  refused({"-o", config}, "run's own");
  refused({"-o", page(), "--json", folder_ / "runs/long/../short/summary.json"}, "run's own");
  fs::create_symlink(config, folder_ / "link.html");
  refused({"-o", folder_ / "link.html"}, "run's own");
  EXPECT_EQ(read_text(config), before);
  const std::string faces = read_text(pixels());
  refused({"-o", pixels()}, "is read here");
  refused({"-o", folder_ / "runs/short/best.safetensors"}, "is read here");
  fs::rename(folder_ / "runs/long/best.safetensors", folder_ / "chosen");
  refused({"-o", page(), "--fer", pixels(), "--ferplus", folder_ / "chosen", "--json",
           folder_ / "chosen"},
          "is read here");
  fs::rename(folder_ / "chosen", folder_ / "runs/long/best.safetensors");
  EXPECT_EQ(read_text(pixels()), faces);
  EXPECT_EQ(report({folder_ / "runs/short", "--curves-only"}).exit_code, 0);
}

TEST_F(ReportCommand, TrainingWritesEventsForTensorBoard) {
  const CommandResult result = train("watched", {"--epochs", "2", "--tensorboard"});
  const fs::path events = RunFolder{folder_ / "watched"}.events();
  if (!tensorboard_available()) {
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("protobuf-compiler"));
    EXPECT_FALSE(fs::exists(folder_ / "watched"));
    return;
  }
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const std::string text = read_text(events);
  EXPECT_THAT(text, AllOf(HasSubstr("brain.Event:2"), HasSubstr("loss/public")));
  const CommandResult resumed =
      run_ferplus({"train", "--resume", "--tensorboard", "--quiet", "-o", folder_ / "watched"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(read_text(events), text);
}

}  // namespace
}  // namespace ferplus
