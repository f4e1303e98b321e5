#include <filesystem>
#include <memory>

#include <ferplus/data/folder.h>

#include "commands.h"
#include "data_options.h"
#include "general_options.h"
#include "help.h"
#include "progress.h"

namespace ferplus::tool {
namespace {

struct Options {
  DataOptions data;
  std::filesystem::path output;
  bool force = false;
  GeneralOptions general;
};

int run(const Options& options) {
  apply(options.general);
  const Dataset dataset = load(options.data);
  ProgressBar bar({.label = "prepare",
                   .total = dataset.samples.size(),
                   .unit = "images",
                   .quiet = options.general.quiet});
  write_folders(dataset, options.output, options.force,
                [&](std::size_t done, std::size_t) { bar.update(done); });
  bar.finish();
  return kExitSuccess;
}

}  // namespace

Run setup_prepare(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  set_help(app, {.usage = "--fer F --ferplus G -d DIR [--force]",
                 .details = "Writes the folders FER2013Train, FER2013Valid and FER2013Test of the "
                            "reference implementation. Rows without an image name are left out; a "
                            "name used twice is written as name_rowN.png.",
                 .example = "ferplus prepare --fer fer2013.csv --ferplus fer2013new.csv -d faces"});
  add_csv_options(app, options->data);
  app.add_option("-d,--data", options->output, "Folder to write; created if missing")
      ->type_name("DIR")
      ->required();
  app.add_flag("--force", options->force, "Replace the label.csv files that are there");
  add_general_options(app, options->general);
  return [options] { return run(*options); };
}

}  // namespace ferplus::tool
