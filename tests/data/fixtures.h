// Small data for tests: CSV texts, a dataset made from them, a folder that goes away.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include <ferplus/core/parallel.h>
#include <ferplus/core/random.h>
#include <ferplus/data/fer_csv.h>

#include "support/temporary_folder.h"
#include "support/threads.h"

namespace ferplus {

inline constexpr const char* kFerHeader = "emotion,pixels,Usage\n";
inline constexpr const char* kVotesHeaderLine =
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n";

struct CsvPair {
  std::string fer = kFerHeader, ferplus = kVotesHeaderLine;
};

// `rows` random rows, the last fifth public, the last tenth private; every ninth has no name. Gray
// values have one, two or three digits, in a mixture that changes from row to row.
inline CsvPair random_csv(std::size_t rows, std::uint64_t seed = 1) {
  CsvPair text;
  for (std::size_t row = 0; row < rows; ++row) {
    RandomSequence random(
        {.seed = seed, .stream = Stream::synth, .sample = static_cast<std::uint32_t>(row)});
    const std::string usage = row >= rows - rows / 10  ? "PrivateTest"
                              : row >= rows - rows / 5 ? "PublicTest"
                                                       : "Training";
    const std::uint32_t values = 1 + random.below(256);
    text.fer += std::to_string(random.below(7)) + ',';
    for (std::size_t i = 0; i < kFerPixels; ++i) {
      text.fer += std::to_string(random.below(values));
      text.fer += i + 1 == kFerPixels ? ',' : ' ';
    }
    text.fer += usage + '\n';
    text.ferplus += usage + ',' + (row % 9 == 4 ? "" : "face" + std::to_string(row) + ".png");
    Votes votes{};
    for (int tagger = 0; tagger < 10; ++tagger) ++votes[random.coin() ? 1 : random.below(10)];
    for (const int vote : votes) text.ferplus += ',' + std::to_string(vote);
    text.ferplus += '\n';
  }
  return text;
}

inline Dataset parse(const CsvPair& text) {
  return parse_fer_csv(text.fer, "fer.csv", text.ferplus, "votes.csv");
}

// All that training sees is equal; `row` and name may differ between a CSV and folders.
inline void expect_equal_samples(const Dataset& a, const Dataset& b) {
  ASSERT_EQ(a.samples.size(), b.samples.size());
  EXPECT_EQ(a.pixels, b.pixels);
  for (std::size_t i = 0; i < a.samples.size(); ++i) {
    const Sample &x = a.samples[i], &y = b.samples[i];
    ASSERT_EQ(x.draw_key, y.draw_key) << i;
    ASSERT_EQ(x.split, y.split) << i;
    ASSERT_EQ(x.face, y.face) << i;
    ASSERT_EQ(x.votes, y.votes) << i;
    ASSERT_EQ(x.pixel_offset, y.pixel_offset) << i;
    ASSERT_EQ(x.width, y.width) << i;
    ASSERT_EQ(x.height, y.height) << i;
  }
}

inline void expect_equal_datasets(const Dataset& a, const Dataset& b) {
  expect_equal_samples(a, b);
  EXPECT_EQ(a.rows, b.rows);
  for (std::size_t i = 0; i < std::min(a.samples.size(), b.samples.size()); ++i) {
    ASSERT_EQ(a.samples[i].row, b.samples[i].row) << i;
    ASSERT_EQ(a.samples[i].name, b.samples[i].name) << i;
  }
}

}  // namespace ferplus
