#include "general_options.h"

#include <ferplus/core/parallel.h>

#include "help.h"
#include "validators.h"

namespace ferplus::tool {
namespace {

constexpr int kMostThreads = 1024;

}  // namespace

void add_general_options(CLI::App& app, GeneralOptions& options) {
  app.add_option("-t,--threads", options.threads,
                 "Threads; results do not depend on it (default: one per processor)")
      ->type_name("T")
      ->check(whole_number(1, kMostThreads))
      ->group(kGeneralGroup);
  app.add_flag("-q,--quiet", options.quiet, "No progress and no notes, errors only")
      ->group(kGeneralGroup);
}

void apply(const GeneralOptions& options) {
  if (options.threads > 0) set_thread_count(options.threads);
}

}  // namespace ferplus::tool
