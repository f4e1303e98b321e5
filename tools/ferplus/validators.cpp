#include "validators.h"

#include <charconv>
#include <cmath>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ferplus/core/error.h>
#include <ferplus/core/names.h>
#include <ferplus/data/label_mode.h>

namespace ferplus::tool {
namespace {

std::vector<std::string> label_mode_names() {
  std::vector<std::string> names;
  for (const LabelModeInfo& mode : label_modes()) names.emplace_back(mode.name);
  return names;
}

template <typename Number>
bool parse(const std::string& text, Number& number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end;
}

}  // namespace

CLI::Validator whole_number(std::int64_t least, std::int64_t most) {
  return CLI::Validator(
      [=](std::string& text) {
        // What reads the option next would take 010 for eight.
        if (text.size() > 1 && text[0] == '0') {
          return fmt::format("expected a number without zeros before it, got '{}'", text);
        }
        std::int64_t number = 0;
        if (parse(text, number) && number >= least && number <= most) return std::string();
        return fmt::format("expected a whole number from {} to {}, got '{}'", least, most, text);
      },
      "");
}

CLI::Validator one_of(std::string kind, std::vector<std::string> names) {
  return CLI::Validator(
      [kind = std::move(kind), names = std::move(names)](std::string& text) {
        for (const std::string& name : names) {
          if (name == text) return std::string();
        }
        return unknown_name(kind, text, {names.begin(), names.end()});
      },
      "");
}

CLI::Validator label_mode_name() { return one_of("mode", label_mode_names()); }

void refuse_existing(const std::filesystem::path& path, bool force) {
  std::error_code ignored;
  if (force || !std::filesystem::is_regular_file(path, ignored)) return;
  throw Error(concat(path.string(), " exists: choose another name, or replace it with --force"));
}

std::string label_mode_list() { return fmt::format("{}", fmt::join(label_mode_names(), ", ")); }

}  // namespace ferplus::tool
