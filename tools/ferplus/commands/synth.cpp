#include <filesystem>
#include <limits>
#include <memory>

#include <fmt/format.h>

#include <ferplus/core/error.h>
#include <ferplus/data/synth.h>

#include "commands.h"
#include "general_options.h"
#include "help.h"
#include "table.h"
#include "terminal.h"
#include "validators.h"

namespace ferplus::tool {
namespace {

constexpr std::int64_t kLeastCount = 10;

struct Options {
  SynthOptions synth;
  std::filesystem::path output;
  bool force = false;
  GeneralOptions general;
};

int run(const Options& options) {
  apply(options.general);
  for (const char* name : {"fer2013.csv", "fer2013new.csv"}) {
    refuse_existing(options.output / name, options.force);
  }
  write_synth(options.synth, options.output);
  if (!options.general.quiet) {
    Console::standard_error().line(fmt::format(
        "wrote {} rows: {} and {}", grouped(options.synth.count),
        (options.output / "fer2013.csv").string(), (options.output / "fer2013new.csv").string()));
  }
  return kExitSuccess;
}

}  // namespace

Run setup_synth(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  set_help(app, {.usage = "-o DIR [--count N] [--seed S] [--force]",
                 .details = "Writes fer2013.csv and fer2013new.csv with faces drawn from a seed: "
                            "eight tenths training, one tenth public, one tenth private. Files of "
                            "these names that exist are kept unless --force is given.",
                 .example = "ferplus synth -o faces --count 3500 --seed 1"});
  app.add_option("-o,--output", options->output, "Folder to write; created if missing")
      ->type_name("DIR")
      ->required();
  app.add_option("--count", options->synth.count, "Rows, over all splits")
      ->type_name("N")
      ->check(whole_number(kLeastCount, static_cast<std::int64_t>(kMaxSynthCount)))
      ->capture_default_str();
  app.add_option("--seed", options->synth.seed, "The same seed draws the same faces")
      ->type_name("S")
      ->check(whole_number(0, std::numeric_limits<std::int64_t>::max()))
      ->capture_default_str();
  app.add_flag("--force", options->force, "Replace files of these names");
  add_general_options(app, options->general);
  return [options] { return run(*options); };
}

}  // namespace ferplus::tool
