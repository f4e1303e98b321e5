// One row of fer2013.csv, read at the speed of memory or, failing that, explained.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <ferplus/data/fer_csv.h>

#include "data/csv_text.h"

namespace ferplus {

// Reads a row in its usual form: digits, a comma, kFerPixels numbers from 0 to 255 of at most three
// digits between single spaces, a comma and the usage. Returns false, with `pixels` in any state,
// for every other row, be it right or wrong: ask read_row. `line` has no line feed; `readable`
// bytes may be read from its beginning.
bool read_usual_row(std::string_view line, std::size_t readable, Split usage,
                    std::span<std::uint8_t> pixels);

// Any row: fields may be quoted and numbers separated by several spaces. Returns what is wrong, or
// an empty text.
std::string read_row(std::string_view line, CsvFields& fields, Split& usage,
                     std::span<std::uint8_t> pixels);

// The split of a usage_name.
bool parse_usage(std::string_view text, Split& usage);
std::string unknown_usage(std::string_view text);

}  // namespace ferplus
