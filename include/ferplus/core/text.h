// Text for people to read; numbers the same in every locale.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ferplus {

// 0.5, 2 digits → "0.50"; what is not finite as "nan" or "inf".
std::string fixed(double value, int digits);

// 28709 → "28,709".
std::string grouped(std::uint64_t number);

// 0.5 → "50.00 %".
std::string percent(double share, int digits = 2);

// 0.5, 0.75 → "50.00 to 75.00 %".
std::string percents(double low, double high);

// Control characters, which terminals obey and lines break at, as question marks: those of ASCII,
// and U+0080 to U+009F of UTF-8.
std::string harmless(std::string_view text);

}  // namespace ferplus
