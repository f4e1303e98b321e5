// Writing CSV.
#pragma once

#include <string>

namespace ferplus {

// The text as one field (RFC 4180): in quotes where commas, quotes, line breaks or spaces at its
// ends would otherwise be lost.
std::string csv_field(const std::string& text);

}  // namespace ferplus
