// A fingerprint for telling whether bytes changed by accident. Not for security.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace ferplus {

// FNV-1a (Fowler, Noll, Vo) with 64 bits, over little-endian 64-bit words instead of bytes; the
// last word of each update is padded with zeros and each update adds its length, so that the cut
// between two updates counts.
class Fingerprint {
 public:
  void update(std::span<const std::byte> bytes) {
    add(bytes.size());
    for (; bytes.size() >= sizeof(std::uint64_t); bytes = bytes.subspan(sizeof(std::uint64_t))) {
      std::uint64_t word;
      std::memcpy(&word, bytes.data(), sizeof word);
      add(word);
    }
    if (bytes.empty()) return;
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), bytes.size());
    add(word);
  }
  void update(std::string_view text) { update(std::as_bytes(std::span(text))); }

  // 16 hexadecimal digits.
  std::string text() const {
    std::string digits;
    for (int shift = 60; shift >= 0; shift -= 4) digits += "0123456789abcdef"[hash_ >> shift & 15];
    return digits;
  }

 private:
  void add(std::uint64_t word) { hash_ = (hash_ ^ word) * 0x100000001b3; }
  std::uint64_t hash_ = 0xcbf29ce484222325;
};

}  // namespace ferplus
