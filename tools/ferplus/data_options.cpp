#include "data_options.h"

#include <ferplus/core/error.h>
#include <ferplus/data/fer_csv.h>
#include <ferplus/data/folder.h>
#include <ferplus/io/file.h>

namespace ferplus::tool {
namespace {

constexpr const char* kGroup = "Data, as two CSVs or as folders";

CLI::Option* add_fer(CLI::App& app, DataOptions& options) {
  return app.add_option("--fer", options.fer, "fer2013.csv: the pixels")->type_name("FILE");
}

CLI::Option* add_ferplus(CLI::App& app, DataOptions& options) {
  return app.add_option("--ferplus", options.ferplus, "fer2013new.csv: the votes")
      ->type_name("FILE");
}

}  // namespace

std::string absolute_text(const std::filesystem::path& path) {
  return path.empty() ? std::string() : absolute_path(path).string();
}

void set_data(RunConfig& config, const DataOptions& options) {
  if (options.fer.empty() && options.ferplus.empty() && options.folders.empty()) return;
  config.fer = absolute_text(options.fer);
  config.ferplus = absolute_text(options.ferplus);
  config.folders = absolute_text(options.folders);
}

DataOptions data_of(const RunConfig& config) {
  return {.fer = config.fer, .ferplus = config.ferplus, .folders = config.folders};
}

void add_data_options(CLI::App& app, DataOptions& options) {
  add_fer(app, options)->group(kGroup);
  add_ferplus(app, options)->group(kGroup);
  app.add_option("-d,--data", options.folders,
                 "Folder with FER2013Train, FER2013Valid or FER2013Test, each with PNG images and "
                 "a label.csv")
      ->type_name("DIR")
      ->group(kGroup);
}

void add_csv_options(CLI::App& app, DataOptions& options) {
  add_fer(app, options)->required();
  add_ferplus(app, options)->required();
}

void check(const DataOptions& options) {
  const bool fer = !options.fer.empty(), ferplus = !options.ferplus.empty();
  if (!options.folders.empty()) {
    if (fer || ferplus) {
      throw UsageError(concat("-d and ", fer ? "--fer" : "--ferplus",
                              " exclude each other: give the folders or the two CSVs"));
    }
    return;
  }
  if (!fer && !ferplus) {
    throw UsageError("no data: give --fer and --ferplus, or -d");
  }
  if (!ferplus) throw UsageError("--fer has the pixels only; it needs --ferplus, the votes");
  if (!fer) throw UsageError("--ferplus has the votes only; it needs --fer, the pixels");
}

Dataset load(const DataOptions& options) {
  check(options);
  return options.folders.empty() ? load_fer_csv(options.fer, options.ferplus)
                                 : load_folders(options.folders);
}

}  // namespace ferplus::tool
