// train, evaluate, predict and info on synthetic faces: the whole path, files and exit codes. That
// training learns is tested in tests/train and by tools/quickstart.sh.
#include <csignal>
#include <filesystem>
#include <memory>
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

constexpr const char* kRows = "160";

// One data set and one run of two epochs for all tests, which only read them.
class TrainedRun : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    ASSERT_EQ(run_ferplus({"synth", "-o", *folder_ / "faces", "--count", kRows}).exit_code, 0);
    const CommandResult trained = train("run", {"--epochs", "2"});
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static std::vector<std::string> data() {
    return {"--fer", *folder_ / "faces/fer2013.csv", "--ferplus",
            *folder_ / "faces/fer2013new.csv"};
  }
  static std::vector<std::string> train_arguments(const std::string& name,
                                                  const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"train",         "-m",        "majority", "-o",
                                          *folder_ / name, "--network", "vgg_mini"};
    for (const auto& words : {data(), more}) {
      arguments.insert(arguments.end(), words.begin(), words.end());
    }
    return arguments;
  }
  static CommandResult train(const std::string& name, const std::vector<std::string>& more) {
    return run_ferplus(train_arguments(name, more));
  }
  static CommandResult evaluate(const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"evaluate", "--model", model()};
    for (const auto& words : {data(), more}) {
      arguments.insert(arguments.end(), words.begin(), words.end());
    }
    return run_ferplus(arguments);
  }
  static std::string model() { return *folder_ / "run/best.safetensors"; }

  static inline std::unique_ptr<TemporaryFolder> folder_;
};

TEST_F(TrainedRun, LeavesItsFiles) {
  for (const char* name :
       {"config.json", "metrics.jsonl", "train.log", "best.safetensors", "last.safetensors"}) {
    EXPECT_TRUE(std::filesystem::exists(*folder_ / "run" / name)) << name;
  }
  const auto lines = lines_of(read_text(*folder_ / "run/metrics.jsonl"));
  ASSERT_EQ(lines.size(), 2U);
  for (const std::string& line : lines) {
    const json metrics = json::parse(line);
    for (const char* key : {"epoch", "train_loss", "train_accuracy", "public_loss",
                            "public_accuracy", "learning_rate", "seconds", "images_per_second"}) {
      EXPECT_TRUE(metrics.at(key).is_number()) << key;
    }
  }
  EXPECT_THAT(read_text(*folder_ / "run/train.log"), HasSubstr("epoch 2"));
}

TEST_F(TrainedRun, IsNotOverwritten) {
  const CommandResult again = train("run", {"--epochs", "1"});
  EXPECT_NE(again.exit_code, 0);
  EXPECT_THAT(again.err, HasSubstr("--resume"));
  EXPECT_EQ(lines_of(read_text(*folder_ / "run/metrics.jsonl")).size(), 2U);
}

TEST_F(TrainedRun, ItsConfigRepeatsIt) {
  const CommandResult repeated =
      run_ferplus({"train", "--config", *folder_ / "run/config.json", "-o", *folder_ / "repeated"});
  ASSERT_EQ(repeated.exit_code, 0) << repeated.err;
  EXPECT_EQ(read_text(*folder_ / "repeated/last.safetensors"),
            read_text(*folder_ / "run/last.safetensors"));
}

TEST_F(TrainedRun, QuietTrainingIsSilent) {
  const CommandResult quiet = train("quiet", {"--epochs", "1", "--limit", "32", "--quiet"});
  EXPECT_EQ(quiet.exit_code, 0);
  EXPECT_EQ(quiet.err + quiet.out, "");
}

TEST_F(TrainedRun, InterruptedSavesAndResumesToTheSameBits) {
  const std::vector<std::string> length = {"--epochs", "4", "--limit", "64"};
  ASSERT_EQ(train("whole", length).exit_code, 0);
  for (const int signal_number : {SIGINT, SIGTERM}) {
    const std::string name = signal_number == SIGINT ? "sigint" : "sigterm";
    const CommandResult stopped = interrupt_ferplus(
        train_arguments(name, length), *folder_ / name / "metrics.jsonl", signal_number);
    ASSERT_EQ(stopped.exit_code, 128 + signal_number) << stopped.err;
    EXPECT_THAT(stopped.err, HasSubstr("--resume"));
    const CommandResult resumed = run_ferplus({"train", "--resume", "-o", *folder_ / name});
    ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
    for (const char* file : {"best.safetensors", "last.safetensors", "summary.json"}) {
      EXPECT_EQ(read_text(*folder_ / name / file), read_text(*folder_ / "whole" / file)) << file;
    }
    EXPECT_EQ(lines_of(read_text(*folder_ / name / "metrics.jsonl")).size(), 4U);
  }
}

TEST_F(TrainedRun, EvaluateWritesAllFigures) {
  const std::string figures = *folder_ / "public.json", rows = *folder_ / "public.csv";
  const CommandResult result =
      evaluate({"--split", "public", "--json", figures, "--predictions", rows});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("accuracy"), HasSubstr("contempt")));
  const json found = json::parse(read_text(figures));
  const int images = found.at("images").get<int>();
  EXPECT_GT(images, 0);
  int counted = 0, right = 0;
  const json& confusion = found.at("confusion");
  ASSERT_EQ(confusion.size(), 8U);
  for (std::size_t i = 0; i < 8; ++i) {
    ASSERT_EQ(confusion[i].size(), 8U);
    right += confusion[i][i].get<int>();
    for (const json& count : confusion[i]) counted += count.get<int>();
  }
  EXPECT_EQ(counted, images);
  EXPECT_NEAR(found.at("accuracy").get<double>(), static_cast<double>(right) / images, 1e-9);
  EXPECT_EQ(lines_of(read_text(rows)).size(), static_cast<std::size_t>(images) + 1);
}

TEST_F(TrainedRun, EvaluateKnowsProtocolsAndTwins) {
  for (const auto& more :
       std::vector<std::vector<std::string>>{{"--split", "private", "--protocol", "argmax"},
                                             {"--split", "train", "--protocol", "paper"},
                                             {"--split", "public", "--without-twins"}}) {
    EXPECT_EQ(evaluate(more).exit_code, 0);
  }
}

TEST_F(TrainedRun, PredictRanksEightLabels) {
  const std::string folders = *folder_ / "folders";
  std::vector<std::string> prepare = {"prepare", "-d", folders};
  const auto source = data();
  prepare.insert(prepare.end(), source.begin(), source.end());
  ASSERT_EQ(run_ferplus(prepare).exit_code, 0);
  std::vector<std::string> faces;
  for (const auto& entry : std::filesystem::directory_iterator(folders + "/FER2013Test")) {
    if (entry.path().extension() == ".png" && faces.size() < 3) faces.push_back(entry.path());
  }
  ASSERT_EQ(faces.size(), 3U);
  std::vector<std::string> arguments = {"predict", "--model", model(), "--json"};
  arguments.insert(arguments.end(), faces.begin(), faces.end());
  const CommandResult result = run_ferplus(arguments);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json found = json::parse(result.out);
  ASSERT_EQ(found.size(), faces.size());
  for (std::size_t i = 0; i < faces.size(); ++i) {
    EXPECT_EQ(found[i].at("image"), faces[i]);
    const json& predictions = found[i].at("predictions");
    ASSERT_EQ(predictions.size(), 8U);
    double sum = 0, last = 1;
    for (const json& prediction : predictions) {
      EXPECT_TRUE(prediction.at("label").is_string());
      const double probability = prediction.at("probability").get<double>();
      EXPECT_LE(probability, last);
      last = probability;
      sum += probability;
    }
    EXPECT_NEAR(sum, 1, 1e-5);
  }
}

TEST_F(TrainedRun, PredictNamesAFileThatIsNoImage) {
  write_text(folder_->path() / "no.png", "text");
  const CommandResult result = run_ferplus({"predict", "--model", model(), *folder_ / "no.png"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("no.png"));
}

TEST_F(TrainedRun, InfoShowsTheNetwork) {
  const CommandResult result = run_ferplus({"info", model()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("vgg_mini"), HasSubstr("majority")));
}

TEST_F(TrainedRun, ABrokenModelIsAnError) {
  write_text(folder_->path() / "broken.safetensors", "nonsense");
  for (const std::vector<std::string>& request : std::vector<std::vector<std::string>>{
           {"info", *folder_ / "broken.safetensors"},
           {"predict", "--model", *folder_ / "broken.safetensors", "x.png"}}) {
    const CommandResult result = run_ferplus(request);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("broken.safetensors"));
  }
}

}  // namespace
}  // namespace ferplus
