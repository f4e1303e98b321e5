#include <algorithm>
#include <array>
#include <cmath>

#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/core/names.h>
#include <ferplus/train/recipe.h>
#include <ferplus/train/schedule.h>

#include "core/json_text.h"

namespace ferplus {
namespace {

using nlohmann::json;

const std::vector<RecipeField>& fields() {
  static const std::vector<RecipeField> kFields = {
      {"epochs", "passes over the training images", &Recipe::epochs, 1, 100000},
      {"batch", "images a step", &Recipe::batch, 1, 4096},
      {"precision",
       "of the products: fp32, or bf16 (rounds operands to 8 bits, sums stay fp32; faster with "
       "AVX512-BF16)",
       &Recipe::precision,
       0,
       0,
       {"fp32", "bf16"}},
      {"initialization",
       "of the weights: glorot (uniform), he (normal) or dirac (he, but filters begin by handing "
       "their channel on)",
       &Recipe::initialization,
       0,
       0,
       {"glorot", "he", "dirac"}},
      {"schedule",
       "of the learning rate: step, one_cycle, cosine or constant",
       &Recipe::schedule,
       0,
       0,
       {schedule_names().begin(), schedule_names().end()}},
      {"learning_rate", "the highest learning rate", &Recipe::learning_rate, 0, 100},
      {"milestones", "schedule step: progress:factor,…", &Recipe::milestones},
      {"warmup", "schedule one_cycle: share of the steps that rise", &Recipe::warmup, 0, 1},
      {"warmup_start", "schedule one_cycle: first rate, as a share of the highest",
       &Recipe::warmup_start, 0, 1},
      {"momentum", "of SGD", &Recipe::momentum, 0, 0.9999},
      {"unit_gain", "scale gradients by 1 - momentum, as CNTK does", &Recipe::unit_gain},
      {"nesterov", "Nesterov momentum", &Recipe::nesterov},
      {"weight_decay", "of weights (not of biases and batch-norm)", &Recipe::weight_decay, 0, 1},
      {"ema", "decay of the averaged weights that are evaluated; 0 for none", &Recipe::ema, 0,
       0.999999},
      {"conv_dropout", "dropout rate after each convolution block", &Recipe::conv_dropout, 0, 0.99},
      {"dense_dropout", "dropout rate after each hidden dense layer", &Recipe::dense_dropout, 0,
       0.99},
      {"batch_norm_momentum", "of the running statistics", &Recipe::batch_norm_momentum, 1e-6, 1},
      {"label_smoothing", "share of each target that is spread over all classes",
       &Recipe::label_smoothing, 0, 0.5},
      {"class_balance",
       "weigh images by the size of their class to the power of minus this: 0 all alike, 1 every "
       "class the same in all",
       &Recipe::class_balance, 0, 1},
      {"mixup",
       "alpha of the Beta distribution of the shares in which two images of a batch are mixed; 0 "
       "for none",
       &Recipe::mixup, 0, 10},
      {"shuffle",
       "order of the images: once or every_epoch",
       &Recipe::shuffle,
       0,
       0,
       {"once", "every_epoch"}},
      {"distort", "distort training faces at random", &Recipe::distort},
      {"shift", "largest shift, as a share of the side", &Recipe::shift, 0, 1},
      {"angle", "largest rotation in degrees", &Recipe::angle, 0, 180},
      {"skew", "largest skew", &Recipe::skew, 0, 1},
      {"scale", "largest scale (or its inverse)", &Recipe::scale, 1, 4},
      {"flip", "mirror half of the faces", &Recipe::flip},
      {"alternate_flip", "with flip: mirror each face in every other epoch instead of by chance",
       &Recipe::alternate_flip},
      {"erase", "probability that a rectangle of a face is erased", &Recipe::erase, 0, 1},
      {"erase_area", "erase: largest rectangle, as a share of the face", &Recipe::erase_area, 0.02,
       1},
      {"plain_end", "share of the epochs, at the end, that go without mixup and erase",
       &Recipe::plain_end, 0, 1},
  };
  return kFields;
}

void check(const Recipe& recipe, const RecipeField& field) {
  const auto check_number = [&](double value) {
    if (!(value >= field.minimum && value <= field.maximum)) {
      throw UsageError(concat(field.name, " must be between ", field.minimum, " and ",
                              field.maximum, ", not ", value));
    }
  };
  if (auto* integer = std::get_if<int Recipe::*>(&field.member)) check_number(recipe.**integer);
  if (auto* number = std::get_if<double Recipe::*>(&field.member)) check_number(recipe.**number);
  if (auto* text = std::get_if<std::string Recipe::*>(&field.member)) {
    const std::string& value = recipe.**text;
    if (!field.choices.empty() &&
        std::find(field.choices.begin(), field.choices.end(), value) == field.choices.end()) {
      throw UsageError(unknown_name(field.name, value, field.choices));
    }
  }
}

void set_from_json(Recipe& recipe, const RecipeField& field, const json& value) {
  const auto wrong = [&](std::string_view expected) {
    return UsageError(concat(field.name, ": expected ", expected, ", got ", quoted(value)));
  };
  std::visit(
      [&](auto member) {
        using Value = std::remove_reference_t<decltype(recipe.*member)>;
        if constexpr (std::is_same_v<Value, bool>) {
          if (!value.is_boolean()) throw wrong("true or false");
          recipe.*member = value.get<bool>();
        } else if constexpr (std::is_same_v<Value, int>) {
          if (!value.is_number_integer() || std::abs(value.get<double>()) > 1e9) {
            throw wrong("a whole number");
          }
          recipe.*member = value.get<int>();
        } else if constexpr (std::is_same_v<Value, double>) {
          if (!value.is_number()) throw wrong("a number");
          recipe.*member = value.get<double>();
        } else {
          if (!value.is_string()) throw wrong("text");
          recipe.*member = value.get<std::string>();
        }
      },
      field.member);
  check(recipe, field);
}

Recipe paper() { return {}; }

// For vgg13_bn: what short runs of a network with batch-norm need.
Recipe one_cycle() {
  Recipe recipe;
  recipe.name = "one_cycle";
  recipe.epochs = 18;
  recipe.batch = 64;
  recipe.initialization = "he";
  recipe.schedule = "one_cycle";
  recipe.learning_rate = 0.06;
  recipe.unit_gain = false;
  recipe.nesterov = true;
  recipe.weight_decay = 5e-4;
  recipe.conv_dropout = 0.15;
  recipe.dense_dropout = 0.4;
  recipe.shuffle = "every_epoch";
  return recipe;
}

// For vgg13_bn in mode crossentropy: the first of the two runs of data/models.
Recipe modern() {
  Recipe recipe = one_cycle();
  recipe.name = "modern";
  recipe.epochs = 60;
  recipe.ema = 0.999;
  recipe.conv_dropout = 0.2;
  recipe.dense_dropout = 0.5;
  recipe.mixup = 0.2;
  recipe.alternate_flip = true;
  recipe.erase = 0.25;
  return recipe;
}

// For vgg_mini and the synthetic faces: a minute or two.
Recipe quick() {
  Recipe recipe = one_cycle();
  recipe.name = "quick";
  recipe.epochs = 8;
  recipe.batch = 32;
  recipe.learning_rate = 0.03;
  recipe.conv_dropout = 0.05;
  recipe.dense_dropout = 0.3;
  return recipe;
}

const std::vector<RecipeInfo>& recipe_table() {
  static const std::vector<RecipeInfo> kRecipes = {
      {"paper", "Barsoum et al. 2016: 100 epochs of SGD, learning rate in three steps", paper()},
      {"one_cycle", "for networks with batch-norm: a one-cycle schedule of few epochs",
       one_cycle()},
      {"modern",
       "what the bundled model began with: one_cycle over more epochs, with averaged weights, "
       "mixed faces, erased rectangles, more dropout",
       modern()},
      {"quick", "for vgg_mini on a few thousand synthetic faces", quick()},
  };
  return kRecipes;
}

}  // namespace

std::span<const RecipeField> recipe_fields() { return fields(); }
std::span<const RecipeInfo> recipes() { return recipe_table(); }

Recipe find_recipe(std::string_view name) {
  std::vector<std::string_view> names;
  for (const RecipeInfo& info : recipe_table()) {
    if (info.name == name) return info.recipe;
    names.push_back(info.name);
  }
  throw UsageError(unknown_name("recipe", name, names));
}

void set_field(Recipe& recipe, const RecipeField& field, const std::string& text) {
  if (std::holds_alternative<std::string Recipe::*>(field.member)) {
    set_from_json(recipe, field, text);
    return;
  }
  const json value = json::parse(text, nullptr, false);
  set_from_json(recipe, field, value.is_discarded() ? json(text) : value);
}

void validate(const Recipe& recipe) {
  for (const RecipeField& field : fields()) check(recipe, field);
  static_cast<void>(Schedule(recipe));  // parses the milestones
  if (recipe.learning_rate <= 0) throw UsageError("learning_rate must be above 0");
  if (recipe.mixup > 0 && recipe.shuffle == "once") {
    throw UsageError(
        "mixup needs shuffle every_epoch: in one order for all epochs the same pairs would meet "
        "again and again");
  }
}

nlohmann::ordered_json to_json(const Recipe& recipe) {
  nlohmann::ordered_json object = {{"name", recipe.name}};
  for (const RecipeField& field : fields()) {
    std::visit([&](auto member) { object[std::string(field.name)] = recipe.*member; },
               field.member);
  }
  return object;
}

void update_from_json(Recipe& recipe, const json& object) {
  if (!object.is_object()) throw UsageError("a recipe must be a JSON object");
  std::vector<std::string_view> names = {"name"};
  for (const RecipeField& field : fields()) names.push_back(field.name);
  for (const auto& [key, value] : object.items()) {
    if (key == "name") {
      if (!value.is_string()) throw UsageError("recipe: name must be text");
      recipe.name = value.get<std::string>();
      continue;
    }
    const auto field = std::find_if(fields().begin(), fields().end(),
                                    [&name = key](const RecipeField& f) { return f.name == name; });
    if (field == fields().end()) throw UsageError(unknown_name("recipe key", key, names));
    set_from_json(recipe, *field, value);
  }
}

}  // namespace ferplus
