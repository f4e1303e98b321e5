// How the products of a network are computed: options of the commands that run one.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

#include <ferplus/kernels/precision.h>

namespace ferplus::tool {

// --algorithm in `group`. `name` must outlive the parsing.
CLI::Option* add_algorithm_option(CLI::App& app, std::string& name, const char* group);

struct ComputeOptions {
  std::string algorithm = "auto", precision = "fp32";
};

// --algorithm and --precision in a group of their own, for commands that use trained models.
// `options` must outlive the parsing.
void add_compute_options(CLI::App& app, ComputeOptions& options);

// Sets the process's convolution algorithm; to be called before models are prepared. Returns what
// to prepare them for.
Precision apply(const ComputeOptions& options);

}  // namespace ferplus::tool
