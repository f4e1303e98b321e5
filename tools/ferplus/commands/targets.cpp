#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include <ferplus/data/csv.h>
#include <ferplus/data/fer_csv.h>
#include <ferplus/data/label_mode.h>
#include <ferplus/io/file.h>

#include "commands.h"
#include "general_options.h"
#include "help.h"
#include "output.h"
#include "table.h"
#include "validators.h"

namespace ferplus::tool {
namespace {

struct Options {
  std::filesystem::path ferplus, output;
  std::string mode;
  GeneralOptions general;
};

constexpr std::string_view kHeader = "row,usage,image,status,t0,t1,t2,t3,t4,t5,t6,t7\n";
constexpr std::string_view kEmptyTarget = ",,,,,,,,";

void append_row(std::string& text, std::size_t row, const VoteRow& votes,
                const LabelModeInfo& mode) {
  const std::optional<Target> target = votes.name.empty() ? std::nullopt : mode.target(votes.votes);
  const char* status = votes.name.empty() ? "no_image" : target ? "keep" : "drop";
  fmt::format_to(std::back_inserter(text), "{},{},{},{}", row, usage_name(votes.usage),
                 csv_field(votes.name), status);
  if (target) {
    for (const float value : *target) fmt::format_to(std::back_inserter(text), ",{}", value);
  } else {
    text += kEmptyTarget;
  }
  text += '\n';
}

int run(const Options& options) {
  apply(options.general);
  check_outputs({options.output}, {options.ferplus});
  const LabelModeInfo& mode = label_mode(options.mode);
  const std::vector<VoteRow> rows = load_votes(options.ferplus);
  std::string text(kHeader);
  for (std::size_t row = 0; row < rows.size(); ++row) append_row(text, row, rows[row], mode);
  write_output(options.output, [&](std::ostream& out) { out << text; });
  return kExitSuccess;
}

}  // namespace

Run setup_targets(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  set_help(app, {.usage = "--ferplus G -m MODE -o FILE",
                 .details = "Columns: row (from 0), usage, image, status (keep, drop or no_image) "
                            "and the eight target values t0 to t7, empty where there is no target. "
                            "No pixels are needed.",
                 .example = "ferplus targets --ferplus fer2013new.csv -m crossentropy "
                            "-o targets.csv"});
  app.add_option("--ferplus", options->ferplus, "fer2013new.csv: the votes")
      ->type_name("FILE")
      ->required();
  app.add_option("-m,--mode", options->mode, "How votes become a target: " + label_mode_list())
      ->type_name("MODE")
      ->check(label_mode_name())
      ->required();
  app.add_option("-o,--output", options->output, "CSV to write, - for standard output")
      ->type_name("FILE")
      ->required();
  add_general_options(app, options->general);
  return [options] { return run(*options); };
}

}  // namespace ferplus::tool
