// How products are computed: --algorithm, --autotune, --profile, --precision, info --algorithms.
#include <cmath>
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

class Compute : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(run_ferplus({"synth", "-o", folder_ / "faces", "--count", "160"}).exit_code, 0);
  }
  std::vector<std::string> with_data(std::vector<std::string> words,
                                     const std::vector<std::string>& more = {}) {
    for (const char* word : {"--fer", "--ferplus"}) {
      const bool pixels = std::string(word) == "--fer";
      words.insert(words.end(),
                   {word, folder_ / (pixels ? "faces/fer2013.csv" : "faces/fer2013new.csv")});
    }
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  std::vector<std::string> train_arguments(const std::string& name,
                                           const std::vector<std::string>& more) {
    std::vector<std::string> words =
        with_data({"train", "-m", "majority", "--network", "vgg_mini", "-o", folder_ / name});
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  CommandResult train(const std::string& name, const std::vector<std::string>& more) {
    return run_ferplus(train_arguments(name, more));
  }
  json json_of(const std::string& path) { return json::parse(read_text(folder_ / path)); }
  std::string bytes_of(const std::string& path) { return read_text(folder_ / path); }

  TemporaryFolder folder_;
  const std::vector<std::string> short_ = {"--epochs", "1", "--limit", "40"};
};

std::vector<std::string> joined(std::vector<std::string> words,
                                const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST_F(Compute, AForcedAlgorithmBelongsToTheRun) {
  ASSERT_EQ(train("auto", short_).exit_code, 0);
  EXPECT_EQ(json_of("auto/config.json").at("algorithm"), "auto");
  const CommandResult forced = train("forced", joined(short_, {"--algorithm", "matrix_product"}));
  ASSERT_EQ(forced.exit_code, 0) << forced.err;
  EXPECT_EQ(json_of("forced/config.json").at("algorithm"), "matrix_product");
  EXPECT_NE(bytes_of("forced/best.safetensors"), bytes_of("auto/best.safetensors"));

  const CommandResult repeated = run_ferplus(
      {"train", "--config", folder_ / "forced/config.json", "-o", folder_ / "repeated"});
  ASSERT_EQ(repeated.exit_code, 0) << repeated.err;
  EXPECT_EQ(bytes_of("repeated/last.safetensors"), bytes_of("forced/last.safetensors"));
  const CommandResult changed = run_ferplus(
      {"train", "--resume", "-o", folder_ / "forced", "--algorithm", "auto", "--epochs", "2"});
  EXPECT_EQ(changed.exit_code, 1);
  EXPECT_THAT(changed.err, HasSubstr("keeps its own"));
  const CommandResult resumed =
      run_ferplus({"train", "--resume", "-o", folder_ / "forced", "--epochs", "2"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(json_of("forced/config.json").at("algorithm"), "matrix_product");

  const CommandResult unknown = train("unknown", {"--algorithm", "winograd"});
  EXPECT_EQ(unknown.exit_code, 2);
  EXPECT_THAT(unknown.err, AllOf(HasSubstr("'winograd'"), HasSubstr("did you mean winograd4")));
}

TEST_F(Compute, AutotuningIsRecordedAndNotRepeated) {
  const std::vector<std::string> two = {"--epochs", "2", "--limit", "40"};
  ASSERT_EQ(train("tuned", joined(two, {"--autotune"})).exit_code, 0);
  const json config = json_of("tuned/config.json");
  EXPECT_EQ(config.at("algorithm"), "auto");
  ASSERT_EQ(config.at("algorithms").size(), 14U);  // five shapes, the first without backward_data

  // Another choice in the file: it decides, not this machine.
  json other = config;
  for (json& row : other.at("algorithms")) row["algorithm"] = "matrix_product";
  write_text(folder_.path() / "other.json", other.dump());
  for (const char* name : {"other", "again"}) {
    const CommandResult result =
        run_ferplus({"train", "--config", folder_ / "other.json", "-o", folder_ / name});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(json_of(std::string(name) + "/config.json").at("algorithms"), other.at("algorithms"));
  }
  EXPECT_EQ(bytes_of("again/last.safetensors"), bytes_of("other/last.safetensors"));
  ASSERT_EQ(train("forced", joined(two, {"--algorithm", "matrix_product"})).exit_code, 0);
  const auto first_loss = [&](const std::string& run) {
    return json::parse(lines_of(bytes_of(run + "/metrics.jsonl")).front()).at("train_loss");
  };
  EXPECT_EQ(first_loss("again"), first_loss("forced"));

  const CommandResult stopped = run_ferplus({"train", "--config", folder_ / "other.json", "-o",
                                             folder_ / "stopped", "--stop-after", "1"});
  ASSERT_EQ(stopped.exit_code, 0) << stopped.err;
  const CommandResult resumed = run_ferplus({"train", "--resume", "-o", folder_ / "stopped"});
  ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
  EXPECT_EQ(bytes_of("stopped/best.safetensors"), bytes_of("again/best.safetensors"));

  EXPECT_EQ(run_ferplus({"train", "--resume", "-o", folder_ / "stopped", "--autotune"}).exit_code,
            2);
  EXPECT_EQ(train("both", {"--autotune", "--algorithm", "winograd2"}).exit_code, 2);
}

TEST_F(Compute, ProfileIsPrintedAndWritten) {
  const CommandResult result = train("run", joined(short_, {"--profile"}));
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out,
              AllOf(HasSubstr("batch making"), HasSubstr("conv3_2"), HasSubstr("optimizer"),
                    HasSubstr("100.0 %"), HasSubstr("evaluation")));
  EXPECT_LT(result.out.find("conv1_1"), result.out.find("fc2"));
  const json profile = json_of("run/profile.json");
  EXPECT_EQ(profile.at("images"), 40);
  EXPECT_EQ(profile.at("layers").front().at("name"), "conv1_1");
  EXPECT_EQ(profile.at("layers").back().at("name"), "fc2");

  const CommandResult quiet = train("quiet", joined(short_, {"--profile", "-q"}));
  EXPECT_EQ(quiet.out + quiet.err, "");
  EXPECT_EQ(json_of("quiet/profile.json").at("images"), 40);
  EXPECT_EQ(train("plain", short_).out, "");
  EXPECT_FALSE(std::filesystem::exists(folder_ / "plain/profile.json"));
}

TEST_F(Compute, AnInterruptedRunPrintsItsProfile) {
  const CommandResult stopped =
      interrupt_ferplus(train_arguments("run", {"--epochs", "500", "--limit", "40", "--profile"}),
                        folder_ / "run/metrics.jsonl", SIGINT);
  EXPECT_EQ(stopped.exit_code, 130) << stopped.err;
  EXPECT_THAT(stopped.out, HasSubstr("batch making"));
  EXPECT_GT(json_of("run/profile.json").at("steps"), 0);
}

TEST_F(Compute, PrecisionAndAlgorithmChangeFiguresSlightly) {
  ASSERT_EQ(train("run", short_).exit_code, 0);
  const std::string model = folder_ / "run/best.safetensors";
  ASSERT_EQ(run_ferplus(with_data({"prepare"}, {"-d", folder_ / "folders"})).exit_code, 0);
  std::string face;
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "folders/FER2013Test")) {
    if (entry.path().extension() == ".png") face = entry.path();
  }
  const std::vector<std::vector<std::string>> ways = {
      {}, {"--precision", "bf16"}, {"--algorithm", "matrix_product"}};
  std::vector<json> predictions, evaluations;
  for (const auto& way : ways) {
    const CommandResult predicted =
        run_ferplus(joined({"predict", "--model", model, "--json", face}, way));
    ASSERT_EQ(predicted.exit_code, 0) << predicted.err;
    predictions.push_back(json::parse(predicted.out)[0].at("predictions"));
    const CommandResult evaluated =
        run_ferplus(joined(with_data({"evaluate", "--model", model, "--split", "public", "--json",
                                      folder_ / "figures.json"}),
                           way));
    ASSERT_EQ(evaluated.exit_code, 0) << evaluated.err;
    evaluations.push_back(json_of("figures.json"));
    const bool rounded = &way == &ways[1];
    EXPECT_EQ(evaluations.back().at("precision"), rounded ? "bf16" : "fp32");
    const std::string first_line = lines_of(evaluated.out).front();
    EXPECT_EQ(first_line.find(", bf16") != std::string::npos, rounded) << first_line;
  }
  for (std::size_t i = 1; i < ways.size(); ++i) {
    const double tolerance = i == 1 ? 0.02 : 1e-4;
    // Another algorithm may round to the same floats; evaluation's doubles tell them apart.
    if (i == 1) {
      EXPECT_NE(predictions[i], predictions[0]);
    }
    for (const json& wanted : predictions[0]) {
      for (const json& found : predictions[i]) {
        if (found.at("label") != wanted.at("label")) continue;
        EXPECT_NEAR(found.at("probability").get<double>(), wanted.at("probability").get<double>(),
                    tolerance);
      }
    }
    const auto cross_entropy = [&](std::size_t way) {
      return evaluations[way].at("cross_entropy").get<double>();
    };
    EXPECT_NE(cross_entropy(i), cross_entropy(0)) << i;
    EXPECT_NEAR(cross_entropy(i), cross_entropy(0), tolerance) << i;
  }
  for (const char* command : {"predict", "evaluate"}) {
    const CommandResult wrong = run_ferplus({command, "--model", model, "--precision", "fp8"});
    EXPECT_EQ(wrong.exit_code, 2);
    EXPECT_THAT(wrong.err, HasSubstr("bf16"));
  }
}

// pass → "algorithm (reason)" of a layer.
json passes_of(const json& report, const std::string& layer) {
  json passes;
  for (const json& row : report.at("layers")) {
    if (row.at("name") != layer) continue;
    for (const json& pass : row.at("passes")) {
      passes[pass.at("pass").get<std::string>()] = pass.at("algorithm").get<std::string>() + " (" +
                                                   pass.at("reason").get<std::string>() + ")";
    }
  }
  return passes;
}

TEST(InfoAlgorithms, SaysWhatRunsAndWhy) {
  const auto report = [](const std::vector<std::string>& more) {
    const CommandResult result = run_ferplus(joined({"info", "--algorithms", "--json"}, more),
                                             {{"FERPLUS_ISA", "baseline"}});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return json::parse(result.out);
  };
  const json plain = report({});
  EXPECT_EQ(plain.at("network"), "vgg13");
  EXPECT_EQ(plain.at("isa"), "baseline");
  EXPECT_EQ(plain.at("native_bf16"), false);
  EXPECT_EQ(plain.at("layers").size(), 10U);
  EXPECT_EQ(passes_of(plain, "conv1_1+relu1_1"),
            json({{"forward", "direct (measured)"}, {"backward_weights", "direct (measured)"}}));
  EXPECT_EQ(passes_of(plain, "conv2_1+relu2_1"),
            json({{"forward", "winograd4 (measured)"},
                  {"backward_data", "winograd4 (measured)"},
                  {"backward_weights", "winograd4 (measured)"}}));
  EXPECT_EQ(passes_of(report({"--precision", "bf16"}), "conv2_1+relu2_1"),
            json({{"forward", "winograd4_bf16 (precision)"}}));
  EXPECT_EQ(passes_of(report({"--algorithm", "winograd2"}), "conv2_1+relu2_1").at("forward"),
            "winograd2 (forced)");
  EXPECT_EQ(passes_of(report({"--network", "vgg_mini"}), "conv2_2").at("forward"),
            "winograd4 (rule)");

  const TemporaryFolder folder;
  write_text(folder / "config.json", R"({"network": "vgg_mini", "algorithms": [{"pass": "forward",
    "height": 32, "width": 32, "in_channels": 32, "out_channels": 32, "algorithm": "winograd2"}]})");
  const json tuned = report({"--config", folder / "config.json"});
  EXPECT_EQ(tuned.at("network"), "vgg_mini");
  EXPECT_EQ(passes_of(tuned, "conv2_2").at("forward"), "winograd2 (autotuned)");
  EXPECT_EQ(passes_of(tuned, "conv2_2").at("backward_data"), "winograd4 (rule)");
}

TEST(InfoAlgorithms, IsATableToo) {
  const CommandResult result = run_ferplus({"info", "--algorithms", "--network", "vgg13"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("instruction set"), HasSubstr("bfloat16"),
                                HasSubstr("64 x 64 x 1 -> 64"), HasSubstr("not needed")));
  EXPECT_THAT(run_ferplus({"info", "--network", "vgg13"}).out, HasSubstr("8,757,704"));
}

}  // namespace
}  // namespace ferplus
