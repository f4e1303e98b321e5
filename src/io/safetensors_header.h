// The JSON header of a safetensors file, before its offsets are checked against the data.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ferplus/io/safetensors.h>

namespace ferplus {

// Before the header stands its length, little-endian.
inline constexpr std::size_t kLengthBytes = 8;

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

// Product of the shape and the element size; nothing if it does not fit.
std::optional<std::uint64_t> tensor_bytes(DType type, std::span<const std::int64_t> shape);

// For a message: [2,3].
std::string shape_text(std::span<const std::int64_t> shape);

// `text` in single quotes for a message: control and non-ASCII bytes as \xNN, cut when long.
std::string printable(std::string_view text);

}  // namespace ferplus
