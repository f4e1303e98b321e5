// Help texts: usage, options in named groups, an example; wrapped to the terminal.
#pragma once

#include <string>

#include <CLI/CLI.hpp>

namespace ferplus::tool {

// Heading of the options that every command has; printed after all other groups.
inline constexpr const char* kGeneralGroup = "General";

struct HelpText {
  std::string usage{};    // what follows the command's name: "-o DIR [--count N]"
  std::string details{};  // a paragraph or more below the summary; may be empty
  std::string example{};  // whole command lines
};

// Sets -h,--help of `app` and the look of its text. The summary is the app's description.
void set_help(CLI::App& app, HelpText text);

// Lines of at most `width` characters, broken at blanks, each begun with `indent` blanks; the
// text's own line breaks stay.
std::string wrapped(const std::string& text, std::size_t width, std::size_t indent);

}  // namespace ferplus::tool
