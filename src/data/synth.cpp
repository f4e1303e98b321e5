#include <algorithm>
#include <ostream>
#include <string>

#include <ferplus/core/error.h>
#include <ferplus/core/parallel.h>
#include <ferplus/data/synth.h>
#include <ferplus/io/file.h>

#include "data/synth_canvas.h"
#include "data/synth_face.h"
#include "data/synth_votes.h"

namespace ferplus {
namespace {

constexpr std::size_t kPixels = std::size_t{kSynthSide} * kSynthSide;
// The classes in FER2013's numbering: anger 0, disgust 1, fear 2, happiness 3, sadness 4, surprise
// 5, neutral 6; it has no contempt.
constexpr std::array<int, kClasses> kFer2013Numbers = {6, 3, 5, 4, 0, 1, 2, 6};

struct Row {
  bool face = true;  // false: no image name
  int emotion = 0;
  Votes votes{};
};

// What the row is, without its pixels; leaves `random` where they are drawn from.
Row draw_row(RandomSequence& random, Portrayal& portrayal) {
  Row row;
  const double kind = random.uniform();
  portrayal = draw_portrayal(random);
  row.emotion = portrayal.emotion;
  row.face = kind >= 0.01;
  if (row.face) {
    row.votes = draw_votes(expected_shares(portrayal), random);
  } else {
    row.votes.back() = kTaggers;
  }
  return row;
}

Row draw_row(std::uint64_t seed, std::size_t number, std::span<std::uint8_t> pixels) {
  RandomSequence random(
      {.seed = seed, .stream = Stream::synth, .sample = static_cast<std::uint32_t>(number)});
  Portrayal portrayal;
  const Row row = draw_row(random, portrayal);
  if (row.face) {
    draw_face(express(portrayal, random), random, pixels);
  } else {
    draw_clutter(random, pixels);
  }
  return row;
}

Split split_of(std::size_t row, std::size_t count) {
  if (row < count * 8 / 10) return Split::train;
  return row < count * 9 / 10 ? Split::public_test : Split::private_test;
}

// As in the real files, the numbers in names leave out the rows without one.
std::string image_name(std::size_t number) {
  const std::string digits = std::to_string(number);
  return concat("fer", std::string(7 - std::min<std::size_t>(7, digits.size()), '0'), digits,
                ".png");
}

void check(const SynthOptions& options) {
  if (options.count < 10 || options.count > kMaxSynthCount) {
    throw UsageError(
        concat("cannot draw ", options.count, " synthetic faces; ask for 10 to ", kMaxSynthCount));
  }
}

// Calls use(number, row, pixels) for all rows in order, drawn in parallel by the block.
template <typename Use>
void for_each_row(const SynthOptions& options, Use&& use) {
  constexpr std::size_t kBlock = 256;
  std::vector<Row> rows(kBlock);
  std::vector<std::uint8_t> pixels(kBlock * kPixels);
  const std::span<std::uint8_t> all(pixels);
  for (std::size_t first = 0; first < options.count; first += kBlock) {
    const std::size_t size = std::min(kBlock, options.count - first);
    parallel_for(static_cast<Index>(size), [&](Index i) {
      const auto k = static_cast<std::size_t>(i);
      rows[k] = draw_row(options.seed, first + k, all.subspan(k * kPixels, kPixels));
    });
    for (std::size_t k = 0; k < size; ++k) {
      use(first + k, rows[k], all.subspan(k * kPixels, kPixels));
    }
  }
}

}  // namespace

Dataset synthesize(const SynthOptions& options) {
  check(options);
  Dataset dataset;
  dataset.source = concat("synthetic faces (count ", options.count, ", seed ", options.seed, ")");
  dataset.pixels.reserve(options.count * kPixels);
  std::array<std::uint32_t, kSplits> index{};
  for_each_row(options, [&](std::size_t number, const Row& row, std::span<std::uint8_t> pixels) {
    const Split split = split_of(number, options.count);
    ++dataset.rows[static_cast<std::size_t>(split)];
    if (!row.face) return;
    dataset.samples.push_back({.row = number,
                               .draw_key = index[static_cast<std::size_t>(split)]++,
                               .split = split,
                               .name = image_name(dataset.samples.size()),
                               .face = {0, 0, kSynthSide, kSynthSide},
                               .votes = row.votes,
                               .pixel_offset = dataset.pixels.size(),
                               .width = kSynthSide,
                               .height = kSynthSide});
    dataset.pixels.insert(dataset.pixels.end(), pixels.begin(), pixels.end());
  });
  return dataset;
}

void write_synth(const SynthOptions& options, const std::filesystem::path& directory) {
  check(options);
  make_folder(directory);
  std::string ferplus =
      "Usage,Image "
      "name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n";
  write_file_atomically(directory / "fer2013.csv", [&](std::ostream& out) {
    out << "emotion,pixels,Usage\n";
    std::size_t named = 0;
    std::string line;
    for_each_row(options, [&](std::size_t number, const Row& row, std::span<std::uint8_t> pixels) {
      const std::string_view usage = usage_name(split_of(number, options.count));
      line = std::to_string(kFer2013Numbers[static_cast<std::size_t>(row.emotion)]);
      char separator = ',';
      for (const std::uint8_t pixel : pixels) {
        line.append(1, separator).append(std::to_string(pixel));
        separator = ' ';
      }
      out << line << ',' << usage << '\n';
      ferplus.append(usage).append(1, ',');
      if (row.face) ferplus += image_name(named++);
      for (const std::uint8_t votes : row.votes) {
        ferplus.append(1, ',').append(std::to_string(votes));
      }
      ferplus += '\n';
    });
  });
  write_file_atomically(directory / "fer2013new.csv", [&](std::ostream& out) { out << ferplus; });
}

}  // namespace ferplus
