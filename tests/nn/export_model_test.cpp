// Models with weights of 16 bits: read, and written by export_model.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/core/half.h>
#include <ferplus/nn/export_model.h>
#include <ferplus/nn/layers.h>
#include <ferplus/nn/predictor.h>

#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using testing::AllOf;
using testing::Each;
using testing::HasSubstr;

Model random_model(const std::string& name) {
  Network network = build_model(name);
  Parameters parameters(network);
  initialize(network, parameters, Initialization::he_normal, 4);
  for (std::size_t i = 0; i < parameters.state().size(); ++i) {
    parameters.state()[i] += 0.25f * static_cast<float>(i % 7);
  }
  return {std::move(network),
          std::move(parameters),
          {{"preprocessing", "raw"}, {"mode", "majority"}, {"temperature", "1.25"}}};
}

// A network that is none of the table's: 512 weights.
Model small_model() {
  Network network("small", {1, kInputSide, kInputSide, 1});
  network.add("mean", make_average_pool({.height = 8, .width = 8, .stride = 8}));
  network.add("fc", make_dense({.units = kClasses}));
  Parameters parameters(network);
  initialize(network, parameters, Initialization::he_normal, 5);
  return {std::move(network), std::move(parameters), {{"preprocessing", "ferplus"}}};
}

const Network::Array& array_of(const Network& network, const std::string& name) {
  return *std::ranges::find(network.parameters(), name,
                            [](const Network::Array& array) { return array.spec.name; });
}

std::span<float> values_of(Model& model, const std::string& name) {
  const Network::Array& array = array_of(model.network, name);
  return model.parameters.values().subspan(array.offset,
                                           static_cast<std::size_t>(array.spec.shape.elements()));
}

Probabilities prediction(Model model) {
  Predictor predictor(std::move(model));
  std::vector<std::uint8_t> pixels(48 * 48);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<std::uint8_t>(i * i % 251);
  }
  return predictor.predict({pixels.data(), 48, 48});
}

class ExportModelTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "model.safetensors";
};

struct Stored {
  DType type;
  std::uint16_t third;  // 1/3, by numpy and ml_dtypes
  std::uint32_t read;
};

// Mixed with tensors that stayed f32, as another program may write them.
TEST_F(ExportModelTest, SixteenBitTensorsAreWidenedExactly) {
  for (const Stored& stored :
       {Stored{DType::f16, 0x3555, 0x3eaaa000}, Stored{DType::bf16, 0x3eab, 0x3eab0000}}) {
    const Model model = random_model("vgg_mini");
    save_model(path_, model.network, model.parameters, model.metadata);
    auto metadata = SafetensorsFile(path_).metadata();
    metadata.erase("content_hash");
    TensorSet set;
    set.add(model.network, model.parameters);
    auto tensors = set.tensors();
    const std::vector<std::uint16_t> thirds(16 * 9, stored.third);
    tensors["conv1_1.weight"].type = stored.type;
    tensors["conv1_1.weight"].bytes = std::as_bytes(std::span(thirds));
    write_safetensors(path_, tensors, metadata);

    Model read = load_model(path_);
    EXPECT_THAT(values_of(read, "conv1_1.weight"), Each(std::bit_cast<float>(stored.read)));
    Model original = random_model("vgg_mini");
    EXPECT_TRUE(
        std::ranges::equal(values_of(read, "fc1.weight"), values_of(original, "fc1.weight")));
  }
}

TEST_F(ExportModelTest, OtherTypesOfTheSameSizeAreErrors) {
  const Model model = random_model("vgg_mini");
  TensorSet set;
  set.add(model.network, model.parameters, "", true, DType::f16);
  for (const DType type : {DType::i16, DType::u16}) {
    save_tensors(path_, model.network, set, {});
    auto tensors = set.tensors();
    tensors["fc1.weight"].type = type;
    write_safetensors(path_, tensors, SafetensorsFile(path_).metadata());
    EXPECT_THAT(message_of<Error>([&] { load_model(path_); }),
                AllOf(HasSubstr(path_.string()), HasSubstr("'fc1.weight'"), HasSubstr("type")));
  }
}

TEST_F(ExportModelTest, ASixteenBitFileCutShortIsAnError) {
  export_model(path_, random_model("vgg_mini"), DType::f16);
  const std::string bytes = read_text(path_);
  for (const std::size_t cut : {std::size_t{1}, std::size_t{2}, bytes.size() / 2}) {
    write_text(path_, bytes.substr(0, bytes.size() - cut));
    EXPECT_THAT(message_of<Error>([&] { load_model(path_); }), HasSubstr(path_.string()));
  }
}

TEST_F(ExportModelTest, WeightsAreRoundedAndBiasesAreNot) {
  Model model = random_model("vgg13");
  values_of(model, "conv2_1.bias")[0] = 1.0f / 3;
  values_of(model, "fc2.bias")[5] = 1e30f;  // beyond f16, but no weight
  const ModelExportReport report = export_model(path_, model, DType::f16);
  EXPECT_EQ(report.network, "vgg13");
  EXPECT_EQ(report.bytes, std::filesystem::file_size(path_));
  EXPECT_LE(report.bytes, 18'000'000U);

  const SafetensorsFile file(path_);
  EXPECT_EQ(file.find("conv2_1.weight")->type, DType::f16);
  EXPECT_EQ(file.find("fc1.weight")->type, DType::f16);
  EXPECT_EQ(file.find("conv2_1.bias")->type, DType::f32);
  Model read = load_model(path_);
  EXPECT_EQ(values_of(read, "conv2_1.bias")[0], 1.0f / 3);
  EXPECT_EQ(values_of(read, "fc2.bias")[5], 1e30f);
  const auto expected = values_of(model, "fc1.weight"), got = values_of(read, "fc1.weight");
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(got[i], float_from_half(half_from_float(expected[i]))) << i;
  }
}

TEST_F(ExportModelTest, MetadataStayButForTheContent) {
  Model model = random_model("vgg_mini");
  model.metadata.merge(std::map<std::string, std::string>{
      {"data", "0123"}, {"config", "{}"}, {"position", "{}"}, {"public_data", "4567"}});
  export_model(path_, model, DType::bf16);
  const Model read = load_model(path_);
  for (const char* key : {"config", "position", "public_data"}) {
    EXPECT_FALSE(read.metadata.contains(key)) << key;
  }
  EXPECT_EQ(read.metadata.at("data"), "0123");
  EXPECT_EQ(read.metadata.at("mode"), "majority");
  EXPECT_EQ(read.temperature(), 1.25);
  EXPECT_EQ(read.preprocessing(), Preprocessing::raw);
  EXPECT_EQ(read.metadata.at("classes"),
            "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt");
  EXPECT_TRUE(read.metadata.contains("content_hash"));
}

TEST_F(ExportModelTest, SaysTheSameWithinTheRounding) {
  // Of the largest logit: with 24, 11 and 8 bits of precision.
  const std::map<DType, double> bounds = {
      {DType::f32, 1e-5}, {DType::f16, 2e-3}, {DType::bf16, 2e-2}};
  const Model model = random_model("vgg_mini");
  const Probabilities expected = prediction(random_model("vgg_mini"));
  std::map<DType, double> differences;
  for (const auto& [type, bound] : bounds) {
    const ModelExportReport report = export_model(path_, model, type);
    differences[type] = report.largest_difference;
    const Probabilities got = prediction(load_model(path_));
    for (std::size_t k = 0; k < kClasses; ++k) EXPECT_NEAR(got[k], expected[k], bound);
  }
  EXPECT_GT(differences[DType::f16], 10 * differences[DType::f32]);
  EXPECT_GT(differences[DType::bf16], 3 * differences[DType::f16]);
}

TEST_F(ExportModelTest, BatchNormIsFoldedAndTheNetworkSaysSo) {
  EXPECT_EQ(export_model(path_, random_model("vgg13_bn"), DType::f16).network, "vgg13");
  EXPECT_EQ(load_model(path_).network.name(), "vgg13");

  EXPECT_EQ(export_model(path_, random_model("vgg_mini"), DType::f32).network, "vgg_mini_folded");
  const Model folded = load_model(path_);
  EXPECT_EQ(folded.network.name(), "vgg_mini_folded");
  EXPECT_TRUE(folded.network.state().empty());
  const auto again = folder_ / "again.safetensors";
  EXPECT_EQ(export_model(again, folded, DType::f32).largest_difference, 0);
  EXPECT_EQ(read_text(again), read_text(path_));
}

TEST_F(ExportModelTest, ValuesOutOfRangeAreErrorsThatNameTheTensor) {
  Model model = small_model();
  write_text(path_, "what was there before");
  const auto message = [&](DType type) {
    return message_of<Error>([&] { export_model(path_, model, type); });
  };
  values_of(model, "fc.weight")[7] = -65520;
  EXPECT_THAT(message(DType::f16),
              AllOf(HasSubstr("'fc.weight'"), HasSubstr("-65520"), HasSubstr("F16")));
  values_of(model, "fc.weight")[7] = 3.4e38f;
  EXPECT_THAT(message(DType::bf16), AllOf(HasSubstr("'fc.weight'"), HasSubstr("BF16")));
  values_of(model, "fc.weight")[7] = NAN;
  for (DType type : {DType::f16, DType::bf16, DType::f32}) {
    EXPECT_THAT(message(type), HasSubstr("'fc.weight'"));
  }
  // Finite weights, but no finite logits.
  for (float& value : values_of(model, "fc.weight")) value = 3e38f;
  EXPECT_THAT(message(DType::f32), HasSubstr("not finite"));
  for (float& value : values_of(model, "fc.weight")) value = 0.25f;
  EXPECT_EQ(read_text(path_), "what was there before");
  values_of(model, "fc.weight")[7] = 65519;
  EXPECT_EQ(export_model(path_, model, DType::f16).network, "small");
  Model read = load_model(path_);
  EXPECT_EQ(values_of(read, "fc.weight")[7], kLargestHalf);
}

TEST_F(ExportModelTest, ModelsOfUnknownPreprocessingAreRefused) {
  Model model = random_model("vgg_mini");
  model.metadata["preprocessing"] = kUnknownPreprocessing;
  EXPECT_THAT(message_of<Error>([&] { export_model(path_, model, DType::f16); }),
              HasSubstr("--preprocessing"));
  EXPECT_EQ(folder_.entries(), 0);
}

TEST(WeightTypes, HaveNames) {
  EXPECT_EQ(weight_type_from_name("f16"), DType::f16);
  EXPECT_EQ(weight_type_from_name("bf16"), DType::bf16);
  EXPECT_EQ(weight_type_from_name("f32"), DType::f32);
  EXPECT_THAT(message_of<UsageError>([] { weight_type_from_name("f61"); }), HasSubstr("f16"));
}

}  // namespace
}  // namespace ferplus
