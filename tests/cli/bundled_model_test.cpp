// Commands without --model, and export to model files.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <ferplus/io/png.h>
#include <ferplus/nn/model_file.h>

#include "cli/command.h"

namespace ferplus {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

class BundledModel : public testing::Test {
 protected:
  BundledModel() {
    save(bundled_, 3);
    save(other_, 4);
    std::vector<std::uint8_t> pixels;
    for (int i = 0; i < 48 * 48; ++i) pixels.push_back(static_cast<std::uint8_t>(i * i % 251));
    write_png(face_, pixels.data(), 48, 48);
  }
  static void save(const std::string& path, std::uint64_t seed,
                   const std::string& preprocessing = "ferplus") {
    const Network network = build_model("vgg_mini");
    Parameters parameters(network);
    initialize(network, parameters, Initialization::he_normal, seed);
    save_model(path, network, parameters, {{"mode", "majority"}, {"preprocessing", preprocessing}});
  }
  // With the bundled model.
  CommandResult run(const std::vector<std::string>& arguments) {
    return run_ferplus(arguments, {{"FERPLUS_MODEL", bundled_}});
  }

  TemporaryFolder folder_;
  const std::string bundled_ = folder_ / "bundled.safetensors";
  const std::string other_ = folder_ / "other.safetensors";
  const std::string face_ = folder_ / "face.png";
};

TEST_F(BundledModel, PredictUsesItAndSaysSo) {
  const CommandResult expected = run_ferplus({"predict", "--model", bundled_, face_, "--json"});
  EXPECT_EQ(expected.err, "");
  const CommandResult result = run({"predict", face_, "--json"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, expected.out);
  EXPECT_EQ(result.err, "ferplus: the model is " + bundled_ + "\n");
  EXPECT_EQ(run({"predict", face_, "--quiet"}).err, "");
}

TEST_F(BundledModel, AModelThatIsGivenWins) {
  const CommandResult result = run({"predict", "--model", other_, face_, "--json"});
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(result.out, run_ferplus({"predict", "--model", other_, face_, "--json"}).out);
  EXPECT_NE(result.out, run({"predict", face_, "--json"}).out);
}

TEST_F(BundledModel, EvaluateUsesIt) {
  write_csvs(folder_.path(), known_rows());
  const CommandResult result =
      run({"evaluate", "--fer", folder_ / "fer2013.csv", "--ferplus", folder_ / "fer2013new.csv",
           "--split", "private", "--json", folder_ / "figures.json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr(bundled_));
  EXPECT_EQ(json::parse(read_text(folder_ / "figures.json")).at("model"), bundled_);
}

TEST_F(BundledModel, DoctorUsesItAndItsPreprocessing) {
  const CommandResult result = run({"doctor", face_, "--no-detect", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json found = json::parse(result.out);
  EXPECT_EQ(found.at("model"), bundled_);
  EXPECT_EQ(found.at("preprocessing"), "ferplus");
  EXPECT_EQ(found.at("predictions").size(), 8U);
  save(bundled_, 3, "raw");
  EXPECT_EQ(json::parse(run({"doctor", face_, "--no-detect", "--json"}).out).at("preprocessing"),
            "raw");
}

TEST_F(BundledModel, InfoShowsIt) {
  const CommandResult result = run({"info"});
  EXPECT_EQ(result.out, run_ferplus({"info", bundled_}).out);
  EXPECT_THAT(result.err, HasSubstr(bundled_));
  // Algorithms are a network's, with or without a model.
  EXPECT_THAT(run({"info", "--algorithms"}).err, "");
}

TEST_F(BundledModel, CalibrateDoesNotTouchIt) {
  const CommandResult result = run({"calibrate", "-d", "x", "--split", "train"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("--model is missing"));
}

TEST_F(BundledModel, WhatTheEnvironmentNamesMustBeThere) {
  const std::string nowhere = folder_ / "nowhere.safetensors";
  const CommandResult result = run_ferplus({"predict", face_}, {{"FERPLUS_MODEL", nowhere}});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("ferplus: error: " + nowhere));
}

TEST_F(BundledModel, ExportWritesItSmall) {
  const std::string small = folder_ / "small.safetensors";
  CommandResult result = run({"export", "-o", small});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr(small), HasSubstr("vgg_mini_folded, weights f16"),
                                HasSubstr("logits differ by at most")));
  const auto size = [](const std::string& file) { return std::filesystem::file_size(file); };
  EXPECT_LT(static_cast<double>(size(small)), 0.52 * static_cast<double>(size(bundled_)));

  const std::string brain = folder_ / "brain.safetensors";
  result = run({"export", "-o", brain, "--weights", "bf16", "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json report = json::parse(result.out);
  EXPECT_EQ(report.at("model"), bundled_);
  EXPECT_EQ(report.at("weights"), "bf16");
  EXPECT_EQ(report.at("network"), "vgg_mini_folded");
  EXPECT_EQ(report.at("bytes"), size(brain));
  EXPECT_GT(report.at("largest_logit_difference"), 0);

  const json expected = json::parse(run({"predict", face_, "--json"}).out)[0].at("predictions");
  for (const std::string& file : {small, brain}) {
    const json got =
        json::parse(run_ferplus({"predict", "--model", file, face_, "--json"}).out)[0].at(
            "predictions");
    EXPECT_EQ(got[0].at("label"), expected[0].at("label"));
    EXPECT_NEAR(got[0].at("probability"), expected[0].at("probability"), 0.01);
  }
}

TEST_F(BundledModel, ExportOptionsBelongToTheirFormat) {
  CommandResult result = run({"export", "-o", folder_ / "m.safetensors", "--layout", "zoo"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("FILE.onnx"));
  result = run({"export", "-o", folder_ / "m.safetensors", "--softmax"});
  EXPECT_EQ(result.exit_code, 2);
  result = run({"export", "-o", folder_ / "m.onnx", "--weights", "f16"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("FILE.safetensors"));
}

}  // namespace
}  // namespace ferplus
