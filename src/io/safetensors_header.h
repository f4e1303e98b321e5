// The JSON header of a safetensors file, before its offsets are checked against the data.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ferplus/io/safetensors.h>

namespace ferplus {

struct TensorEntry {
  std::string name;
  std::optional<DType> type;
  std::optional<std::vector<std::int64_t>> shape;
  std::optional<std::array<std::uint64_t, 2>> offsets;  // first byte, one past the last
};

struct SafetensorsHeader {
  std::vector<TensorEntry> tensors;  // every entry has all three; in the order of the file
  std::map<std::string, std::string> metadata;
};

// Throws Error that begins with `file`. Memory stays within a small multiple of text.size().
SafetensorsHeader parse_safetensors_header(std::string_view text, const std::string& file);

// `text` in single quotes for a message: control and non-ASCII bytes as \xNN, cut when long.
std::string printable(std::string_view text);

}  // namespace ferplus
