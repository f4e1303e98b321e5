#include "data/pixel_row.h"

#include <bit>
#include <cstring>

#include <ferplus/core/error.h>

namespace ferplus {
namespace {

std::uint64_t load_little_endian(const char* from) {
  std::uint64_t word;
  std::memcpy(&word, from, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

// The number whose one to three digits (as values) are the top bytes of `digits`, the ones topmost,
// modulo 256. The products that would carry into the result's byte lie above it.
std::uint8_t number_from_digits(std::uint64_t digits) {
  const std::uint64_t hundreds_tens_ones = digits >> 40;
  return static_cast<std::uint8_t>((hundreds_tens_ones * 0x640A01) >> 16);
}

// Whether those digits make more than 255. Most significant digit first, digits compare as numbers.
std::uint64_t exceeds_byte(std::uint64_t digits) {
  return (__builtin_bswap64(digits) & 0xFFFFFF) > 0x020505 ? 1 : 0;
}

}  // namespace

bool parse_usage(std::string_view text, Split& usage) {
  for (int i = 0; i < kSplits; ++i) {
    if (text != usage_name(static_cast<Split>(i))) continue;
    usage = static_cast<Split>(i);
    return true;
  }
  return false;
}

std::string unknown_usage(std::string_view text) {
  return concat("unknown usage ", shown(text), ", expected Training, PublicTest or PrivateTest");
}

// Eight bytes hold two numbers with the separators after them, so a load serves two pixels. With
// '0' taken away by exclusive or, a byte is a digit if both it and its sum with 6 are below 16. A
// sum may carry into the next byte, but only out of a byte that is neither digit nor space, which
// is noticed first. What is wrong is collected and looked at once, after the row: such rows are
// read again by read_row, which knows why.
bool read_usual_row(std::string_view line, std::size_t readable, Split usage,
                    std::span<std::uint8_t> pixels) {
  constexpr std::uint64_t kEachByte = 0x0101010101010101;
  constexpr std::uint64_t kSpace = ' ' ^ '0', kComma = ',' ^ '0';
  const std::size_t comma = line.substr(0, 4).find(',');
  if (comma == std::string_view::npos || !parse_number(line.substr(0, comma), 255)) return false;
  if (readable < comma + 9) return false;
  const char* from = line.data() + comma + 1;
  const char* const last_load = line.data() + readable - 8;
  std::uint64_t wrong = 0;
  for (std::size_t i = 0; i < kFerPixels; i += 2) {
    if (from > last_load) return false;
    const std::uint64_t word = load_little_endian(from) ^ (kEachByte * '0');
    const std::uint64_t others = ((word + kEachByte * 6) | word) & (kEachByte * 0xF0);
    // In bits, of the first two bytes that are no digits; 0 if there is none. A space sets one bit.
    const unsigned first = static_cast<unsigned>(std::countr_zero(others)) & 0x38;
    const unsigned second = static_cast<unsigned>(std::countr_zero(others & (others - 1))) & 0x38;
    const unsigned second_length = second - first - 8;
    const std::uint64_t a = word << ((64 - first) & 63);
    const std::uint64_t b = (word >> ((first + 8) & 63)) << ((64 - second_length) & 63);
    const std::uint64_t last_separator = i + 2 == kFerPixels ? kComma : kSpace;
    const bool lengths_wrong = first - 8 > 16 || second_length - 8 > 16;
    wrong |= (lengths_wrong ? 1 : 0) | exceeds_byte(a) | exceeds_byte(b) |
             (((word >> first) & 0xFF) ^ kSpace) | (((word >> second) & 0xFF) ^ last_separator);
    pixels[i] = number_from_digits(a);
    pixels[i + 1] = number_from_digits(b);
    from += second / 8 + 1;
  }
  if (wrong != 0) return false;
  const auto read = static_cast<std::size_t>(from - line.data());
  return strip(line.substr(read)) == usage_name(usage);
}

std::string read_row(std::string_view line, CsvFields& fields, Split& usage,
                     std::span<std::uint8_t> pixels) {
  if (strip(line).empty()) return "blank line between rows";
  if (std::string problem = fields.split(line); !problem.empty()) return problem;
  if (fields.size() != 3) {
    return concat("expected 3 columns (emotion,pixels,Usage), got ", fields.size());
  }
  if (!parse_number(fields[0], 255)) {
    return concat("emotion is ", shown(fields[0]), ", not a whole number from 0 to 255");
  }
  std::string_view rest = fields[1];
  std::string first_problem;
  std::size_t count = 0;
  for (;; ++count) {
    rest = strip(rest);
    if (rest.empty()) break;
    const std::string_view number = rest.substr(0, rest.find_first_of(" \t"));
    rest.remove_prefix(number.size());
    const std::optional<int> value = parse_number(number, 255);
    if (!value && first_problem.empty()) {
      first_problem =
          concat("pixel ", count + 1, " is ", shown(number), ", not a whole number from 0 to 255");
    }
    if (value && count < kFerPixels) pixels[count] = static_cast<std::uint8_t>(*value);
  }
  if (!first_problem.empty()) return first_problem;
  if (count != kFerPixels) {
    return concat("expected ", kFerPixels, " pixels (", kFerSide, "x", kFerSide, "), got ", count);
  }
  return parse_usage(fields[2], usage) ? std::string() : unknown_usage(fields[2]);
}

}  // namespace ferplus
