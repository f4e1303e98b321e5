// What runs were asked for, side by side.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ferplus/report/report.h>

namespace ferplus::report {

// A setting of a run: the keys of config.json, those of its recipe among them.
struct Setting {
  std::string key;
  // One per run: as in config.json, texts without their quotes; and what a page shows of it.
  std::vector<std::string> values, shown;
  bool differs() const;
};
std::vector<Setting> settings(std::span<const RunConfig> configs);
std::vector<RunConfig> configs_of(const Report& report);
// What the run would have been with nothing but its network, mode, recipe, seed and data asked for.
// Nothing if its recipe is none of recipes().
std::optional<RunConfig> as_its_recipe(const RunConfig& config);

}  // namespace ferplus::report
