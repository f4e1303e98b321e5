#include "help.h"

#include <algorithm>
#include <memory>
#include <sstream>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <unistd.h>

#include "table.h"
#include "terminal.h"

namespace ferplus::tool {
namespace {

constexpr std::size_t kNarrowest = 40, kUsual = 80, kWidest = 100;
constexpr std::size_t kIndent = 2;
constexpr std::size_t kWidestFirstColumn = 30;

struct Entry {
  std::string name, description;
};

// "-m, --mode MODE", or "IMAGE" for an argument.
std::string left_column(const CLI::Option& option) {
  if (option.get_positional()) return option.get_type_name();
  std::string name;
  for (const std::string& letter : option.get_snames()) name += fmt::format("-{}, ", letter);
  if (name.empty()) name = "    ";
  for (const std::string& word : option.get_lnames()) name += fmt::format("--{}, ", word);
  name.resize(name.size() - 2);
  const bool takes_value = option.get_items_expected_max() > 0;
  return takes_value ? fmt::format("{} {}", name, option.get_type_name()) : name;
}

std::string right_column(const CLI::Option& option) {
  std::string text = option.get_description();
  if (option.get_required()) text += " (required)";
  if (!option.get_default_str().empty()) {
    text += fmt::format(" (default: {})", option.get_default_str());
  }
  return text;
}

class HelpFormatter final : public CLI::FormatterBase {
 public:
  explicit HelpFormatter(HelpText text) : text_(std::move(text)) {}

  std::string make_help(const CLI::App* app, std::string /*name*/,
                        CLI::AppFormatMode /*mode*/) const override {
    const std::size_t width = std::clamp(
        static_cast<std::size_t>(terminal_width(STDOUT_FILENO, kUsual)), kNarrowest, kWidest);
    std::string program = app->get_name();
    for (const CLI::App* parent = app->get_parent(); parent != nullptr;
         parent = parent->get_parent()) {
      program = parent->get_name() + ' ' + program;
    }
    std::string out = wrapped(app->get_description(), width, 0);
    out += "\nUsage:\n" + wrapped(fmt::format("{} {}", program, text_.usage), width, kIndent);
    if (!text_.details.empty()) out += '\n' + wrapped(text_.details, width, 0);
    for (const auto& [title, entries] : groups(*app)) {
      out += fmt::format("\n{}:\n{}", title, columns(entries, width));
    }
    out += "\nExample:\n";
    std::istringstream lines(text_.example);
    for (std::string line; std::getline(lines, line);)
      out += std::string(kIndent, ' ') + line + '\n';
    return out;
  }

 private:
  using Group = std::pair<std::string, std::vector<Entry>>;

  static std::vector<Group> groups(const CLI::App& app) {
    std::vector<Group> found;
    const auto add = [&](const std::string& title, Entry entry) {
      auto group = std::find_if(found.begin(), found.end(),
                                [&](const Group& known) { return known.first == title; });
      if (group == found.end()) group = found.insert(found.end(), Group{title, {}});
      group->second.push_back(std::move(entry));
    };
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
      add("Commands", {command->get_name(), command->get_description()});
    }
    for (const CLI::Option* option : app.get_options([](const CLI::Option*) { return true; })) {
      if (option->get_group().empty()) continue;
      const std::string title = option->get_positional() ? "Arguments" : option->get_group();
      add(title, {left_column(*option), right_column(*option)});
    }
    std::stable_partition(found.begin(), found.end(),
                          [](const Group& group) { return group.first != kGeneralGroup; });
    return found;
  }

  static std::string columns(const std::vector<Entry>& entries, std::size_t width) {
    std::size_t first = 0;
    for (const Entry& entry : entries) {
      first = std::max(first, display_width(entry.name));
    }
    first = std::min({first, kWidestFirstColumn, width / 2}) + 2 * kIndent;
    std::string out;
    for (const Entry& entry : entries) {
      std::string description = wrapped(entry.description, width, first);
      std::string name = std::string(kIndent, ' ') + entry.name;
      if (display_width(name) + kIndent <= first) {
        description.replace(0, display_width(name), name);
      } else {
        out += name + '\n';
      }
      out += description;
    }
    return out;
  }

  HelpText text_;
};

}  // namespace

std::string wrapped(const std::string& text, std::size_t width, std::size_t indent) {
  std::string out;
  std::istringstream paragraphs(text);
  for (std::string paragraph; std::getline(paragraphs, paragraph);) {
    std::istringstream words(paragraph);
    std::string line;
    const auto flush = [&] {
      if (!line.empty()) out += std::string(indent, ' ') + line;
      out += '\n';
      line.clear();
    };
    for (std::string word; words >> word;) {
      if (!line.empty() && indent + display_width(line) + 1 + display_width(word) > width) flush();
      line += line.empty() ? word : ' ' + word;
    }
    flush();
  }
  return out;
}

void set_help(CLI::App& app, HelpText text) {
  app.formatter(std::make_shared<HelpFormatter>(std::move(text)));
  app.set_help_flag("-h,--help", "Show this text")->group(kGeneralGroup);
}

}  // namespace ferplus::tool
