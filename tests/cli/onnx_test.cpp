// export and import as commands.
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <ferplus/data/label_mode.h>
#include <ferplus/interop/onnx.h>
#include <ferplus/io/png.h>

#include "cli/command.h"
#include "support/shared.h"
#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class OnnxCommands : public testing::Test {
 protected:
  void SetUp() override {
    const Network network = build_model("vgg_mini");
    Parameters parameters(network);
    initialize(network, parameters, Initialization::he_normal, 3);
    save_model(model_, network, parameters, {{"mode", "majority"}});
    std::vector<std::uint8_t> pixels;
    for (int i = 0; i < 64 * 64; ++i) pixels.push_back(static_cast<std::uint8_t>(i * i % 251));
    write_png(face_, pixels.data(), 64, 64);
    if (!onnx_available()) GTEST_SKIP() << "built without ONNX";
  }
  nlohmann::json predictions(const std::string& model) {
    const CommandResult result = run_ferplus({"predict", "--model", model, face_, "--json"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return nlohmann::json::parse(result.out)[0]["predictions"];
  }

  TemporaryFolder folder_;
  const std::string model_ = folder_ / "model.safetensors";
  const std::string face_ = folder_ / "face.png";
  const std::string onnx_ = folder_ / "model.onnx";
  const std::string back_ = folder_ / "back.safetensors";
};

TEST_F(OnnxCommands, ExportAndImportGiveTheSamePredictions) {
  CommandResult result = run_ferplus({"export", "--model", model_, "-o", onnx_, "--softmax"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("nodes"), HasSubstr("differ by at most")));
  result = run_ferplus({"import", onnx_, "-o", back_, "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto report = nlohmann::json::parse(result.out);
  EXPECT_EQ(report["network"], "imported");
  EXPECT_EQ(report["preprocessing"], "ferplus");
  const auto expected = predictions(model_), got = predictions(back_);
  for (std::size_t k = 0; k < kClasses; ++k) {
    EXPECT_EQ(got[k]["label"], expected[k]["label"]);
    EXPECT_NEAR(got[k]["probability"], expected[k]["probability"], 1e-5);
  }
  EXPECT_EQ(run_ferplus({"info", back_}).exit_code, 0);
}

TEST_F(OnnxCommands, ExportReportsAsJson) {
  const CommandResult result = run_ferplus({"export", "--model", model_, "-o", onnx_, "--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto report = nlohmann::json::parse(result.out);
  EXPECT_EQ(report["layout"], "modern");
  EXPECT_EQ(report["bytes"], std::filesystem::file_size(onnx_));
  EXPECT_LT(report["largest_logit_difference"], 1e-4);
}

TEST_F(OnnxCommands, ZooLayoutOfAFerplusModelNamesTheRemedy) {
  const CommandResult result =
      run_ferplus({"export", "--model", model_, "-o", onnx_, "--layout", "zoo"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.err, HasSubstr("--layout modern"));
  EXPECT_FALSE(std::filesystem::exists(onnx_));
}

TEST_F(OnnxCommands, ForeignModelsAreRefusedUntilPreprocessingIsTold) {
  const std::string zoo = test_files() / "onnx" / "zoo_opset8.onnx";
  CommandResult result = run_ferplus({"import", zoo, "-o", back_});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("--preprocessing"));
  result = run_ferplus({"predict", "--model", back_, face_});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("--preprocessing"));
  result = run_ferplus({"import", zoo, "-o", back_, "--preprocessing", "raw"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("exists: choose another name, or replace it with --force"));
  ASSERT_EQ(
      run_ferplus({"import", zoo, "-o", back_, "--preprocessing", "raw", "--force"}).exit_code, 0);
  EXPECT_EQ(predictions(back_).size(), kClasses);
}

TEST_F(OnnxCommands, ImportOfSomethingElseFails) {
  write_text(onnx_, "something else");
  const CommandResult result = run_ferplus({"import", onnx_, "-o", back_});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, AllOf(HasSubstr(onnx_), HasSubstr("not an ONNX model")));
  EXPECT_FALSE(std::filesystem::exists(back_));
}

}  // namespace
}  // namespace ferplus
