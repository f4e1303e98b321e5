#include <array>
#include <charconv>

#include <ferplus/core/text.h>

namespace ferplus {

std::string fixed(double value, int digits) {
  constexpr std::size_t kLongest = 400;  // 309 digits of the largest double, and the decimals
  std::array<char, kLongest> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                 std::chars_format::fixed, digits);
  return {text.data(), end.ptr};
}

std::string grouped(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t place = digits.size(); place > 3;) {
    place -= 3;
    digits.insert(place, 1, ',');
  }
  return digits;
}

std::string percent(double share, int digits) { return fixed(100 * share, digits) + " %"; }

std::string percents(double low, double high) {
  return fixed(100 * low, 2) + " to " + percent(high);
}

std::string harmless(std::string_view text) {
  std::string safe;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (byte == 0xC2 && next >= 0x80 && next <= 0x9F) {
      safe += '?';
      ++i;
    } else {
      safe += byte < ' ' || byte == 0x7F ? '?' : text[i];
    }
  }
  return safe;
}

}  // namespace ferplus
