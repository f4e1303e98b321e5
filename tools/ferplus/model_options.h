// What the commands that train or use models share.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace ferplus::tool {

std::vector<std::string> network_names();
std::vector<std::string> recipe_names();
// For help texts: "vgg13, vgg13_bn, vgg_mini".
std::string network_list();
std::string recipe_list();

// --model, required. `path` must outlive the parsing.
void add_model_option(CLI::App& app, std::filesystem::path& path);
// The same, to be given once or more.
void add_models_option(CLI::App& app, std::vector<std::filesystem::path>& paths);

}  // namespace ferplus::tool
