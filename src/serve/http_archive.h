// A zip file in memory.
#pragma once

#include <span>
#include <string>
#include <utility>

namespace ferplus::serve {

// (name, contents) each, not compressed: weights do not shrink. Throws Error.
std::string zip_archive(std::span<const std::pair<std::string, std::string>> files);

}  // namespace ferplus::serve
