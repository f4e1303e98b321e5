#pragma once

#include <string>

namespace ferplus::tool {

// Version, compiler, instruction sets and libraries, a line each; what --version prints and bug
// reports should quote.
std::string version_text();

// The version alone: "0.1.0".
std::string version_number();

}  // namespace ferplus::tool
