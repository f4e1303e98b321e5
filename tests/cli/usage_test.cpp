// What the command says to a user: help, version, and every kind of wrong request.
#include <ostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command.h"
#include "commands.h"
#include "table.h"

namespace ferplus {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

TEST(Usage, WithoutArgumentsHelpGoesToStandardError) {
  const CommandResult result = run_ferplus({});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.out, "");
  for (const tool::Command& command : tool::commands()) {
    EXPECT_THAT(result.err, HasSubstr(std::string(command.name)));
  }
}

TEST(Usage, EveryHelpHasUsageAndExample) {
  std::vector<std::vector<std::string>> requests = {{"--help"}, {"-h"}, {"help"}};
  for (const tool::Command& command : tool::commands()) {
    requests.push_back({std::string(command.name), "--help"});
    requests.push_back({"help", std::string(command.name)});
  }
  for (const auto& request : requests) {
    const CommandResult result = run_ferplus(request, {{"COLUMNS", "80"}});
    SCOPED_TRACE(::testing::PrintToString(request));
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_EQ(result.err, "");
    EXPECT_THAT(result.out, AllOf(HasSubstr("\nUsage:\n  ferplus"), HasSubstr("\nExample:\n  "),
                                  HasSubstr("General:\n")));
    for (const std::string& line : lines_of(result.out.substr(0, result.out.find("\nExample:")))) {
      EXPECT_LE(tool::display_width(line), 80U) << line;
    }
  }
}

TEST(Usage, ExamplesOfHelpNameTheirCommand) {
  for (const tool::Command& command : tool::commands()) {
    const std::string name(command.name);
    const std::string out = run_ferplus({name, "--help"}).out;
    EXPECT_THAT(out.substr(out.find("\nExample:")), HasSubstr("ferplus " + name + " "));
  }
}

TEST(Usage, VersionNamesCompilerIsaAndLibraries) {
  const CommandResult result = run_ferplus({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, MatchesRegex("ferplus +[0-9]+\\.[0-9]+\\.[0-9]+\n(.|\n)*"));
  for (const char* part : {"compiler", "ISA in use", "ISAs supported", "Eigen", "OpenMP", "libpng",
                           "nlohmann-json", "CLI11", "spdlog", "fmt"}) {
    EXPECT_THAT(result.out, HasSubstr(std::string("\n") + part + " "));
  }
}

TEST(Usage, IsaCanBeForced) {
  const CommandResult result = run_ferplus({"--version"}, {{"FERPLUS_ISA", "baseline"}});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.out, ::testing::ContainsRegex("ISA in use +baseline\n"));
}

TEST(Usage, UnknownIsaIsAnErrorOfEveryCommand) {
  for (const char* command : {"--version", "inspect", "synth"}) {
    const CommandResult result = run_ferplus({command}, {{"FERPLUS_ISA", "avx1024"}});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err,
                AllOf(StartsWith("ferplus: error: "), HasSubstr("avx1024"), HasSubstr("baseline")));
  }
}

struct WrongRequest {
  std::vector<std::string> arguments;
  std::vector<std::string> says;
};

void PrintTo(const WrongRequest& wrong, std::ostream* out) {
  for (const std::string& word : wrong.arguments) *out << word << ' ';
}

class WrongRequests : public ::testing::TestWithParam<WrongRequest> {};

TEST_P(WrongRequests, EndWithOneLineThatSaysWhy) {
  const WrongRequest& wrong = GetParam();
  const CommandResult result = run_ferplus(wrong.arguments);
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, StartsWith("ferplus: error: "));
  EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
  for (const std::string& part : wrong.says) EXPECT_THAT(result.err, HasSubstr(part));
}

INSTANTIATE_TEST_SUITE_P(
    Usage, WrongRequests,
    ::testing::Values(
        WrongRequest{{"inspekt"}, {"unknown command 'inspekt'", "did you mean inspect?"}},
        WrongRequest{{"targest", "-m", "majority"}, {"did you mean targets?"}},
        WrongRequest{{"insp"}, {"did you mean inspect?"}},
        WrongRequest{{"xyzzyx"}, {"unknown command 'xyzzyx'", "prepare", "synth", "inspect"}},
        WrongRequest{{"help", "inspekt"}, {"did you mean inspect?"}},
        WrongRequest{{"inspekt", "--help"}, {"did you mean inspect?"}},
        WrongRequest{{"--versoin"}, {"unknown option --versoin", "did you mean --version?"}},
        WrongRequest{{"synth", "--cuont", "5", "-o", "x"}, {"--cuont", "did you mean --count"}},
        WrongRequest{{"synth", "--coun=5"}, {"unknown option --coun;", "did you mean --count?"}},
        WrongRequest{{"synth", "-count", "5", "-o", "x"}, {"did you mean --count?"}},
        WrongRequest{{"synth", "--nonsense"},
                     {"unknown option --nonsense", "ferplus synth --help"}},
        WrongRequest{{"targets", "-mode", "majority", "--ferplus", "x", "-o", "y"},
                     {"unknown option -mode", "did you mean --mode?"}},
        WrongRequest{{"--json", "inspect", "-d", "x"}, {"--json", "after ferplus inspect"}},
        WrongRequest{{"inspect", "-d", "x", "surplus"}, {"unexpected argument 'surplus'"}},
        WrongRequest{{"synth"}, {"--output is missing"}},
        WrongRequest{{"synth", "-o"}, {"--output needs a value"}},
        WrongRequest{{"synth", "-o", "x", "-o", "y"}, {"--output is given more than once"}},
        WrongRequest{{"synth", "-o", "x", "--count", "many"}, {"--count", "got 'many'"}},
        WrongRequest{{"synth", "-o", "x", "--count", "0"}, {"--count", "from 10", "got '0'"}},
        WrongRequest{{"synth", "-o", "x", "--count", "-4"}, {"--count", "got '-4'"}},
        WrongRequest{{"synth", "-o", "x", "--count", "1.5"}, {"--count", "got '1.5'"}},
        WrongRequest{{"synth", "-o", "x", "--seed", "99999999999999999999"},
                     {"--seed", "got '9999"}},
        WrongRequest{{"synth", "-o", "x", "--count", "010"}, {"--count", "zeros", "'010'"}},
        WrongRequest{{"predict", "x.png", "--csv", "y", "--jsonl", "./y"}, {"same name"}},
        WrongRequest{{"inspect", "-d", "x", "--threads", "0"}, {"--threads", "from 1"}},
        WrongRequest{{"targets", "--ferplus", "x", "-o", "y"}, {"--mode is missing"}},
        WrongRequest{{"targets", "-m", "majority", "-o", "y"}, {"--ferplus is missing"}},
        WrongRequest{{"targets", "-m", "majority", "--ferplus", "x"}, {"--output is missing"}},
        WrongRequest{{"targets", "-m", "magority", "--ferplus", "x", "-o", "y"},
                     {"--mode", "unknown mode 'magority'", "did you mean majority?"}},
        WrongRequest{{"targets", "-m", "cross-entropy", "--ferplus", "x", "-o", "y"},
                     {"did you mean crossentropy?"}},
        WrongRequest{{"inspect"}, {"no data", "--fer", "--ferplus", "-d"}},
        WrongRequest{{"inspect", "--fer", "x"}, {"--fer", "needs --ferplus"}},
        WrongRequest{{"inspect", "--ferplus", "x"}, {"--ferplus", "needs --fer"}},
        WrongRequest{{"inspect", "--fer", "x", "--ferplus", "y", "-d", "z"}, {"-d", "exclude"}},
        WrongRequest{{"prepare", "--fer", "x", "--ferplus", "y"}, {"--data is missing"}},
        WrongRequest{{"prepare", "-d", "x", "--ferplus", "y"}, {"--fer is missing"}},
        WrongRequest{{"train", "-d", "x", "-m", "majority"}, {"is missing"}},
        WrongRequest{{"train", "-d", "x", "-o", "y"}, {"-m", "majority"}},
        WrongRequest{{"train", "-m", "majority", "-o", "y"}, {"data", "--fer", "-d"}},
        WrongRequest{{"train", "-d", "x", "-m", "majorty", "-o", "y"}, {"did you mean majority?"}},
        WrongRequest{{"train", "-d", "x", "-m", "majority", "-o", "y", "--epoch", "3"},
                     {"unknown option --epoch", "did you mean --epochs?"}},
        WrongRequest{{"train", "-d", "x", "-m", "majority", "-o", "y", "--epochs", "0"},
                     {"epochs"}},
        WrongRequest{{"train", "-d", "x", "-m", "majority", "-o", "y", "--batch", "many"},
                     {"batch", "a whole number", "many"}},
        WrongRequest{{"train", "-d", "x", "-m", "multi_target", "-o", "y", "--recipe", "modern"},
                     {"mixup", "multi_target", "set mixup to 0"}},
        WrongRequest{{"sweep", "-o", "x"}, {"CONFIG.json is missing"}},
        WrongRequest{{"sweep", "x.json"}, {"--output is missing"}},
        WrongRequest{{"evaluate", "--model", "m", "-d", "x"}, {"--split is missing"}},
        WrongRequest{{"evaluate", "--model", "m", "-d", "x", "--split", "pubic"},
                     {"unknown split 'pubic'", "did you mean public?"}},
        WrongRequest{
            {"evaluate", "--model", "m", "-d", "x", "--split", "public", "--protocol", "papr"},
            {"did you mean paper?"}},
        WrongRequest{{"evaluate", "--model", "m", "-d", "x", "--split", "public", "--tta", "flop"},
                     {"did you mean flip?", "10crop"}},
        WrongRequest{{"calibrate", "--model", "m", "-d", "x"}, {"--split is missing"}},
        WrongRequest{{"calibrate", "--model", "m", "-d", "x", "--split", "private"},
                     {"--split", "train", "public"}},
        WrongRequest{{"evaluate", "--model", "m", "--split", "public"}, {"no data"}},
        WrongRequest{{"predict", "--model", "m"}, {"IMAGE is missing"}},
        WrongRequest{{"predict", "--modle", "m", "face.png"}, {"did you mean --model"}},
        WrongRequest{{"export", "--model", "m"}, {"--output is missing"}},
        WrongRequest{{"export", "--model", "m", "-o", "x.safetensor"}, {"x.safetensor", ".onnx"}},
        WrongRequest{{"import", "x.onnx", "-o", "y.onnx"}, {"y.onnx", ".safetensors"}},
        WrongRequest{{"info", "--precision", "bf16"}, {"--precision", "--algorithms"}},
        WrongRequest{{"info", "--algorithm", "direct"}, {"--algorithm", "--algorithms"}},
        WrongRequest{{"report", "x", "-o", "y", "--model", "x/best.safetensors"},
                     {"name of a file", "x/best.safetensors"}},
        WrongRequest{{"export", "--model", "m", "-o", "x.safetensors", "--weights", "f61"},
                     {"unknown type of weights 'f61'", "did you mean f16"}},
        WrongRequest{{"report", "-o", "x.html"}, {"RUN is missing"}},
        WrongRequest{{"report", "x"}, {"--output is missing"}}));

TEST(Usage, MissingFilesAreFailuresThatNameThem) {
  const std::vector<std::vector<std::string>> requests = {
      {"inspect", "--fer", "/nowhere/fer2013.csv", "--ferplus", "/nowhere/fer2013new.csv"},
      {"inspect", "-d", "/nowhere"},
      {"prepare", "--fer", "/nowhere/f.csv", "--ferplus", "/nowhere/g.csv", "-d", "/nowhere/out"},
      {"targets", "--ferplus", "/nowhere/g.csv", "-m", "majority", "-o", "/nowhere/t.csv"},
      {"evaluate", "--model", "/nowhere/m", "-d", "x", "--split", "public"},
      {"predict", "--model", "/nowhere/m", "x.png"},
      {"info", "/nowhere/m"},
      {"sweep", "/nowhere/sweep.json", "-o", "/nowhere/runs"},
      {"report", "/nowhere/run", "-o", "report.html"},
      {"train", "-d", "/nowhere", "-m", "majority", "-o", "/nowhere/run"}};
  for (const auto& request : requests) {
    const CommandResult result = run_ferplus(request);
    EXPECT_EQ(result.exit_code, 1) << result.err;
    EXPECT_EQ(result.out, "");
    EXPECT_THAT(result.err, AllOf(StartsWith("ferplus: error: "), HasSubstr("/nowhere")));
    EXPECT_EQ(lines_of(result.err).size(), 1U) << result.err;
  }
}

}  // namespace
}  // namespace ferplus
