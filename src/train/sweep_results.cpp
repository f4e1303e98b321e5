#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>

#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/io/file.h>
#include <ferplus/train/run_record.h>
#include <ferplus/train/sweep_results.h>

namespace ferplus {
namespace {

namespace fs = std::filesystem;

nlohmann::ordered_json to_json(const Spread& s) {
  if (s.count == 0) return nullptr;
  nlohmann::ordered_json object = {{"count", s.count}, {"mean", s.mean}, {"deviation", nullptr}};
  if (s.deviation) object["deviation"] = *s.deviation;
  return object;
}

// "84.99 ± 0.37", in units of 1/factor.
std::string text_of(const Spread& s, double factor, int digits) {
  if (s.count == 0) return "–";
  std::ostringstream out;
  out.setf(std::ios::fixed);
  out.precision(digits);
  out << factor * s.mean;
  if (s.deviation) out << " ± " << factor * *s.deviation;
  return out.str();
}

}  // namespace

SweepResult read_result(const fs::path& folder, const SweepRun& run) {
  SweepResult result{.run = run};
  const RunFolder own{folder / run.name};
  if (!own.holds_run()) return result;
  const RunRecord record = read_run(own);
  if (!differing_settings(record.config, run.config).empty()) {
    throw Error(concat(own.config().string(),
                       " has other settings than the sweep asks for: give the recipe that has "
                       "changed another name, or the sweep another folder"));
  }
  result.finished = record.finished();
  result.epochs = static_cast<int>(record.epochs.size());
  result.minutes = record.seconds() / 60;
  if (const EpochMetrics* best = record.best()) {
    result.best_epoch = best->epoch;
    result.public_accuracy = best->public_accuracy;
  }
  if (result.finished) result.private_accuracy = record.summary->private_accuracy;
  return result;
}

std::map<std::string, std::string> recorded_failures(const fs::path& folder) {
  const fs::path path = folder / "summary.json";
  std::map<std::string, std::string> failures;
  if (!file_exists(path)) return failures;
  try {
    const auto summary = nlohmann::json::parse(MappedFile(path).text());
    for (const auto& run : summary.at("runs")) {
      if (run.at("failure").is_string()) failures[run.at("name")] = run.at("failure");
    }
  } catch (const nlohmann::json::exception&) {
    // It is about to be written anew from the runs themselves.
  }
  return failures;
}

Spread spread(const std::vector<double>& values) {
  Spread result{.count = values.size()};
  if (values.empty()) return result;
  const auto count = static_cast<double>(values.size());
  for (double value : values) result.mean += value / count;
  if (values.size() < 2) return result;
  double squares = 0;
  for (double value : values) squares += (value - result.mean) * (value - result.mean);
  result.deviation = std::sqrt(squares / (count - 1));
  return result;
}

std::vector<SweepGroup> group_results(const std::vector<SweepResult>& results) {
  std::vector<SweepGroup> groups;
  std::vector<std::vector<const SweepResult*>> members;
  for (const SweepResult& result : results) {
    const RunConfig& config = result.run.config;
    const std::string_view mode = label_mode(config.mode).name;
    std::size_t g = 0;
    while (g < groups.size() &&
           !(groups[g].network == config.network && groups[g].recipe == config.recipe.name &&
             groups[g].mode == mode)) {
      ++g;
    }
    if (g == groups.size()) {
      groups.push_back(
          {.network = config.network, .recipe = config.recipe.name, .mode = std::string(mode)});
      members.emplace_back();
    }
    ++groups[g].runs;
    if (result.finished) members[g].push_back(&result);
  }
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto over = [&](auto figure) {
      std::vector<double> values;
      for (const SweepResult* result : members[g]) {
        if (const std::optional<double> value = figure(*result)) values.push_back(*value);
      }
      return spread(values);
    };
    using Figure = std::optional<double>;
    groups[g].public_accuracy =
        over([](const SweepResult& r) -> Figure { return r.public_accuracy; });
    groups[g].private_accuracy = over([](const SweepResult& r) { return r.private_accuracy; });
    groups[g].best_epoch = over([](const SweepResult& r) -> Figure { return r.best_epoch; });
    groups[g].epochs = over([](const SweepResult& r) -> Figure { return r.epochs; });
    groups[g].minutes = over([](const SweepResult& r) -> Figure { return r.minutes; });
  }
  return groups;
}

nlohmann::ordered_json sweep_json(const std::vector<SweepResult>& results) {
  nlohmann::ordered_json json = {{"groups", nlohmann::ordered_json::array()},
                                 {"runs", nlohmann::ordered_json::array()}};
  for (const SweepGroup& group : group_results(results)) {
    json["groups"].push_back({{"network", group.network},
                              {"recipe", group.recipe},
                              {"mode", group.mode},
                              {"runs", group.runs},
                              {"finished", group.public_accuracy.count},
                              {"public_accuracy", to_json(group.public_accuracy)},
                              {"private_accuracy", to_json(group.private_accuracy)},
                              {"best_epoch", to_json(group.best_epoch)},
                              {"epochs", to_json(group.epochs)},
                              {"minutes", to_json(group.minutes)}});
  }
  for (const SweepResult& result : results) {
    const RunConfig& config = result.run.config;
    nlohmann::ordered_json run = {
        {"name", result.run.name},      {"network", config.network},
        {"recipe", config.recipe.name}, {"mode", label_mode(config.mode).name},
        {"seed", config.seed},          {"finished", result.finished},
        {"epochs", result.epochs},      {"best_epoch", nullptr},
        {"public_accuracy", nullptr},   {"private_accuracy", nullptr},
        {"minutes", result.minutes},    {"failure", nullptr}};
    if (result.best_epoch >= 0) {
      run["best_epoch"] = result.best_epoch;
      run["public_accuracy"] = result.public_accuracy;
    }
    if (result.private_accuracy) run["private_accuracy"] = *result.private_accuracy;
    if (!result.failure.empty()) run["failure"] = result.failure;
    json["runs"].push_back(std::move(run));
  }
  return json;
}

std::string sweep_markdown(const std::vector<SweepResult>& results) {
  std::ostringstream out;
  out << "| network | recipe | mode | runs | public accuracy, % | private accuracy, % | best epoch "
         "| epochs | minutes |\n|---|---|---|---|---|---|---|---|---|\n";
  for (const SweepGroup& group : group_results(results)) {
    Spread best = group.best_epoch;
    best.mean += 1;  // people count from 1
    out << "| " << group.network << " | " << group.recipe << " | " << group.mode << " | ";
    if (group.public_accuracy.count < group.runs) out << group.public_accuracy.count << " of ";
    out << group.runs << " | " << text_of(group.public_accuracy, 100, 2) << " | "
        << text_of(group.private_accuracy, 100, 2) << " | " << text_of(best, 1, 1) << " | "
        << text_of({.count = group.epochs.count, .mean = group.epochs.mean}, 1, 0) << " | "
        << text_of(group.minutes, 1, 1) << " |\n";
  }
  const bool failures =
      std::ranges::any_of(results, [](const SweepResult& r) { return !r.failure.empty(); });
  if (failures) out << '\n';
  for (const SweepResult& result : results) {
    if (!result.failure.empty()) {
      out << "- " << result.run.name << " failed: " << result.failure << '\n';
    }
  }
  return out.str();
}

}  // namespace ferplus
