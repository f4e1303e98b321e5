#include "compute_options.h"

#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ferplus/kernels/conv2d.h>

#include "validators.h"

namespace ferplus::tool {
namespace {

constexpr const char* kGroup = "How to compute";

std::vector<std::string> algorithm_names() {
  std::vector<std::string> names = {"auto"};
  for (const ConvAlgorithm& algorithm : conv_algorithms()) names.emplace_back(algorithm.name);
  return names;
}

}  // namespace

CLI::Option* add_algorithm_option(CLI::App& app, std::string& name, const char* group) {
  return app
      .add_option("--algorithm", name,
                  fmt::format("Algorithm of convolutions, where it can run, else the next that "
                              "can: {}. auto takes the fastest by the built-in table [auto]",
                              fmt::join(algorithm_names(), ", ")))
      ->type_name("NAME")
      ->check(one_of("algorithm", algorithm_names()))
      ->group(group);
}

void add_compute_options(CLI::App& app, ComputeOptions& options) {
  add_algorithm_option(app, options.algorithm, kGroup);
  app.add_option("--precision", options.precision,
                 "fp32, or bf16: operands of convolutions and dense layers rounded to bfloat16, "
                 "sums in float. Half the weights to read, and faster where the CPU multiplies "
                 "bfloat16 (ferplus info --algorithms says so); probabilities change slightly, "
                 "predictions rarely")
      ->type_name("NAME")
      ->check(one_of("precision", {"fp32", "bf16"}))
      ->capture_default_str()
      ->group(kGroup);
}

Precision apply(const ComputeOptions& options) {
  set_conv_algorithm(options.algorithm);
  return precision_from_name(options.precision);
}

}  // namespace ferplus::tool
