#include <array>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include <ferplus/report/report.h>

#include "report/settings.h"

namespace ferplus {
namespace {

using nlohmann::ordered_json;

ordered_json to_json(const Mistake& mistake) {
  return {{"row", mistake.row},
          {"image", mistake.name},
          {"votes", mistake.votes},
          {"class", kClassNames[static_cast<std::size_t>(mistake.truth)]},
          {"predicted", kClassNames[static_cast<std::size_t>(mistake.predicted)]},
          {"confidence", mistake.confidence}};
}

ordered_json to_json(const ModelReport& model) {
  ordered_json object = {{"file", model.file}, {"data", model.data}};
  object.update(ferplus::to_json(model.evaluation));
  object["mistakes"] = ordered_json::array();
  for (const Mistake& mistake : model.mistakes) object["mistakes"].push_back(to_json(mistake));
  return object;
}

ordered_json to_json(const RunReport& run) {
  const RunRecord& record = run.record;
  ordered_json object = {{"name", run.name},
                         {"folder", record.folder.string()},
                         {"finished", record.finished()},
                         {"config", ferplus::to_json(record.config)},
                         {"epochs", ordered_json::array()},
                         {"summary", nullptr},
                         {"model", nullptr},
                         {"without_model", nullptr}};
  for (const EpochMetrics& epoch : record.epochs) {
    object["epochs"].push_back(ferplus::to_json(epoch));
  }
  if (record.summary) object["summary"] = ferplus::to_json(*record.summary);
  if (run.model) {
    object["model"] = to_json(*run.model);
  } else {
    object["without_model"] = run.without_model;
  }
  return object;
}

}  // namespace

ordered_json to_json(const Report& report) {
  ordered_json object = {{"runs", ordered_json::array()}, {"differences", ordered_json::object()}};
  for (const RunReport& run : report.runs) object["runs"].push_back(to_json(run));
  for (const report::Setting& setting : report::settings(report::configs_of(report))) {
    if (setting.differs()) object["differences"][setting.key] = setting.values;
  }
  return object;
}

}  // namespace ferplus
