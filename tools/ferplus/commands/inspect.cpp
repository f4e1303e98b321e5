#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ferplus/data/statistics.h>

#include "commands.h"
#include "data_options.h"
#include "general_options.h"
#include "help.h"
#include "output.h"
#include "table.h"

namespace ferplus::tool {
namespace {

struct Options {
  DataOptions data;
  bool json = false;
  GeneralOptions general;
};

std::string name_of(std::size_t split) {
  return std::string(split_name(static_cast<Split>(split)));
}

nlohmann::ordered_json to_json(const DatasetStatistics& found) {
  nlohmann::ordered_json json;
  for (std::size_t split = 0; split < found.splits.size(); ++split) {
    const SplitStatistics& counts = found.splits[split];
    nlohmann::ordered_json& out = json["splits"][name_of(split)];
    out["rows"] = counts.rows;
    out["images"] = counts.images;
    for (std::size_t mode = 0; mode < counts.modes.size(); ++mode) {
      const ModeStatistics& kept = counts.modes[mode];
      out["modes"][std::string(label_modes()[mode].name)] = {
          {"kept", kept.kept}, {"dropped", kept.dropped}, {"per_class", kept.per_class}};
    }
  }
  const DuplicateStatistics& twins = found.duplicates;
  json["duplicates"] = {{"groups", twins.groups},
                        {"images", twins.images},
                        {"cross_split_groups", twins.cross_split_groups},
                        {"public_with_train_twin", twins.public_with_train_twin},
                        {"private_with_train_twin", twins.private_with_train_twin}};
  return json;
}

std::string splits_table(const DatasetStatistics& found) {
  Table table({{"split", Table::Align::left}, {"rows"}, {"images"}, {"without image"}});
  for (std::size_t split = 0; split < found.splits.size(); ++split) {
    const SplitStatistics& counts = found.splits[split];
    table.add_row({name_of(split), grouped(counts.rows), grouped(counts.images),
                   grouped(counts.rows - counts.images)});
  }
  return table.to_string();
}

std::string modes_table(const DatasetStatistics& found) {
  std::vector<Table::Column> columns = {
      {"mode", Table::Align::left}, {"split", Table::Align::left}, {"kept"}, {"dropped"}};
  for (const std::string_view name : kClassNames) columns.push_back({std::string(name)});
  Table table(std::move(columns));
  for (std::size_t mode = 0; mode < label_modes().size(); ++mode) {
    if (mode > 0) table.add_gap();
    for (std::size_t split = 0; split < found.splits.size(); ++split) {
      const ModeStatistics& counts = found.splits[split].modes[mode];
      std::vector<std::string> cells = {std::string(label_modes()[mode].name), name_of(split),
                                        grouped(counts.kept), grouped(counts.dropped)};
      for (const std::size_t count : counts.per_class) cells.push_back(grouped(count));
      table.add_row(std::move(cells));
    }
  }
  return table.to_string();
}

std::string duplicates_table(const DuplicateStatistics& twins) {
  Table table({{"identical images", Table::Align::left}, {""}});
  table.add_row({"groups", grouped(twins.groups)});
  table.add_row({"images in them", grouped(twins.images)});
  table.add_row({"groups across splits", grouped(twins.cross_split_groups)});
  table.add_row({"public images with a twin in train", grouped(twins.public_with_train_twin)});
  table.add_row({"private images with a twin in train", grouped(twins.private_with_train_twin)});
  return table.to_string();
}

int run(const Options& options) {
  apply(options.general);
  const Dataset dataset = load(options.data);
  const DatasetStatistics found = statistics(dataset);
  const std::string text =
      options.json ? to_json(found).dump(2) + '\n'
                   : fmt::format("{}\n\n{}\n{}\n{}", dataset.source, splits_table(found),
                                 modes_table(found), duplicates_table(found.duplicates));
  print(text);
  return kExitSuccess;
}

}  // namespace

Run setup_inspect(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  set_help(app, {.usage = std::string(kDataUsage) + " [--json]",
                 .details =
                     "Images count for the class that has the largest value of their target; where "
                     "classes share it, as all that multi_target admits do, for each. Identical "
                     "images are those equal pixel for pixel; test images with a twin in "
                     "the training split make accuracy look better than it is.",
                 .example = "ferplus inspect --fer fer2013.csv --ferplus fer2013new.csv\n"
                            "ferplus inspect -d faces --json"});
  add_data_options(app, options->data);
  app.add_flag("--json", options->json, "Print JSON, for programs")->group("Output");
  add_general_options(app, options->general);
  return [options] { return run(*options); };
}

}  // namespace ferplus::tool
