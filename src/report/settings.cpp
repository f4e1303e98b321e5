#include "report/settings.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>

namespace ferplus::report {
namespace {

using nlohmann::ordered_json;

struct Row {
  std::string key, value, shown;
};

Row row_of(const std::string& key, const ordered_json& value) {
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  if (key != "algorithms") return {key, text, text};
  return {key, text, value.empty() ? "" : concat(value.size(), " measured choices")};
}

// Where data and first weights are: long paths, and of least interest.
bool is_place(std::string_view key) {
  return key == "fer" || key == "ferplus" || key == "folders" || key == "from";
}

// config.json as keys and values in its order, the recipe's fields among them, paths at the end.
std::vector<Row> flat(const RunConfig& config) {
  std::vector<Row> rows;
  const ordered_json object = to_json(config);
  for (const auto& [key, value] : object.items()) {
    if (key == "format") continue;
    if (key != "recipe") {
      rows.push_back(row_of(key, value));
      continue;
    }
    for (const auto& [field, setting] : value.items()) {
      rows.push_back(row_of(field == "name" ? "recipe" : field, setting));
    }
  }
  std::stable_partition(rows.begin(), rows.end(),
                        [](const Row& row) { return !is_place(row.key); });
  return rows;
}

}  // namespace

bool Setting::differs() const {
  return std::ranges::any_of(values, [&](const auto& value) { return value != values.front(); });
}

std::vector<Setting> settings(std::span<const RunConfig> configs) {
  std::vector<Setting> all;
  for (const RunConfig& config : configs) {
    const std::vector<Row> rows = flat(config);
    all.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      all[i].key = rows[i].key;
      all[i].values.push_back(rows[i].value);
      all[i].shown.push_back(rows[i].shown);
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

}  // namespace ferplus::report
