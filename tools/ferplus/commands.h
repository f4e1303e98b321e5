// The subcommands of `ferplus`, in the order in which help lists them.
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include <CLI/CLI.hpp>

namespace ferplus::tool {

// What is left to do once the command line is understood. Returns the exit code; errors are thrown
// (core/error.h) and mapped in main.cpp.
using Run = std::function<int()>;

inline constexpr int kExitSuccess = 0, kExitFailure = 1, kExitUsage = 2;

struct Command {
  std::string_view name;
  std::string_view summary;  // one line
  // Adds the command's options and help to `app`. The Run reads what the options were set to.
  Run (*setup)(CLI::App& app);
};

// To add a command: its file in commands/, its declaration here and its row in commands.cpp.
std::span<const Command> commands();

Run setup_prepare(CLI::App& app);
Run setup_synth(CLI::App& app);
Run setup_inspect(CLI::App& app);
Run setup_targets(CLI::App& app);
Run setup_train(CLI::App& app);
Run setup_sweep(CLI::App& app);
Run setup_evaluate(CLI::App& app);
Run setup_calibrate(CLI::App& app);
Run setup_report(CLI::App& app);
Run setup_predict(CLI::App& app);
Run setup_serve(CLI::App& app);
Run setup_doctor(CLI::App& app);
Run setup_info(CLI::App& app);
Run setup_export(CLI::App& app);
Run setup_import(CLI::App& app);

}  // namespace ferplus::tool
