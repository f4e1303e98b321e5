// Model files: what is written comes back, and every defect is named.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/nn/model_file.h>
#include <ferplus/nn/predictor.h>

#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class ModelFileTest : public testing::Test {
 protected:
  ModelFileTest() : network_(build_model("vgg_mini")), parameters_(network_) {
    initialize(network_, parameters_, Initialization::he_normal, 4);
    // Statistics that are not those of a new network.
    for (std::size_t i = 0; i < parameters_.state().size(); ++i) {
      parameters_.state()[i] += 0.25f * static_cast<float>(i % 7);
    }
  }

  // The model's file, changed, and what loading it says.
  std::string message_after(
      const std::function<void(std::map<std::string, StoredTensor>&,
                               std::map<std::string, std::string>&)>& change) {
    TensorSet set;
    set.add(network_, parameters_);
    save_model(path_, network_, parameters_, {});
    auto metadata = SafetensorsFile(path_).metadata();
    auto tensors = set.tensors();
    const std::string hash = metadata["content_hash"];
    change(tensors, metadata);
    // A change of the tensors is one that somebody made, not damage: the hash follows.
    if (metadata.contains("content_hash") && metadata["content_hash"] == hash) {
      metadata["content_hash"] = content_hash(tensors);
    }
    write_safetensors(path_, tensors, metadata);
    return message_of<Error>([&] { load_model(path_); });
  }

  // Padding between arrays is not part of a file.
  bool equal_arrays(const Parameters& other) const {
    const auto same = [](std::span<const Network::Array> arrays, std::span<const float> a,
                         std::span<const float> b) {
      for (const Network::Array& array : arrays) {
        if (std::memcmp(a.data() + array.offset, b.data() + array.offset,
                        static_cast<std::size_t>(array.spec.shape.elements()) * sizeof(float)) != 0)
          return false;
      }
      return true;
    };
    return same(network_.parameters(), parameters_.values(), other.values()) &&
           same(network_.state(), parameters_.state(), other.state());
  }

  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "model.safetensors";
  Network network_;
  Parameters parameters_;
};

TEST_F(ModelFileTest, RoundTrip) {
  save_model(path_, network_, parameters_, {{"mode", "majority"}, {"epoch", "3"}});
  const Model model = load_model(path_);
  EXPECT_EQ(model.network.name(), "vgg_mini");
  EXPECT_TRUE(equal_arrays(model.parameters));
  EXPECT_EQ(model.metadata.at("mode"), "majority");
  EXPECT_EQ(model.metadata.at("epoch"), "3");
  EXPECT_EQ(model.metadata.at("format"), kModelFormat);
  EXPECT_EQ(model.metadata.at("classes"),
            "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt");
  EXPECT_EQ(model.preprocessing(), Preprocessing::ferplus);

  save_model(folder_ / "again.safetensors", model.network, model.parameters, model.metadata);
  EXPECT_EQ(read_text(folder_ / "again.safetensors"), read_text(path_));
}

TEST_F(ModelFileTest, HasTensorsAsPyTorchNamesAndShapesThem) {
  save_model(path_, network_, parameters_, {});
  const SafetensorsFile file(path_);
  const auto shape = [&](const char* name) {
    const StoredTensor* tensor = file.find(name);
    return tensor == nullptr ? std::vector<std::int64_t>{} : tensor->shape;
  };
  EXPECT_EQ(shape("conv1_1.weight"), (std::vector<std::int64_t>{16, 1, 3, 3}));
  EXPECT_EQ(shape("conv2_1.weight"), (std::vector<std::int64_t>{32, 16, 3, 3}));
  EXPECT_EQ(shape("bn2_1.running_var"), (std::vector<std::int64_t>{32}));
  EXPECT_EQ(shape("fc1.weight"), (std::vector<std::int64_t>{128, 4096}));
  EXPECT_EQ(shape("fc2.bias"), (std::vector<std::int64_t>{8}));
  EXPECT_EQ(file.tensors().size(), network_.parameters().size() + network_.state().size());
}

TEST_F(ModelFileTest, ContentHashFollowsContent) {
  TensorSet a, b, c;
  a.add(network_, parameters_);
  b.add(network_, parameters_);
  EXPECT_EQ(a.content_hash(), b.content_hash());
  parameters_.values()[0] += 1;
  c.add(network_, parameters_);
  EXPECT_NE(a.content_hash(), c.content_hash());
  const std::array<std::byte, 9> bytes{std::byte{1}, {}, {}, {}, {}, {}, {}, {}, std::byte{2}};
  // Words 1 ("a" is one byte long), 'a', 9, 1, 2: FNV-1a 64 of them, computed apart.
  EXPECT_EQ(content_hash({{"a", {DType::u8, {9}, bytes}}}), "b4035ec1e724aad9");
}

TEST_F(ModelFileTest, AveragesOfACheckpointArePreferred) {
  Parameters averages(network_);
  initialize(network_, averages, Initialization::glorot_uniform, 9);
  TensorSet set;
  set.add(network_, averages);
  set.add(network_, parameters_, "ema.");
  save_tensors(path_, network_, set, {});
  EXPECT_TRUE(equal_arrays(load_model(path_).parameters));
}

TEST_F(ModelFileTest, MissingTensor) {
  EXPECT_THAT(message_after([](auto& tensors, auto&) { tensors.erase("conv2_1.weight"); }),
              AllOf(HasSubstr(path_.string()), HasSubstr("conv2_1.weight"), HasSubstr("missing"),
                    HasSubstr("vgg_mini")));
}

TEST_F(ModelFileTest, MissingStatistics) {
  EXPECT_THAT(message_after([](auto& tensors, auto&) { tensors.erase("bn1_1.running_var"); }),
              HasSubstr("'bn1_1.running_var'"));
}

TEST_F(ModelFileTest, DamagedBits) {
  save_model(path_, network_, parameters_, {});
  std::string bytes = read_text(path_);
  bytes[bytes.size() - 100] = static_cast<char>(bytes[bytes.size() - 100] ^ 1);
  write_text(path_, bytes);
  EXPECT_THAT(message_of<Error>([&] { load_model(path_); }),
              AllOf(HasSubstr(path_.string()), HasSubstr("damaged")));
}

TEST_F(ModelFileTest, WrongShape) {
  EXPECT_THAT(message_after([](auto& tensors, auto&) {
                std::swap(tensors["fc1.weight"].shape[0], tensors["fc1.weight"].shape[1]);
              }),
              AllOf(HasSubstr("'fc1.weight'"), HasSubstr("shape")));
}

TEST_F(ModelFileTest, WrongType) {
  EXPECT_THAT(message_after([](auto& tensors, auto&) { tensors["fc2.bias"].type = DType::i32; }),
              AllOf(HasSubstr("'fc2.bias'"), HasSubstr("type")));
}

TEST_F(ModelFileTest, OtherFormats) {
  EXPECT_THAT(message_after([](auto&, auto& metadata) { metadata["format"] = "ferplus-9"; }),
              AllOf(HasSubstr("'ferplus-9'"), HasSubstr("'ferplus-1'")));
  EXPECT_THAT(message_after([](auto&, auto& metadata) { metadata.clear(); }),
              AllOf(HasSubstr("'format'"), HasSubstr("not a model")));
  EXPECT_THAT(message_after([](auto&, auto& metadata) { metadata["classes"] = "happy,sad"; }),
              HasSubstr("'classes'"));
  EXPECT_THAT(message_after([](auto&, auto& metadata) { metadata["preprocessing"] = "rgb"; }),
              HasSubstr("'rgb'"));
  EXPECT_THAT(message_after([](auto&, auto& metadata) { metadata["network"] = "vgg12"; }),
              AllOf(HasSubstr("'vgg12'"), HasSubstr("vgg13")));
  EXPECT_THAT(message_after([](auto&, auto& metadata) { metadata["network"] = "vgg13"; }),
              AllOf(HasSubstr("vgg13"), HasSubstr("conv1_1")));
}

TEST_F(ModelFileTest, OtherProgramsMayLeaveTheHashOut) {
  save_model(path_, network_, parameters_, {});
  auto metadata = SafetensorsFile(path_).metadata();
  metadata.erase("content_hash");
  parameters_.values()[0] += 1;
  TensorSet set;
  set.add(network_, parameters_);
  write_safetensors(path_, set.tensors(), metadata);
  EXPECT_TRUE(equal_arrays(load_model(path_).parameters));
}

TEST_F(ModelFileTest, NoFileAndNoSafetensors) {
  EXPECT_THAT(message_of<Error>([&] { load_model(folder_ / "none.safetensors"); }),
              HasSubstr("none.safetensors"));
  write_text(path_, "not a model at all");
  EXPECT_THAT(message_of<Error>([&] { load_model(path_); }), HasSubstr(path_.string()));
}

TEST_F(ModelFileTest, PredictorGivesTheSoftmaxOfTheNetwork) {
  save_model(path_, network_, parameters_, {});
  Predictor predictor(load_model(path_));
  std::vector<std::uint8_t> pixels(60 * 50);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<std::uint8_t>(i * i % 251);
  }
  const ImageView image{pixels.data(), 60, 50};
  const Rectangle face{5, 1, 53, 49};
  const Probabilities probabilities = predictor.predict(image, face);

  const PreparedModel prepared(network_, parameters_);
  Session session(prepared, 1);
  make_input(image, face, {}, Preprocessing::ferplus, {session.input(1).data, kInputPixels});
  const ConstTensorView logits = session.forward(1, prepared);
  EXPECT_EQ(probabilities, softmax({logits.data, kClasses}));
  EXPECT_EQ(predictor.predict(image), predictor.predict(image, {0, 0, 60, 50}));
  EXPECT_NE(predictor.predict(image), probabilities);

  for (const Rectangle& outside :
       {Rectangle{-1, 0, 48, 48}, Rectangle{0, 0, 61, 48}, Rectangle{0, -1, 48, 48},
        Rectangle{0, 0, 48, 51}, Rectangle{10, 0, 10, 48}, Rectangle{0, 20, 48, 10}}) {
    EXPECT_THROW(predictor.predict(image, outside), Error);
  }
}

TEST_F(ModelFileTest, PredictorObeysThePreprocessing) {
  save_model(path_, network_, parameters_, {{"preprocessing", "raw"}});
  EXPECT_EQ(load_model(path_).preprocessing(), Preprocessing::raw);
  Predictor predictor(load_model(path_));
  std::vector<std::uint8_t> pixels(48 * 48);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i % 251);
  const ImageView image{pixels.data(), 48, 48};
  const Probabilities probabilities = predictor.predict(image);

  const PreparedModel prepared(network_, parameters_);
  Session session(prepared, 1);
  make_input(image, {0, 0, 48, 48}, {}, Preprocessing::raw, {session.input(1).data, kInputPixels});
  const ConstTensorView logits = session.forward(1, prepared);
  EXPECT_EQ(probabilities, softmax({logits.data, kClasses}));
}

// Faces in photographs look like those of training: as if they had been 48 pixels wide.
TEST_F(ModelFileTest, PredictorAveragesLargeFacesDown) {
  save_model(path_, network_, parameters_, {});
  Predictor predictor(load_model(path_));
  constexpr std::size_t kSide = 48, kFactor = 4, kWide = kSide * kFactor + 9;
  std::vector<std::uint8_t> small(kSide * kSide), large(kWide * kWide, 200);
  for (std::size_t i = 0; i < small.size(); ++i) small[i] = static_cast<std::uint8_t>(i * i % 251);
  for (std::size_t y = 0; y < kSide * kFactor; ++y) {
    for (std::size_t x = 0; x < kSide * kFactor; ++x) {
      large[(y + 3) * kWide + x + 5] = small[y / kFactor * kSide + x / kFactor];
    }
  }
  EXPECT_EQ(predictor.predict({large.data(), kWide, kWide}, {5, 3, 197, 195}),
            predictor.predict({small.data(), kSide, kSide}));
}

TEST_F(ModelFileTest, ATemperatureFlattensThePrediction) {
  save_model(path_, network_, parameters_, {});
  EXPECT_EQ(load_model(path_).temperature(), 1);
  std::vector<std::uint8_t> pixels(48 * 48);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i % 251);
  const ImageView image{pixels.data(), 48, 48};
  Predictor plain(load_model(path_));
  save_model(path_, network_, parameters_, {{"temperature", "2"}});
  EXPECT_EQ(load_model(path_).temperature(), 2);
  Predictor flatter(load_model(path_));
  const Probabilities p = plain.predict(image), q = flatter.predict(image);
  // softmax(z/2) ∝ √softmax(z).
  double sum = 0;
  for (float value : p) sum += std::sqrt(static_cast<double>(value));
  for (std::size_t k = 0; k < kClasses; ++k) {
    EXPECT_NEAR(q[k], std::sqrt(static_cast<double>(p[k])) / sum, 1e-6);
  }
}

TEST_F(ModelFileTest, AnswersThatAreNoNumbersAreAnError) {
  // Finite, but not their products.
  std::ranges::fill(parameters_.values(), 1e30F);
  save_model(path_, network_, parameters_, {});
  Predictor predictor(load_model(path_));
  const std::vector<std::uint8_t> pixels = {0, 200, 100, 50};
  EXPECT_THAT(message_of<Error>([&] {
                predictor.predict({pixels.data(), 2, 2});
              }),
              HasSubstr("is no number"));
}

TEST_F(ModelFileTest, ANegativeVarianceIsAnError) {
  for (const Network::Array& array : network_.state()) {
    if (array.spec.name.ends_with("running_var")) parameters_.state()[array.offset] = -1e-9F;
  }
  save_model(path_, network_, parameters_, {});
  EXPECT_THAT(message_of<Error>([&] { load_model(path_); }), HasSubstr("negative variance"));
}

TEST_F(ModelFileTest, TemperaturesThatAreNone) {
  for (const char* text :
       {"", "warm", "0", "-1", "nan", "inf", "1.5x", " 2", "1e999", "1e-300", "1001"}) {
    save_model(path_, network_, parameters_, {{"temperature", text}});
    EXPECT_THAT(message_of<Error>([&] { load_model(path_); }),
                AllOf(HasSubstr(path_.string()), HasSubstr("temperature")))
        << text;
  }
}

TEST_F(ModelFileTest, MetadataAreReplacedAloneAndAtomically) {
  Parameters averages(network_);
  initialize(network_, averages, Initialization::glorot_uniform, 9);
  TensorSet set;
  set.add(network_, averages);
  set.add(network_, parameters_, "ema.");
  save_tensors(path_, network_, set, {{"mode", "majority"}, {"epoch", "3"}});
  const std::string before = read_text(path_);
  const auto read = SafetensorsFile(path_).metadata();
  update_metadata(path_, read, {{"epoch", "4"}, {"temperature", "1.25"}});
  EXPECT_THROW(update_metadata(path_, read, {{"epoch", "5"}}), Error) << "replaced since";
  const SafetensorsFile file(path_);
  EXPECT_EQ(file.metadata().at("mode"), "majority");
  EXPECT_EQ(file.metadata().at("epoch"), "4");
  EXPECT_EQ(content_hash(file.tensors()), set.content_hash());
  EXPECT_EQ(load_model(path_).temperature(), 1.25);
  EXPECT_EQ(folder_.entries(), 1);

  // Neither a damaged file nor another's is written to.
  std::string damaged = before;
  damaged[damaged.size() - 100] = static_cast<char>(damaged[damaged.size() - 100] ^ 1);
  write_text(path_, damaged);
  EXPECT_THROW(update_metadata(path_, read, {{"epoch", "4"}}), Error);
  EXPECT_EQ(read_text(path_), damaged);
}

}  // namespace
}  // namespace ferplus
