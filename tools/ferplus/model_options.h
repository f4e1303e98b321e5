// What the commands that train or use models share.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "general_options.h"

namespace ferplus::tool {

// By which a file's name says what it holds.
inline constexpr const char* kModelExtension = ".safetensors";
inline constexpr const char* kOnnxExtension = ".onnx";

std::vector<std::string> network_names();
std::vector<std::string> recipe_names();
// For help texts: "vgg13, vgg13_bn, vgg_mini".
std::string network_list();
std::string recipe_list();

// --model. `path` must outlive the parsing; it stays empty if nothing is given.
CLI::Option* add_model_option(CLI::App& app, std::filesystem::path& path);
// The same, to be given once or more.
void add_models_option(CLI::App& app, std::vector<std::filesystem::path>& paths);

// `path`, or if it is empty the bundled model (nn/bundled_model.h), which a line on standard error
// then names unless `general` is quiet. Throws Error if there is none.
std::filesystem::path given_or_bundled(const std::filesystem::path& path,
                                       const GeneralOptions& general);
// The same, but nothing if there is none.
std::optional<std::filesystem::path> given_or_bundled_if_any(const std::filesystem::path& path,
                                                             const GeneralOptions& general);

}  // namespace ferplus::tool
