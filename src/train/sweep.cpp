#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/core/names.h>
#include <ferplus/io/file.h>
#include <ferplus/train/sweep.h>

#include "core/json_text.h"

namespace ferplus {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

// What a folder's name may be made of.
bool is_plain_name(const std::string& name) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  return !name.empty() && name.size() <= 100 && name[0] != '.' &&
         name.find_first_not_of(kAllowed) == std::string::npos;
}

std::string text_of(const json& value, std::string_view key) {
  if (!value.is_string()) throw UsageError(concat(key, ": expected text, got ", quoted(value)));
  return value.get<std::string>();
}

const json& list_of(const json& value, std::string_view key) {
  if (!value.is_array() || value.empty() || value.size() > 1000) {
    throw UsageError(concat(key, ": expected a list of 1 to 1000 entries, got ", quoted(value)));
  }
  return value;
}

Recipe recipe_of(const json& entry) {
  if (entry.is_string()) return find_recipe(entry.get<std::string>());
  if (!entry.is_object() || !entry.contains("name")) {
    throw UsageError(
        concat("recipes: expected a name or an object with a name and what it changes, got ",
               quoted(entry)));
  }
  const std::string name = text_of(entry.at("name"), "recipes: name");
  if (!is_plain_name(name)) {
    throw UsageError(concat("recipes: the name '", name,
                            "' is to be part of a folder's: letters, digits, _ - . only"));
  }
  Recipe recipe =
      find_recipe(entry.contains("from") ? text_of(entry.at("from"), "recipes: from") : name);
  json changes = json::object();
  for (const auto& [key, value] : entry.items()) {
    if (value.is_structured()) throw UsageError(concat("recipes: ", key, ": got ", quoted(value)));
    if (key != "from") changes[key] = value;
  }
  update_from_json(recipe, changes);
  return recipe;
}

std::vector<SweepRun> expand(const json& object, const fs::path& folder) {
  if (!object.is_object()) throw UsageError("a sweep must be a JSON object");
  std::vector<std::string> networks = {"vgg13"};
  std::vector<Recipe> recipes;
  std::vector<LabelMode> modes;
  std::vector<std::uint64_t> seeds;
  json common = json::object();  // what RunConfig itself reads
  for (const auto& [key, value] : object.items()) {
    if (key == "networks") {
      networks.clear();
      for (const json& name : list_of(value, key)) networks.push_back(text_of(name, key));
    } else if (key == "recipes") {
      for (const json& entry : list_of(value, key)) recipes.push_back(recipe_of(entry));
    } else if (key == "modes") {
      for (const json& name : list_of(value, key)) {
        modes.push_back(label_mode(text_of(name, key)).mode);
      }
    } else if (key == "seeds") {
      for (const json& seed : list_of(value, key)) {
        if (!seed.is_number_unsigned()) {
          throw UsageError(concat("seeds: expected whole numbers from 0, got ", quoted(seed)));
        }
        seeds.push_back(seed.get<std::uint64_t>());
      }
    } else if (key == "fer" || key == "ferplus" || key == "folders") {
      common[key] = absolute_path(folder / text_of(value, key)).string();
    } else if (key == "drop_leaks" || key == "hold_out" || key == "limit") {
      if (value.is_structured()) throw UsageError(concat(key, ": got ", quoted(value)));
      common[key] = value;
    } else {
      throw UsageError(unknown_name("key", key,
                                    {"networks", "recipes", "modes", "seeds", "drop_leaks",
                                     "hold_out", "limit", "fer", "ferplus", "folders"}));
    }
  }
  for (const auto& [name, is_empty] : {std::pair("recipes", recipes.empty()),
                                       {"modes", modes.empty()},
                                       {"seeds", seeds.empty()}}) {
    if (is_empty) throw UsageError(concat("the list '", name, "' is missing"));
  }
  std::vector<SweepRun> runs;
  std::set<std::string> names;
  for (const std::string& network : networks) {
    for (const Recipe& recipe : recipes) {
      for (const LabelMode mode : modes) {
        for (const std::uint64_t seed : seeds) {
          SweepRun run{
              .name = concat(network, "-", recipe.name, "-", label_mode(mode).name, "-s", seed),
              .config = {.network = network, .mode = mode, .recipe = recipe, .seed = seed}};
          update_from_json(run.config, common);
          validate(run.config);
          static_cast<void>(build_network(run.config));  // knows the network's name
          if (!names.insert(run.name).second) {
            throw UsageError(concat("the run ", run.name, " is asked for twice"));
          }
          runs.push_back(std::move(run));
        }
      }
    }
  }
  return runs;
}

}  // namespace

std::vector<SweepRun> read_sweep(const fs::path& file) {
  const MappedFile text(file);
  try {
    return expand(json::parse(text.text()), file.parent_path());
  } catch (const json::exception& error) {
    throw file_error(file, 0, concat("not a sweep: ", error.what()));
  } catch (const UsageError& error) {
    throw UsageError(concat(file.string(), ": ", error.what()));
  }
}

}  // namespace ferplus
