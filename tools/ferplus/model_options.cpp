#include "model_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ferplus/nn/bundled_model.h>
#include <ferplus/nn/models.h>
#include <ferplus/train/recipe.h>

#include "terminal.h"

namespace ferplus::tool {
namespace {

template <typename Rows>
std::vector<std::string> names_of(const Rows& rows) {
  std::vector<std::string> names;
  for (const auto& row : rows) names.emplace_back(row.name);
  return names;
}

}  // namespace

std::vector<std::string> network_names() { return names_of(models()); }
std::vector<std::string> recipe_names() { return names_of(recipes()); }
std::string network_list() { return fmt::format("{}", fmt::join(network_names(), ", ")); }
std::string recipe_list() { return fmt::format("{}", fmt::join(recipe_names(), ", ")); }

CLI::Option* add_model_option(CLI::App& app, std::filesystem::path& path) {
  return app
      .add_option("--model", path,
                  "A trained model, RUN/best.safetensors say [the bundled one, or what the "
                  "environment variable FERPLUS_MODEL names]")
      ->type_name("FILE")
      ->group("Model");
}

void add_models_option(CLI::App& app, std::vector<std::filesystem::path>& paths) {
  app.add_option(
         "--model", paths,
         "A trained model, RUN/best.safetensors say; several are measured one by one and as "
         "an ensemble [the bundled one, or what the environment variable FERPLUS_MODEL names]")
      ->allow_extra_args(false)
      ->type_name("FILE")
      ->group("Model");
}

std::optional<std::filesystem::path> given_or_bundled_if_any(const std::filesystem::path& path,
                                                             const GeneralOptions& general) {
  if (!path.empty()) return path;
  auto bundled = find_bundled_model();
  if (bundled && !general.quiet) {
    Console::standard_error().line(fmt::format("ferplus: the model is {}", bundled->string()));
  }
  return bundled;
}

std::filesystem::path given_or_bundled(const std::filesystem::path& path,
                                       const GeneralOptions& general) {
  const auto found = given_or_bundled_if_any(path, general);
  return found ? *found : bundled_model_path();  // which throws, and says where it looked
}

}  // namespace ferplus::tool
