#include <algorithm>

#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/report/report.h>

namespace ferplus {
namespace {

using nlohmann::ordered_json;

std::string value_text(const std::string& key, const ordered_json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (key == "algorithms") {
    return value.empty() ? "" : concat(value.size(), " measured choices");
  }
  return value.dump();
}

// Where data and first weights are: long paths, and of least interest.
bool is_place(std::string_view key) {
  return key == "fer" || key == "ferplus" || key == "folders" || key == "from";
}

// config.json as keys and values in its order, the recipe's fields among them, paths at the end.
std::vector<std::pair<std::string, std::string>> flat(const RunConfig& config) {
  std::vector<std::pair<std::string, std::string>> rows;
  const ordered_json object = to_json(config);
  for (const auto& [key, value] : object.items()) {
    if (key == "format") continue;
    if (key != "recipe") {
      rows.emplace_back(key, value_text(key, value));
      continue;
    }
    for (const auto& [field, setting] : value.items()) {
      rows.emplace_back(field == "name" ? "recipe" : field, value_text(field, setting));
    }
  }
  std::ranges::stable_partition(rows, [](const auto& row) { return !is_place(row.first); });
  return rows;
}

}  // namespace

bool Setting::differs() const {
  return std::ranges::any_of(values, [&](const auto& value) { return value != values.front(); });
}

std::vector<Setting> settings(std::span<const RunConfig> configs) {
  std::vector<Setting> all;
  for (const RunConfig& config : configs) {
    const auto rows = flat(config);
    all.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      all[i].key = rows[i].first;
      all[i].values.push_back(rows[i].second);
    }
  }
  return all;
}

std::vector<RunConfig> configs_of(const Report& report) {
  std::vector<RunConfig> configs;
  for (const RunReport& run : report.runs) configs.push_back(run.record.config);
  return configs;
}

std::optional<RunConfig> as_its_recipe(const RunConfig& config) {
  const auto info = std::ranges::find(recipes(), config.recipe.name, &RecipeInfo::name);
  if (info == recipes().end()) return std::nullopt;
  return RunConfig{.network = config.network,
                   .mode = config.mode,
                   .recipe = info->recipe,
                   .seed = config.seed,
                   .fer = config.fer,
                   .ferplus = config.ferplus,
                   .folders = config.folders};
}

}  // namespace ferplus
