// synth, inspect, targets and prepare on small data whose answers are known by hand.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"

namespace ferplus {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const std::vector<std::string> kModes = {"majority", "probability", "crossentropy", "multi_target"};

class KnownData : public ::testing::Test {
 protected:
  void SetUp() override { write_csvs(folder_.path(), known_rows()); }

  CommandResult run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--fer", fer_, "--ferplus", ferplus_});
    return run_ferplus(arguments);
  }
  std::vector<std::string> targets(const std::string& mode) const {
    const std::string output = folder_ / "targets.csv";
    const CommandResult result =
        run_ferplus({"targets", "--ferplus", ferplus_, "-m", mode, "-o", output});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return lines_of(read_text(output));
  }

  const TemporaryFolder folder_;
  const std::string fer_ = folder_ / "fer2013.csv";
  const std::string ferplus_ = folder_ / "fer2013new.csv";
};

json inspected(const CommandResult& result) {
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(result.err, "");
  return json::parse(result.out);
}

json split_of(int rows, int images, const std::vector<json>& modes) {
  json split = {{"rows", rows}, {"images", images}, {"modes", json::object()}};
  for (std::size_t i = 0; i < modes.size(); ++i) split["modes"][kModes[i]] = modes[i];
  return split;
}

json mode_of(int kept, int dropped, const std::vector<int>& per_class) {
  return {{"kept", kept}, {"dropped", dropped}, {"per_class", per_class}};
}

TEST_F(KnownData, InspectCountsByHand) {
  const json majority_train = mode_of(1, 2, {1, 0, 0, 0, 0, 0, 0, 0});
  const json shared_train = mode_of(2, 1, {1, 1, 1, 0, 0, 0, 0, 0});  // half and half of b.png
  const json public_test = mode_of(1, 0, {0, 0, 0, 0, 1, 0, 0, 0});
  const json both_admitted = mode_of(1, 0, {0, 0, 0, 0, 1, 0, 1, 0});  // 7 and 3 votes
  const json private_test = mode_of(2, 0, {0, 0, 0, 1, 0, 0, 0, 1});
  const json expected = {
      {"splits",
       {{"train", split_of(4, 3, {majority_train, shared_train, shared_train, shared_train})},
        {"public", split_of(2, 1, {public_test, public_test, public_test, both_admitted})},
        {"private", split_of(2, 2, {private_test, private_test, private_test, private_test})}}},
      {"duplicates",
       {{"groups", 2},
        {"images", 4},
        {"cross_split_groups", 2},
        {"public_with_train_twin", 1},
        {"private_with_train_twin", 1}}}};
  EXPECT_EQ(inspected(run({"inspect", "--json"})), expected);
}

TEST_F(KnownData, InspectShowsTheSameToPeople) {
  const CommandResult result = run({"inspect"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, ::testing::ContainsRegex("train +4 +3 +1\n"));
  EXPECT_THAT(result.out, ::testing::ContainsRegex("majority +train +1 +2 +1 +0 +0"));
  EXPECT_THAT(result.out, HasSubstr("contempt"));
  EXPECT_THAT(result.out, ::testing::ContainsRegex("public images with a twin in train +1\n"));
}

TEST_F(KnownData, SplitsThatAreNotThereCountZero) {
  write_csvs(folder_.path(), {known_rows()[0]});
  const json found = inspected(run({"inspect", "--json"}));
  const json none = mode_of(0, 0, {0, 0, 0, 0, 0, 0, 0, 0});
  EXPECT_EQ(found["splits"]["private"], split_of(0, 0, {none, none, none, none}));
}

TEST_F(KnownData, TargetsOfMajority) {
  EXPECT_THAT(
      targets("majority"),
      ElementsAre("row,usage,image,status,t0,t1,t2,t3,t4,t5,t6,t7",
                  "0,Training,a.png,keep,1,0,0,0,0,0,0,0",  //
                  "1,Training,b.png,drop,,,,,,,,",          //
                  "2,Training,,no_image,,,,,,,,",           //
                  "3,Training,c.png,drop,,,,,,,,", "4,PublicTest,d.png,keep,0,0,0,0,1,0,0,0",
                  "5,PublicTest,,no_image,,,,,,,,", "6,PrivateTest,e.png,keep,0,0,0,1,0,0,0,0",
                  "7,PrivateTest,e.png,keep,0,0,0,0,0,0,0,1"));
}

TEST_F(KnownData, TargetsOfSoftModesAreShortestDecimals) {
  for (const char* mode : {"probability", "crossentropy"}) {
    const auto lines = targets(mode);
    EXPECT_EQ(lines[2], "1,Training,b.png,keep,0,0.5,0.5,0,0,0,0,0");
    EXPECT_EQ(lines[5], "4,PublicTest,d.png,keep,0,0,0,0,0.7,0,0.3,0");
  }
}

TEST_F(KnownData, TargetsOfMultiTargetAreAsPresented) {
  EXPECT_EQ(targets("multi_target")[2],
            "1,Training,b.png,keep,0.001,1,1,0.001,0.001,0.001,0.001,0.001");
}

TEST_F(KnownData, TargetsKeepsTheOldFileWhenItFails) {
  const std::string output = folder_ / "targets.csv";
  write_text(output, "old");
  write_text(ferplus_, "Usage,Image name\nnonsense\n");
  const CommandResult result =
      run_ferplus({"targets", "--ferplus", ferplus_, "-m", "majority", "-o", output});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("fer2013new.csv:1: "));
  EXPECT_EQ(read_text(output), "old");
}

TEST_F(KnownData, ADefectIsNamedWithFileAndLine) {
  std::string text = read_text(fer_);
  text.replace(text.find("PublicTest"), 10, "Elsewhere");
  write_text(fer_, text);
  const CommandResult result = run({"inspect"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("fer2013.csv:6: "));
}

TEST_F(KnownData, PreparedFoldersHoldTheSame) {
  const std::string folders = folder_ / "folders";
  const CommandResult prepared = run({"prepare", "-d", folders});
  ASSERT_EQ(prepared.exit_code, 0) << prepared.err;
  EXPECT_TRUE(std::filesystem::exists(folders + "/FER2013Train/a.png"));
  EXPECT_TRUE(std::filesystem::exists(folders + "/FER2013Test/e_row7.png"));
  EXPECT_EQ(lines_of(read_text(folders + "/FER2013Valid/label.csv")).at(0),
            "d.png,\"(0, 0, 48, 48)\",0,0,0,0,7,0,3,0,0,0");

  json from_csv = inspected(run({"inspect", "--json"}));
  const json from_folders = inspected(run_ferplus({"inspect", "-d", folders, "--json"}));
  for (auto& split : from_csv["splits"]) split["rows"] = split["images"];
  EXPECT_EQ(from_folders, from_csv) << "folders have no rows without an image";
}

TEST_F(KnownData, PrepareOverwritesOnlyWhenForced) {
  const std::string folders = folder_ / "folders";
  ASSERT_EQ(run({"prepare", "-d", folders}).exit_code, 0);
  const std::string label = folders + "/FER2013Train/label.csv";
  const std::string before = read_text(label);
  write_text(label, "mine");
  const CommandResult again = run({"prepare", "-d", folders});
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.err, ::testing::AllOf(HasSubstr("label.csv"), HasSubstr("--force")));
  EXPECT_EQ(read_text(label), "mine");
  EXPECT_EQ(run({"prepare", "-d", folders, "--force"}).exit_code, 0);
  EXPECT_EQ(read_text(label), before);
}

TEST_F(KnownData, PrepareDrawsABarOnATerminalOnly) {
  if (!has_terminals()) GTEST_SKIP() << "no pseudo-terminals here: /dev/pts is not mounted";
  const auto arguments = [&](const std::string& name) {
    return std::vector<std::string>{"prepare", "--fer", fer_,          "--ferplus",
                                    ferplus_,  "-d",    folder_ / name};
  };
  const std::map<std::string, std::string> terminal = {{"TERM", "xterm"}};
  const CommandResult colored = run_ferplus_on_terminal(arguments("a"), terminal);
  EXPECT_EQ(colored.exit_code, 0);
  EXPECT_THAT(colored.err, HasSubstr("\x1b[2Kprepare  [\x1b[36m#"));
  EXPECT_THAT(colored.err, HasSubstr("prepare  6 images in 0:0"));

  const CommandResult plain =
      run_ferplus_on_terminal(arguments("b"), {{"TERM", "xterm"}, {"NO_COLOR", "1"}});
  EXPECT_THAT(plain.err, HasSubstr("\x1b[2Kprepare  [#"));
  EXPECT_THAT(plain.err, Not(HasSubstr("\x1b[36m")));

  const CommandResult dumb = run_ferplus_on_terminal(arguments("c"), {{"TERM", "dumb"}});
  EXPECT_THAT(dumb.err, StartsWith("prepare  6 images in 0:0"));

  auto quiet = arguments("d");
  quiet.emplace_back("--quiet");
  EXPECT_EQ(run_ferplus_on_terminal(quiet, terminal).err, "");
}

TEST_F(KnownData, FullDiskOnStandardOutputIsAFailure) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  const CommandResult result =
      run_ferplus({"targets", "--ferplus", ferplus_, "-m", "majority", "-o", "/dev/full"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("/dev/full"));
}

TEST(Synth, DrawsWhatInspectReads) {
  const TemporaryFolder folder;
  const std::string faces = folder / "faces";
  const CommandResult drawn = run_ferplus({"synth", "-o", faces, "--count", "400", "--seed", "7"});
  ASSERT_EQ(drawn.exit_code, 0) << drawn.err;
  const json found = inspected(run_ferplus({"inspect", "--json", "--fer", faces + "/fer2013.csv",
                                            "--ferplus", faces + "/fer2013new.csv"}));
  ASSERT_EQ(found.size(), 2U);
  ASSERT_EQ(found["splits"].size(), 3U);
  int rows = 0;
  for (const char* name : {"train", "public", "private"}) {
    const json& split = found["splits"].at(name);
    ASSERT_EQ(split.size(), 3U);
    rows += split.at("rows").get<int>();
    EXPECT_GT(split.at("images").get<int>(), 0);
    ASSERT_EQ(split.at("modes").size(), kModes.size());
    for (const std::string& mode_name : kModes) {
      const json& mode = split["modes"].at(mode_name);
      ASSERT_EQ(mode.at("per_class").size(), 8U);
      const int kept = mode.at("kept").get<int>();
      int counted = 0;
      for (const json& count : mode["per_class"]) counted += count.get<int>();
      // Several classes may share the largest value of all targets but majority's.
      EXPECT_GE(counted, kept);
      EXPECT_EQ(counted == kept, mode_name == "majority") << mode_name;
      EXPECT_EQ(split["images"].get<int>(), kept + mode.at("dropped").get<int>());
      EXPECT_EQ(mode.size(), 3U);
    }
  }
  EXPECT_EQ(rows, 400);
  for (const char* key : {"groups", "images", "cross_split_groups", "public_with_train_twin",
                          "private_with_train_twin"}) {
    EXPECT_TRUE(found["duplicates"].at(key).is_number_unsigned());
  }
  EXPECT_EQ(found["duplicates"].size(), 5U);
}

TEST(Synth, SeedAloneDecidesTheFiles) {
  const TemporaryFolder folder;
  const auto draw = [&](const std::string& name, const std::string& seed,
                        const std::string& threads) {
    EXPECT_EQ(run_ferplus({"synth", "-o", folder / name, "--count", "60", "--seed", seed,
                           "--threads", threads})
                  .exit_code,
              0);
    return read_text(folder.path() / name / "fer2013.csv") +
           read_text(folder.path() / name / "fer2013new.csv");
  };
  const std::string first = draw("a", "1", "1");
  EXPECT_EQ(draw("b", "1", "3"), first);
  EXPECT_NE(draw("c", "2", "1"), first);
}

}  // namespace
}  // namespace ferplus
