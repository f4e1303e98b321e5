#include "core/json_text.h"

#include <nlohmann/json.hpp>

namespace ferplus {

std::string quoted(const nlohmann::json& value) {
  constexpr std::size_t kLongest = 80;
  if (value.is_structured()) return value.type_name();
  std::string text = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (text.size() <= kLongest) return text;
  std::size_t end = kLongest;
  const auto continues = [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
  };
  while (continues(text[end])) --end;  // to the begin of a character
  return text.substr(0, end) + "…";
}

}  // namespace ferplus
