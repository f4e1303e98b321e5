#include "command_line.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ferplus/core/error.h>
#include <ferplus/core/names.h>

#include "help.h"
#include "output.h"
#include "version.h"

namespace ferplus::tool {
namespace {

bool is_option(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

// Every option of `app` as it is typed; valid as long as `app`.
std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options([](const CLI::Option*) { return true; })) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::vector<std::string_view> command_names() {
  std::vector<std::string_view> names;
  for (const Command& command : commands()) names.push_back(command.name);
  return names;
}

// The known names that `word` may stand for: those it begins, or else those few edits away.
std::vector<std::string_view> meant(std::string_view word,
                                    const std::vector<std::string_view>& known) {
  std::vector<std::string_view> names;
  for (const std::string_view name : known) {
    if (name.starts_with(word)) names.push_back(name);
  }
  return names.empty() ? nearest_names(word, known) : names;
}

std::string unknown_option(const std::string& word, const std::vector<std::string>& known,
                           const std::string& program) {
  const std::string name = word.substr(0, word.find('='));
  const auto near = meant(name, {known.begin(), known.end()});
  return near.empty()
             ? fmt::format("unknown option {}; see {} --help", name, program)
             : fmt::format("unknown option {}; did you mean {}?", name, fmt::join(near, " or "));
}

std::string unknown_command(const std::string& word) {
  const auto known = command_names();
  const auto near = meant(word, known);
  return near.empty()
             ? fmt::format("unknown command '{}'; there are {}", word, fmt::join(known, ", "))
             : fmt::format("unknown command '{}'; did you mean {}?", word, fmt::join(near, " or "));
}

// What is left of the command line that nothing took, if anything.
std::string explain_extras(const CLI::App& root, const CLI::App* command,
                           const std::vector<std::string>& arguments) {
  const std::vector<std::string> before = root.remaining();
  if (command == nullptr) {
    if (before.empty()) return {};
    const std::string& word = before.front();
    return is_option(word) ? unknown_option(word, option_names(root), "ferplus")
                           : unknown_command(word);
  }
  const std::string program = "ferplus " + command->get_name();
  const std::vector<std::string> known = option_names(*command);
  for (const std::string& word : arguments) {
    // CLI11 reads -mode as -m with the value "ode".
    const bool one_dash = is_option(word) && word[1] != '-' && word.size() > 2;
    if (one_dash && std::find(known.begin(), known.end(), '-' + word) != known.end()) {
      return fmt::format("unknown option {0}; did you mean -{0}?", word);
    }
  }
  if (!before.empty()) {
    return fmt::format("'{}' stands before the command; write it after {}", before.front(),
                       program);
  }
  const std::vector<std::string> after = command->remaining();
  if (after.empty()) return {};
  const auto option = std::find_if(after.begin(), after.end(), is_option);
  if (option != after.end()) return unknown_option(*option, known, program);
  return fmt::format("unexpected argument '{}'; see {} --help", after.front(), program);
}

// CLI11's sentences in this program's words.
std::string explain(const CLI::ParseError& error, const CLI::App& app) {
  const std::string text = error.what();
  std::string name = text.substr(0, text.find_first_of(": "));
  const CLI::Option* option = app.get_option_no_throw(name);
  if (option != nullptr && option->get_positional()) name = option->get_type_name();
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    return fmt::format("{} is missing", name);
  }
  if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr) {
    if (text.find("At Most") != std::string::npos) {
      return fmt::format("{} is given more than once", name);
    }
    return fmt::format("{} needs a value", name);
  }
  if (dynamic_cast<const CLI::ExcludesError*>(&error) != nullptr) {
    const std::string other = text.substr(text.rfind(' ') + 1);
    return fmt::format("{} and {} exclude each other", name, other);
  }
  return text;
}

}  // namespace

Run parse_command_line(std::vector<std::string> arguments) {
  if (!arguments.empty() && arguments.front() == "help") {
    arguments.erase(arguments.begin());
    arguments.insert(arguments.begin() + (arguments.empty() ? 0 : 1), "--help");
  }
  const bool nothing = arguments.empty();

  const auto root = std::make_shared<CLI::App>(
      "Facial expressions from crowd votes: FER+ data, training and prediction", "ferplus");
  set_help(*root, {.usage = "COMMAND [OPTIONS]",
                   .details = "\"ferplus COMMAND --help\" explains a command.",
                   .example = "ferplus synth -o faces --count 2000\n"
                              "ferplus inspect --fer faces/fer2013.csv "
                              "--ferplus faces/fer2013new.csv"});
  root->set_version_flag("--version", version_text,
                         "Show version, compiler, instruction sets and libraries")
      ->group(kGeneralGroup);
  root->require_subcommand(1);
  std::map<const CLI::App*, Run> runs;
  for (const Command& command : commands()) {
    CLI::App* app = root->add_subcommand(std::string(command.name), std::string(command.summary));
    runs[app] = command.setup(*app);
  }
  if (nothing) {
    return [root] {
      const std::string help = root->help();
      std::fwrite(help.data(), 1, help.size(), stderr);
      return kExitUsage;
    };
  }

  const auto parsed_command = [&]() -> const CLI::App* {
    const auto parsed = root->get_subcommands();
    return parsed.empty() ? nullptr : parsed.front();
  };
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
    root->parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    if (parsed_command() == nullptr) {
      const std::string extras = explain_extras(*root, nullptr, arguments);
      if (!extras.empty()) throw UsageError(extras);
    }
    const CLI::App* app = parsed_command() == nullptr ? root.get() : parsed_command();
    return [root, app] { return print(app->help()), kExitSuccess; };
  } catch (const CLI::CallForVersion& version) {
    return [text = std::string(version.what())] { return print(text), kExitSuccess; };
  } catch (const CLI::ParseError& error) {
    const CLI::App* command = parsed_command();
    const std::string extras = explain_extras(*root, command, arguments);
    throw UsageError(extras.empty() ? explain(error, command == nullptr ? *root : *command)
                                    : extras);
  }
  // A command may ask its App which options were given: it lives as long as the Run.
  return [root, run = runs.at(parsed_command())] { return run(); };
}

}  // namespace ferplus::tool
