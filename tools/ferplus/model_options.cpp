#include "model_options.h"

#include <ferplus/nn/models.h>
#include <ferplus/train/recipe.h>

namespace ferplus::tool {
namespace {

template <typename Rows>
std::string name_list(const Rows& rows) {
  std::string list;
  for (const auto& row : rows) {
    if (!list.empty()) list += ", ";
    list += row.name;
  }
  return list;
}

}  // namespace

std::string network_list() { return name_list(models()); }
std::string recipe_list() { return name_list(recipes()); }

void add_model_option(CLI::App& app, std::filesystem::path& path) {
  app.add_option("--model", path, "A trained model, RUN/best.safetensors say")
      ->required()
      ->type_name("FILE")
      ->group("Model");
}

}  // namespace ferplus::tool
