#include <algorithm>
#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/io/file.h>
#include <ferplus/train/run_record.h>

namespace ferplus {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kMostEpochs = 100'000;  // recipe_fields()

double number_of(const json& object, const char* key) {
  if (!object.contains(key)) throw Error(concat("'", key, "' is missing"));
  const json& value = object.at(key);
  if (!value.is_number()) throw Error(concat("'", key, "' is no number: ", value.dump()));
  return value.get<double>();
}

std::optional<double> optional_number_of(const json& object, const char* key) {
  if (!object.contains(key) || object.at(key).is_null()) return std::nullopt;
  return number_of(object, key);
}

EpochMetrics metrics_from(const json& object) {
  if (!object.is_object()) throw Error("expected a JSON object");
  if (!object.contains("epoch") || !object.at("epoch").is_number_integer()) {
    throw Error("'epoch' is missing or no whole number");
  }
  return {.epoch = object.at("epoch").get<int>(),
          .train_loss = number_of(object, "train_loss"),
          .train_accuracy = number_of(object, "train_accuracy"),
          .final_train_loss = optional_number_of(object, "final_train_loss"),
          .public_loss = number_of(object, "public_loss"),
          .public_accuracy = number_of(object, "public_accuracy"),
          .learning_rate = number_of(object, "learning_rate"),
          .seconds = number_of(object, "seconds"),
          .images_per_second = number_of(object, "images_per_second"),
          .wall_time = optional_number_of(object, "wall_time")};
}

RunSummary read_summary(const fs::path& path) {
  const MappedFile file(path);
  try {
    const json object = json::parse(file.text());
    return {.epochs = object.at("epochs").get<int>(),
            .finished = object.at("finished").get<bool>(),
            .best_epoch = object.at("best_epoch").get<int>(),
            .public_accuracy = object.at("public_accuracy").get<double>(),
            .private_accuracy = optional_number_of(object, "private_accuracy")};
  } catch (const std::exception& error) {
    throw file_error(path, 0, concat("not what a run writes: ", error.what()));
  }
}

}  // namespace

nlohmann::ordered_json to_json(const EpochMetrics& m) {
  nlohmann::ordered_json row = {
      {"epoch", m.epoch}, {"train_loss", m.train_loss}, {"train_accuracy", m.train_accuracy}};
  if (m.final_train_loss) row["final_train_loss"] = *m.final_train_loss;
  row.update({{"public_loss", m.public_loss},
              {"public_accuracy", m.public_accuracy},
              {"learning_rate", m.learning_rate},
              {"seconds", m.seconds},
              {"images_per_second", m.images_per_second}});
  if (m.wall_time) row["wall_time"] = *m.wall_time;
  return row;
}

std::vector<EpochMetrics> read_metrics(const fs::path& path) {
  const MappedFile file(path);
  std::vector<EpochMetrics> rows;
  std::string_view rest = file.text();
  for (auto end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
    try {
      if (rows.size() == kMostEpochs) throw Error("more epochs than a run can have");
      const EpochMetrics row = metrics_from(json::parse(rest.substr(0, end)));
      if (row.epoch != static_cast<int>(rows.size())) {
        throw Error(concat("expected epoch ", rows.size(), ", got ", row.epoch));
      }
      rows.push_back(row);
    } catch (const std::exception& error) {
      throw file_error(path, rows.size() + 1, concat("no epoch's metrics: ", error.what()));
    }
    rest.remove_prefix(end + 1);
  }
  return rows;
}

void cut_metrics(const fs::path& path, int epochs) {
  std::ifstream metrics(path);
  std::string kept, line;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    if (!std::getline(metrics, line)) {
      throw file_error(path, static_cast<std::size_t>(epoch) + 1,
                       concat("expected a line for each of the ", epochs, " epochs done"));
    }
    kept += line + '\n';
  }
  write_file_atomically(path, [&](std::ostream& out) { out << kept; });
}

nlohmann::ordered_json to_json(const RunSummary& summary) {
  nlohmann::ordered_json object = {{"epochs", summary.epochs},
                                   {"finished", summary.finished},
                                   {"best_epoch", summary.best_epoch},
                                   {"public_accuracy", summary.public_accuracy},
                                   {"private_accuracy", nullptr}};
  if (summary.private_accuracy) object["private_accuracy"] = *summary.private_accuracy;
  return object;
}

const EpochMetrics* RunRecord::best() const {
  const auto best = std::ranges::max_element(epochs, {}, &EpochMetrics::public_accuracy);
  return best == epochs.end() ? nullptr : &*best;
}

double RunRecord::seconds() const {
  double sum = 0;
  for (const EpochMetrics& epoch : epochs) sum += epoch.seconds;
  return sum;
}

RunRecord read_run(const fs::path& folder) {
  RunRecord record{.folder = folder, .config = {}, .epochs = {}, .summary = {}};
  read_config(folder / "config.json", record.config);
  if (fs::exists(folder / "metrics.jsonl")) record.epochs = read_metrics(folder / "metrics.jsonl");
  if (fs::exists(folder / "summary.json")) {
    const RunSummary summary = read_summary(folder / "summary.json");
    const bool current = summary.epochs == static_cast<int>(record.epochs.size()) &&
                         (!summary.finished || summary.epochs == record.config.recipe.epochs);
    if (current) record.summary = summary;
  }
  return record;
}

std::vector<fs::path> run_folders(const fs::path& folder) {
  if (fs::exists(folder / "config.json")) return {folder};
  if (!fs::is_directory(folder)) {
    throw Error(concat(folder.string(), " is no folder, so it holds no run"));
  }
  std::vector<fs::path> runs;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (fs::exists(entry.path() / "config.json")) runs.push_back(entry.path());
  }
  if (runs.empty()) {
    throw Error(concat(folder.string(),
                       " holds no run: there is no config.json in it nor in a folder in it"));
  }
  std::ranges::sort(runs);
  return runs;
}

}  // namespace ferplus
