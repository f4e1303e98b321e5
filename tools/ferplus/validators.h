// Checks of option values that say what is allowed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace ferplus::tool {

// A decimal whole number from `least` to `most`.
CLI::Validator whole_number(std::int64_t least, std::int64_t most);
// One of `names`; the error names the nearest and all. `kind` is what they are, "split" say.
CLI::Validator one_of(std::string kind, std::vector<std::string> names);
// One of the label modes (data/label_mode.h).
CLI::Validator label_mode_name();

// Throws Error if `path` is a file already, unless `force`d.
void refuse_existing(const std::filesystem::path& path, bool force);

// "majority, probability, …" for a help text: the names of all label modes.
std::string label_mode_list();

}  // namespace ferplus::tool
