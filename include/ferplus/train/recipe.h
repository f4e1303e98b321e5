// Recipes: every hyperparameter of a training run, by name. One table (recipe_fields) gives each
// its option of `train`, its key in config.json, its range and its help; one table (recipes) names
// the ready-made ones.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace ferplus {

struct Recipe {
  std::string name = "paper";
  int epochs = 100;
  int batch = 32;
  // Of the products of convolutions and, forward, of dense layers: fp32, or bf16, whose sums,
  // weights and updates stay fp32.
  std::string precision = "fp32";
  std::string initialization = "glorot";

  // step: learning_rate times the factor of the last milestone passed, "0.2:0.5,0.4:0.1" being half
  // from 20 % of the epochs on and a tenth from 40 %. one_cycle: linear from `warmup_start` of the
  // rate up over `warmup` of the steps, then half a cosine to 0. cosine: one_cycle without warm-up.
  // constant.
  std::string schedule = "step";
  double learning_rate = 0.05;
  std::string milestones = "0.2:0.5,0.4:0.1";
  double warmup = 0.25;
  double warmup_start = 0.04;

  double momentum = 0.9;
  bool unit_gain = true;
  bool nesterov = false;
  double weight_decay = 0;
  double ema = 0;  // decay of the weight average; 0: none

  double conv_dropout = 0.25;
  double dense_dropout = 0.5;
  double batch_norm_momentum = 0.1;

  // Of targets; not for the loss of multi_target (BatchOptions).
  double label_smoothing = 0;
  double class_balance = 0;
  double mixup = 0;

  std::string shuffle = "once";  // or every_epoch
  bool distort = true;
  double shift = 0.08, angle = 20, skew = 0.05, scale = 1.05;  // DistortionLimits
  bool flip = true;
  bool alternate_flip = false;
  double erase = 0, erase_area = 0.33;  // ErasingLimits
  double plain_end = 0;                 // share of the epochs, the last, without mixup and erase
};

// One hyperparameter.
using RecipeMember =
    std::variant<int Recipe::*, double Recipe::*, bool Recipe::*, std::string Recipe::*>;

struct RecipeField {
  std::string_view name;  // key in JSON; the option is --name with dashes
  std::string_view help;
  RecipeMember member;
  double minimum = 0, maximum = 0;          // of numbers, both allowed
  std::vector<std::string_view> choices{};  // of strings; empty: checked by validate
};

std::span<const RecipeField> recipe_fields();

struct RecipeInfo {
  std::string_view name, description;
  Recipe recipe;
};
std::span<const RecipeInfo> recipes();
// Throws UsageError that names the nearest recipe.
Recipe find_recipe(std::string_view name);

// Sets one field from text ("0.05", "true", "cosine") and checks its range. Throws UsageError.
void set_field(Recipe& recipe, const RecipeField& field, const std::string& text);
// Throws UsageError that names a field which is out of range or that disagrees with another.
void validate(const Recipe& recipe);

nlohmann::ordered_json to_json(const Recipe& recipe);
// Missing keys keep the value they have in `recipe`. Throws UsageError for unknown keys and wrong
// types or ranges.
void update_from_json(Recipe& recipe, const nlohmann::json& json);

}  // namespace ferplus
