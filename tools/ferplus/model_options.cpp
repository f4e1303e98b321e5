#include "model_options.h"

#include <ferplus/nn/models.h>
#include <ferplus/train/recipe.h>

namespace ferplus::tool {
namespace {

template <typename Rows>
std::vector<std::string> names_of(const Rows& rows) {
  std::vector<std::string> names;
  for (const auto& row : rows) names.emplace_back(row.name);
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "" : ", ") + name;
  return list;
}

}  // namespace

std::vector<std::string> network_names() { return names_of(models()); }
std::vector<std::string> recipe_names() { return names_of(recipes()); }
std::string network_list() { return joined(network_names()); }
std::string recipe_list() { return joined(recipe_names()); }

void add_model_option(CLI::App& app, std::filesystem::path& path) {
  app.add_option("--model", path, "A trained model, RUN/best.safetensors say")
      ->required()
      ->type_name("FILE")
      ->group("Model");
}

void add_models_option(CLI::App& app, std::vector<std::filesystem::path>& paths) {
  app.add_option(
         "--model", paths,
         "A trained model, RUN/best.safetensors say; several are measured one by one and as "
         "an ensemble")
      ->required()
      ->allow_extra_args(false)
      ->type_name("FILE")
      ->group("Model");
}

}  // namespace ferplus::tool
