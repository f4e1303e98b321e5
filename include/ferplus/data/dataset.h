// Faces with their votes, in memory: what the CSV and folder loaders produce and everything else
// reads.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <ferplus/data/label_mode.h>
#include <ferplus/io/image.h>

namespace ferplus {

// FER2013's Usage column: Training, PublicTest, PrivateTest.
enum class Split : std::uint8_t { train, public_test, private_test };
inline constexpr int kSplits = 3;
// "train", "public", "private", as commands spell them. split_from_name throws UsageError.
std::string_view split_name(Split split);
Split split_from_name(std::string_view name);
// "Training", "PublicTest", "PrivateTest", as the CSVs spell them.
std::string_view usage_name(Split split);

// One row of the data. A row whose image name is empty (not a face) has no image in FER+: it is
// counted in Dataset::rows, but is not a sample.
struct Sample {
  // Counted from 0 over the CSV, or over the folders' label.csv in split order. For messages: rows
  // without an image count in a CSV but are not in the folders made from it.
  std::size_t row = 0;
  // What random draws are keyed by: counted from 0 over the samples of its split, so that it is
  // equal for a CSV and the folders made from it.
  std::uint32_t draw_key = 0;
  Split split = Split::train;
  std::string name;
  Rectangle face;
  Votes votes{};
  // Into Dataset::pixels.
  std::size_t pixel_offset = 0;
  int width = 0, height = 0;
};

struct Dataset {
  std::vector<Sample> samples;              // in row order
  std::vector<std::uint8_t> pixels;         // of all samples, one image after another
  std::array<std::size_t, kSplits> rows{};  // per split, rows without an image included
  std::string source;                       // what was loaded, for messages: the paths

  ImageView image(const Sample& sample) const {
    return {pixels.data() + sample.pixel_offset, sample.width, sample.height};
  }
};

}  // namespace ferplus
