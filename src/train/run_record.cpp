#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/io/file.h>
#include <ferplus/train/run_record.h>

#include "core/json_text.h"

namespace ferplus {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kMostEpochs = 100'000;  // recipe_fields()
constexpr double kMostSeconds = 1e9;  // more than thirty years

double number_of(const json& object, const char* key) {
  if (!object.contains(key)) throw Error(concat("'", key, "' is missing"));
  const json& value = object.at(key);
  if (!value.is_number()) throw Error(concat("'", key, "' is no number: ", quoted(value)));
  return value.get<double>();
}

double number_of(const json& object, const char* key, double low, double high) {
  const double number = number_of(object, key);
  if (!(number >= low && number <= high)) {
    throw Error(concat("'", key, "' is not between ", low, " and ", high, ": ", number));
  }
  return number;
}

double share_of(const json& object, const char* key) { return number_of(object, key, 0, 1); }

int whole_number_of(const json& object, const char* key, int low, int high) {
  const double number = number_of(object, key, low, high);
  if (!object.at(key).is_number_integer()) {
    throw Error(concat("'", key, "' is no whole number: ", quoted(object.at(key))));
  }
  return static_cast<int>(number);
}

bool truth_of(const json& object, const char* key) {
  if (!object.contains(key)) throw Error(concat("'", key, "' is missing"));
  if (!object.at(key).is_boolean()) {
    throw Error(concat("'", key, "' is neither true nor false: ", quoted(object.at(key))));
  }
  return object.at(key).get<bool>();
}

bool has(const json& object, const char* key) {
  return object.contains(key) && !object.at(key).is_null();
}

EpochMetrics metrics_from(const json& object) {
  if (!object.is_object()) throw Error("expected a JSON object");
  EpochMetrics row{.epoch = whole_number_of(object, "epoch", 0, kMostEpochs - 1),
                   .train_loss = number_of(object, "train_loss"),
                   .train_accuracy = share_of(object, "train_accuracy"),
                   .public_loss = number_of(object, "public_loss"),
                   .public_accuracy = share_of(object, "public_accuracy"),
                   .learning_rate = number_of(object, "learning_rate"),
                   .seconds = number_of(object, "seconds", 0, kMostSeconds),
                   .images_per_second = number_of(object, "images_per_second")};
  if (has(object, "final_train_loss")) {
    row.final_train_loss = number_of(object, "final_train_loss");
  }
  if (has(object, "wall_time")) row.wall_time = number_of(object, "wall_time");
  return row;
}

// Cuts the next line off `rest`. Nothing if its newline is missing: a crash cut it off.
std::optional<std::string_view> next_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  if (end == rest.npos) return std::nullopt;
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

RunSummary read_summary(const fs::path& path) {
  const MappedFile file(path);
  try {
    const json object = json::parse(file.text());
    if (!object.is_object()) throw Error("expected a JSON object");
    RunSummary summary{.epochs = whole_number_of(object, "epochs", 1, kMostEpochs),
                       .finished = truth_of(object, "finished"),
                       .best_epoch = whole_number_of(object, "best_epoch", 0, kMostEpochs - 1),
                       .public_accuracy = share_of(object, "public_accuracy")};
    if (has(object, "private_accuracy")) {
      summary.private_accuracy = share_of(object, "private_accuracy");
    }
    if (summary.best_epoch >= summary.epochs) {
      throw Error(concat("'best_epoch' ", summary.best_epoch, " is none of the ", summary.epochs,
                         " epochs"));
    }
    return summary;
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
  while (const auto line = next_line(rest)) {
    try {
      if (rows.size() == kMostEpochs) throw Error("more epochs than a run can have");
      const EpochMetrics row = metrics_from(json::parse(*line));
      if (row.epoch != static_cast<int>(rows.size())) {
        throw Error(concat("expected epoch ", rows.size(), ", got ", row.epoch));
      }
      rows.push_back(row);
    } catch (const std::exception& error) {
      throw file_error(path, rows.size() + 1, concat("no epoch's metrics: ", error.what()));
    }
  }
  return rows;
}

void cut_metrics(const fs::path& path, int epochs) {
  if (epochs == 0 && !file_exists(path)) return;
  std::string kept;
  if (epochs > 0) {
    const MappedFile file(path);
    std::string_view rest = file.text();
    for (int epoch = 0; epoch < epochs; ++epoch) {
      const auto line = next_line(rest);
      if (!line) {
        throw file_error(path, static_cast<std::size_t>(epoch) + 1,
                         concat("expected a whole line for each of the ", epochs, " epochs done"));
      }
      kept.append(*line) += '\n';
    }
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

RunRecord read_run(const RunFolder& folder) {
  RunRecord record{.folder = folder.path,
                   .config = read_run_config(folder.config()),
                   .epochs = {},
                   .summary = {}};
  if (file_exists(folder.metrics())) record.epochs = read_metrics(folder.metrics());
  if (file_exists(folder.summary())) {
    const RunSummary summary = read_summary(folder.summary());
    const bool current = summary.epochs == static_cast<int>(record.epochs.size()) &&
                         (!summary.finished || summary.epochs == record.config.recipe.epochs);
    if (current) record.summary = summary;
  }
  return record;
}

}  // namespace ferplus
