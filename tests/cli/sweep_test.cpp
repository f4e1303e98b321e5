// ferplus sweep: runs in order, left and taken up again, summed up.
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"

namespace ferplus {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kSweep = R"({"networks": ["vgg_mini"], "modes": ["majority"],
  "seeds": [1, 2], "limit": 64, "hold_out": 8, "recipes": [
    {"name": "short", "from": "quick", "epochs": 4, "ema": 0.9}]})";

class Sweep : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(run_ferplus({"synth", "-o", folder_ / "faces", "--count", "160"}).exit_code, 0);
    write_text(folder_.path() / "sweep.json", kSweep);
  }
  std::vector<std::string> arguments(const std::string& output,
                                     const std::vector<std::string>& more = {}) {
    std::vector<std::string> all = {"sweep", folder_ / "sweep.json", "-o", folder_ / output};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  std::vector<std::string> with_data(const std::string& output) {
    return arguments(output, {"--fer", folder_ / "faces/fer2013.csv", "--ferplus",
                              folder_ / "faces/fer2013new.csv"});
  }
  std::string text_of(const std::string& path) { return read_text(folder_ / path); }

  TemporaryFolder folder_;
};

TEST_F(Sweep, ARunThatFailsIsLeftBehindAndRemembered) {
  write_text(folder_.path() / "sweep.json", R"({"networks": ["vgg_mini"], "modes": ["majority"],
    "seeds": [1], "limit": 32, "recipes": [
      {"name": "diverges", "from": "quick", "epochs": 20, "batch": 16, "schedule": "constant",
       "learning_rate": 100, "momentum": 0.99, "nesterov": false},
      {"name": "short", "from": "quick", "epochs": 1}]})");
  EXPECT_EQ(run_ferplus(with_data("runs")).exit_code, 1);
  const json before = json::parse(text_of("runs/summary.json")).at("runs");
  EXPECT_THAT(before.at(0).at("failure").get<std::string>(), HasSubstr("finite"));
  EXPECT_TRUE(before.at(1).at("finished"));
  EXPECT_EQ(run_ferplus(arguments("runs", {"--summary-only"})).exit_code, 1);
  EXPECT_EQ(json::parse(text_of("runs/summary.json")).at("runs"), before);

  const CommandResult in_a_run = run_ferplus(with_data("runs/vgg_mini-short-majority-s1"));
  EXPECT_EQ(in_a_run.exit_code, 1);
  EXPECT_THAT(in_a_run.err, HasSubstr("is the folder of a run"));
}

TEST_F(Sweep, InterruptedGoesOnToTheSameBitsAndSkipsWhatIsDone) {
  const CommandResult whole = run_ferplus(with_data("whole"));
  ASSERT_EQ(whole.exit_code, 0) << whole.err;
  EXPECT_THAT(whole.err, AllOf(HasSubstr("run 1 of 2: vgg_mini-short-majority-s1"),
                               HasSubstr("run 2 of 2: vgg_mini-short-majority-s2")));
  EXPECT_THAT(whole.out, HasSubstr("| vgg_mini | short | majority | 2 | "));
  EXPECT_EQ(whole.out, text_of("whole/summary.md"));

  // In the second run, after its first epoch.
  const CommandResult stopped = interrupt_ferplus(
      with_data("parts"), folder_ / "parts/vgg_mini-short-majority-s2/metrics.jsonl", SIGINT);
  ASSERT_EQ(stopped.exit_code, 130) << stopped.err;
  EXPECT_THAT(stopped.err, HasSubstr("the same command"));
  const json before = json::parse(text_of("parts/summary.json"));
  EXPECT_EQ(before.at("groups").at(0).at("finished"), 1);
  const auto first_run = folder_.path() / "parts/vgg_mini-short-majority-s1/summary.json";
  const auto written = std::filesystem::last_write_time(first_run);

  const CommandResult resumed = run_ferplus(with_data("parts"));
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_THAT(resumed.err, ::testing::Not(HasSubstr("run 1 of 2")));
  EXPECT_EQ(std::filesystem::last_write_time(first_run), written);
  for (const char* run : {"vgg_mini-short-majority-s1", "vgg_mini-short-majority-s2"}) {
    for (const char* file : {"best.safetensors", "last.safetensors", "summary.json"}) {
      const std::string path = std::string(run) + "/" + file;
      EXPECT_EQ(text_of("parts/" + path), text_of("whole/" + path)) << path;
    }
  }
  EXPECT_NE(text_of("whole/vgg_mini-short-majority-s1/best.safetensors"),
            text_of("whole/vgg_mini-short-majority-s2/best.safetensors"));

  // All is there: no data are needed, and no training happens.
  const CommandResult again = run_ferplus(arguments("parts", {"--json"}));
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(again.err, "");
  const json after = json::parse(again.out);
  EXPECT_EQ(again.out, text_of("parts/summary.json"));
  EXPECT_EQ(after.at("groups").at(0).at("finished"), 2);
  const json summary = json::parse(text_of("parts/vgg_mini-short-majority-s2/summary.json"));
  EXPECT_EQ(after.at("runs").at(1).at("public_accuracy"), summary.at("public_accuracy"));
  EXPECT_EQ(after.at("runs").at(1).at("private_accuracy"), summary.at("private_accuracy"));
}

TEST_F(Sweep, ARunThatFailsIsLeftBehind) {
  const auto foreign = folder_.path() / "runs/vgg_mini-short-majority-s1";
  std::filesystem::create_directories(foreign);
  write_text(foreign / "last.safetensors", "somebody's");
  const CommandResult result = run_ferplus(with_data("runs"));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("vgg_mini-short-majority-s1 failed: "));
  EXPECT_THAT(result.out, AllOf(HasSubstr("| vgg_mini | short | majority | 1 of 2 |"),
                                HasSubstr("- vgg_mini-short-majority-s1 failed: ")));
  EXPECT_EQ(read_text(foreign / "last.safetensors"), "somebody's");
}

TEST_F(Sweep, SummaryOnlyTrainsNothing) {
  const CommandResult nothing = run_ferplus(arguments("none", {"--summary-only"}));
  EXPECT_EQ(nothing.exit_code, 1);
  EXPECT_THAT(nothing.err, HasSubstr("none"));
  std::filesystem::create_directory(folder_.path() / "empty");
  const CommandResult empty = run_ferplus(arguments("empty", {"--summary-only"}));
  EXPECT_EQ(empty.exit_code, 0) << empty.err;
  EXPECT_THAT(empty.out, HasSubstr("| vgg_mini | short | majority | 0 of 2 | – |"));
}

TEST_F(Sweep, RefusesWhatMakesNoSense) {
  const CommandResult no_data = run_ferplus(arguments("runs"));
  EXPECT_EQ(no_data.exit_code, 2);
  EXPECT_THAT(no_data.err, HasSubstr("no data"));
  write_text(folder_.path() / "sweep.json", R"({"modes": ["magority"]})");
  const CommandResult typo = run_ferplus(with_data("runs"));
  EXPECT_EQ(typo.exit_code, 2);
  EXPECT_THAT(typo.err, AllOf(HasSubstr("sweep.json"), HasSubstr("majority?")));
}

}  // namespace
}  // namespace ferplus
