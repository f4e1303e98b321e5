// From the words of a command line to what is to be run.
#pragma once

#include <string>
#include <vector>

#include "commands.h"

namespace ferplus::tool {

// `arguments` without the program's name. --help, --version and `help COMMAND` are a Run that
// prints. Throws UsageError: unknown commands, options and values with the nearest known ones,
// missing or repeated options, values out of range.
Run parse_command_line(std::vector<std::string> arguments);

}  // namespace ferplus::tool
