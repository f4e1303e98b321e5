// JSON that others wrote, quoted in messages.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

namespace ferplus {

// A scalar as it stands in the file, cut to some 80 bytes; of an array or an object that word
// alone, because json::dump recurses and so overflows the stack on deep nesting.
std::string quoted(const nlohmann::json& value);

}  // namespace ferplus
