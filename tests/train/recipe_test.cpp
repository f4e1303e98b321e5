// Recipes and run configurations: JSON there and back, and what is refused, by name.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/train/run_config.h>

#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

const RecipeField& field(std::string_view name) {
  for (const RecipeField& f : recipe_fields()) {
    if (f.name == name) return f;
  }
  throw std::runtime_error("no field " + std::string(name));
}

// A recipe whose every field differs from the default.
Recipe changed() {
  Recipe recipe;
  recipe.name = "mine";
  for (const RecipeField& f : recipe_fields()) {
    std::visit(
        [&](auto member) {
          auto& value = recipe.*member;
          using Value = std::remove_reference_t<decltype(value)>;
          if constexpr (std::is_same_v<Value, bool>) {
            value = !value;
          } else if constexpr (std::is_same_v<Value, int>) {
            value += 1;
          } else if constexpr (std::is_same_v<Value, double>) {
            value = value / 2 + f.maximum / 4;
          } else {
            value = f.choices.empty()       ? "0.5:0.5"
                    : value == f.choices[0] ? std::string(f.choices[1])
                                            : std::string(f.choices[0]);
          }
        },
        f.member);
  }
  return recipe;
}

TEST(RecipeTest, JsonRoundTripOfEveryField) {
  const json before = to_json(Recipe{}), wanted = to_json(changed());
  for (const auto& [key, value] : before.items()) EXPECT_NE(value, wanted.at(key)) << key;
  EXPECT_EQ(before.size(), recipe_fields().size() + 1) << "fields and the name";
  Recipe read;
  update_from_json(read, json::parse(to_json(changed()).dump()));
  EXPECT_EQ(json(to_json(read)), wanted);
}

TEST(RecipeTest, MissingKeysKeepTheirValues) {
  Recipe recipe = changed();
  update_from_json(recipe, {{"learning_rate", 0.125}});
  EXPECT_EQ(recipe.learning_rate, 0.125);
  EXPECT_EQ(recipe.name, "mine");
  EXPECT_EQ(recipe.epochs, 101);
}

TEST(RecipeTest, EveryReadyMadeRecipeIsValid) {
  for (const RecipeInfo& info : recipes()) {
    EXPECT_NO_THROW(validate(info.recipe)) << info.name;
    EXPECT_EQ(info.recipe.name, info.name);
    EXPECT_EQ(json(to_json(find_recipe(info.name))), json(to_json(info.recipe)));
  }
}

TEST(RecipeTest, PaperIsThePapers) {
  const Recipe paper = find_recipe("paper");
  EXPECT_EQ(paper.batch, 32);
  EXPECT_EQ(paper.momentum, 0.9);
  EXPECT_TRUE(paper.unit_gain);
  EXPECT_FALSE(paper.nesterov);
  EXPECT_EQ(paper.weight_decay, 0);
  EXPECT_EQ(paper.ema, 0);
  EXPECT_EQ(paper.initialization, "glorot");
  EXPECT_EQ(paper.shuffle, "once");
  EXPECT_EQ(paper.conv_dropout, 0.25);
  EXPECT_EQ(paper.dense_dropout, 0.5);
  EXPECT_TRUE(paper.distort);
  EXPECT_TRUE(paper.flip);
  EXPECT_FALSE(paper.alternate_flip);
  EXPECT_EQ(paper.erase, 0);
  EXPECT_EQ(paper.mixup, 0);
  EXPECT_EQ(paper.plain_end, 0);
  EXPECT_EQ(paper.label_smoothing, 0);
  EXPECT_EQ(paper.class_balance, 0);
}

TEST(RecipeTest, UnknownNamesNameTheNearest) {
  EXPECT_THAT(message_of<UsageError>([] { find_recipe("papr"); }), HasSubstr("paper?"));
  Recipe recipe;
  EXPECT_THAT(message_of<UsageError>([&] {
                update_from_json(recipe, {{"learning_rat", 1}});
              }),
              AllOf(HasSubstr("'learning_rat'"), HasSubstr("learning_rate?")));
  EXPECT_THAT(message_of<UsageError>([&] { set_field(recipe, field("schedule"), "cosin"); }),
              HasSubstr("cosine?"));
}

TEST(RecipeTest, SetsFieldsFromText) {
  Recipe recipe;
  set_field(recipe, field("epochs"), "7");
  set_field(recipe, field("learning_rate"), "1e-3");
  set_field(recipe, field("momentum"), "0");
  set_field(recipe, field("flip"), "false");
  set_field(recipe, field("schedule"), "cosine");
  set_field(recipe, field("milestones"), "0.5:0.5");
  EXPECT_EQ(recipe.epochs, 7);
  EXPECT_EQ(recipe.learning_rate, 1e-3);
  EXPECT_EQ(recipe.momentum, 0);
  EXPECT_FALSE(recipe.flip);
  EXPECT_EQ(recipe.schedule, "cosine");
  EXPECT_EQ(recipe.milestones, "0.5:0.5");
}

TEST(RecipeTest, RefusesValuesOutOfRangeOrOfAnotherType) {
  for (const auto& [name, text] :
       std::vector<std::pair<const char*, const char*>>{{"epochs", "0"},
                                                        {"epochs", "-3"},
                                                        {"epochs", "2.5"},
                                                        {"epochs", "many"},
                                                        {"epochs", "1e999"},
                                                        {"epochs", "99999999999999999999"},
                                                        {"batch", "0"},
                                                        {"batch", "true"},
                                                        {"batch", ""},
                                                        {"learning_rate", ""},
                                                        {"learning_rate", "-1"},
                                                        {"learning_rate", "nan"},
                                                        {"momentum", "1"},
                                                        {"conv_dropout", "1"},
                                                        {"dense_dropout", "-0.1"},
                                                        {"flip", "1"},
                                                        {"flip", "yes"},
                                                        {"angle", "181"},
                                                        {"scale", "0.5"},
                                                        {"ema", "1"},
                                                        {"erase", "1.5"},
                                                        {"erase_area", "0"},
                                                        {"mixup", "-1"},
                                                        {"label_smoothing", "0.6"},
                                                        {"class_balance", "2"},
                                                        {"shuffle", "twice"},
                                                        {"initialization", ""}}) {
    Recipe recipe;
    // Clang 14 cannot capture structured bindings.
    const auto set = [&, key = name, value = text] { set_field(recipe, field(key), value); };
    EXPECT_THAT(message_of<UsageError>(set), HasSubstr(name)) << name << " = " << text;
  }
  Recipe recipe;
  EXPECT_THROW(update_from_json(recipe, json::array()), UsageError);
  EXPECT_THROW(update_from_json(recipe, {{"name", 3}}), UsageError);
  EXPECT_THROW(update_from_json(recipe, {{"schedule", 3}}), UsageError);
}

TEST(RecipeTest, ValidateFindsWhatWasSetDirectly) {
  Recipe recipe;
  recipe.learning_rate = 0;
  EXPECT_THROW(validate(recipe), UsageError);
  recipe = {};
  recipe.milestones = "0.9:0.1,0.1:0.1";
  EXPECT_THROW(validate(recipe), UsageError);
  recipe = {};
  recipe.batch = 0;
  EXPECT_THROW(validate(recipe), UsageError);
  recipe = {};
  recipe.mixup = 0.2;
  EXPECT_THAT(message_of<UsageError>([&] { validate(recipe); }), HasSubstr("shuffle"));
  recipe.shuffle = "every_epoch";
  EXPECT_NO_THROW(validate(recipe));
}

TEST(RunConfigTest, ValidateKnowsWhatTheModesLossAllows) {
  for (double Recipe::*member :
       {&Recipe::mixup, &Recipe::label_smoothing, &Recipe::class_balance}) {
    RunConfig config{.recipe = find_recipe("one_cycle")};
    config.recipe.*member = 0.1;
    const auto field = std::ranges::find_if(
        recipe_fields(), [&](const RecipeField& f) { return f.member == RecipeMember(member); });
    for (const LabelModeInfo& mode : label_modes()) {
      config.mode = mode.mode;
      if (mode.mode == LabelMode::multi_target) {
        EXPECT_THAT(message_of<UsageError>([&] { validate(config); }),
                    AllOf(HasSubstr("multi_target"), HasSubstr(std::string(field->name))));
      } else {
        EXPECT_NO_THROW(validate(config)) << mode.name;
      }
    }
  }
  RunConfig config{.recipe = find_recipe("paper")};
  config.recipe.epochs = 0;
  EXPECT_THROW(validate(config), UsageError);
}

TEST(RunConfigTest, FileRoundTrip) {
  const TemporaryFolder folder;
  RunConfig config{.network = "vgg_mini",
                   .mode = LabelMode::multi_target,
                   .preprocessing = Preprocessing::raw,
                   .recipe = changed(),
                   .seed = 0xffff'ffff'ffff'fff1,
                   .drop_leaks = true,
                   .hold_out = 33,
                   .limit = 77,
                   .convolution = {.tuned = {{.pass = ConvPass::backward_weights,
                                              .height = 9,
                                              .width = 8,
                                              .in_channels = 16,
                                              .out_channels = 32,
                                              .algorithm = "winograd2"}}},
                   .fer = "/a/fer.csv",
                   .ferplus = "/a/new.csv",
                   .folders = "",
                   .from = "/a/model.safetensors"};
  write_config(folder / "config.json", config);
  RunConfig read;
  read_config(folder / "config.json", read);
  EXPECT_EQ(json(to_json(read)), json(to_json(config)));
  EXPECT_EQ(read.seed, config.seed);
  EXPECT_EQ(read.convolution, config.convolution);
}

TEST(RunConfigTest, OlderFilesChooseAlgorithmsByThemselves) {
  const TemporaryFolder folder;
  write_text(folder / "config.json", R"({"network": "vgg_mini"})");
  RunConfig read;
  read_config(folder / "config.json", read);
  EXPECT_EQ(read.convolution, ConvSelection());
  RunConfig forced;
  forced.convolution.algorithm = "winograd2";
  write_config(folder / "config.json", forced);
  EXPECT_EQ(json::parse(read_text(folder / "config.json")).at("algorithm"), "winograd2");
  read_config(folder / "config.json", read);
  EXPECT_EQ(read.convolution, forced.convolution);
}

TEST(RunConfigTest, ValidateKnowsAlgorithms) {
  RunConfig config{.recipe = find_recipe("paper")};
  config.convolution.algorithm = "magic";
  EXPECT_THAT(message_of<UsageError>([&] { validate(config); }), HasSubstr("magic"));
  config.convolution.algorithm = "winograd4";
  EXPECT_NO_THROW(validate(config));
  const TunedConv row{.height = 8,
                      .width = 8,
                      .in_channels = 32,
                      .out_channels = 32,
                      .algorithm = "matrix_product"};
  config.convolution.tuned = {row};
  EXPECT_THAT(message_of<UsageError>([&] { validate(config); }),
              AllOf(HasSubstr("winograd4"), HasSubstr("forced")));
  config.convolution.algorithm = "auto";
  EXPECT_NO_THROW(validate(config));
  config.convolution.tuned.front().algorithm = "direct";
  EXPECT_THROW(validate(config), UsageError);
}

TEST(RunConfigTest, RefusesByName) {
  const TemporaryFolder folder;
  const auto message = [&](const std::string& text) {
    write_text(folder / "config.json", text);
    RunConfig config;
    return message_of<Error>([&] { read_config(folder / "config.json", config); });
  };
  EXPECT_THAT(message("{"), AllOf(HasSubstr("config.json"), HasSubstr("not a configuration")));
  EXPECT_THAT(message("[]"), HasSubstr("config.json"));
  EXPECT_THAT(message(R"({"sed": 1})"),
              AllOf(HasSubstr("config.json"), HasSubstr("did you mean seed")));
  EXPECT_THAT(message(R"({"seed": -1})"), HasSubstr("seed"));
  EXPECT_THAT(message(R"({"limit": "all"})"), HasSubstr("limit"));
  EXPECT_THAT(message(R"({"hold_out": -1})"), HasSubstr("hold_out"));
  EXPECT_THAT(message(R"({"drop_leaks": 1})"), HasSubstr("drop_leaks"));
  EXPECT_THAT(message(R"({"mode": "magority"})"), HasSubstr("majority?"));
  EXPECT_THAT(message(R"({"format": "ferplus-run-9"})"), HasSubstr("ferplus-run-9"));
  EXPECT_THAT(message(R"({"recipe": {"epochs": 0}})"),
              AllOf(HasSubstr("config.json"), HasSubstr("epochs")));
  EXPECT_THAT(message(R"({"preprocessing": "rwa"})"), HasSubstr("raw?"));
  EXPECT_THAT(message(R"({"network": 3})"), HasSubstr("network"));
  EXPECT_THAT(message(R"({"algorithm": 4})"), HasSubstr("algorithm"));
  EXPECT_THAT(message(R"({"algorithms": {}})"), HasSubstr("algorithms: expected a list"));
  const auto row = [](const std::string& pass, const std::string& rest) {
    return R"({"algorithms": [{"pass": ")" + pass + R"(", "height": 8, "width": 8, )" + rest +
           "}]}";
  };
  const std::string rest = R"("in_channels": 16, "out_channels": 16, "algorithm": "winograd2")";
  EXPECT_THAT(message(row("forwards", rest)), HasSubstr("forward?"));
  EXPECT_THAT(message(row("forward", rest + R"(, "batch": 3)")), HasSubstr("expected objects of"));
  EXPECT_THAT(message(row("forward", R"("in_channels": 16)")), HasSubstr("expected objects of"));
  EXPECT_THAT(message(row("forward", R"("in_channels": 0, "out_channels": 1, "algorithm": "x")")),
              HasSubstr("in_channels"));
  EXPECT_THAT(
      message(row("forward", R"("in_channels": 9999999, "out_channels": 1, "algorithm": "x")")),
      HasSubstr("in_channels"));
}

}  // namespace
}  // namespace ferplus
