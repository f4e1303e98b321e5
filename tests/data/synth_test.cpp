#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/core/parallel.h>
#include <ferplus/data/fer_csv.h>
#include <ferplus/data/label_mode.h>
#include <ferplus/data/synth.h>

#include "support/temporary_folder.h"

namespace ferplus {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

bool same_sample(const Sample& a, const Sample& b) {
  return a.row == b.row && a.draw_key == b.draw_key && a.split == b.split && a.name == b.name &&
         a.face == b.face && a.votes == b.votes && a.width == b.width && a.height == b.height &&
         a.pixel_offset == b.pixel_offset;
}

bool same_faces(const Dataset& a, const Dataset& b) {
  return a.rows == b.rows && a.pixels == b.pixels &&
         std::equal(a.samples.begin(), a.samples.end(), b.samples.begin(), b.samples.end(),
                    same_sample);
}

std::size_t hash_of(const Dataset& dataset, std::size_t sample) {
  const std::uint8_t* pixels = dataset.image(dataset.samples[sample]).pixels;
  return std::hash<std::string>()({pixels, pixels + kFerPixels});
}

std::optional<int> majority(const Votes& votes) {
  const auto target = label_mode(LabelMode::majority).target(votes);
  if (!target) return std::nullopt;
  return argmax(*target);
}

std::ptrdiff_t argmax_of(const std::array<int, kVoteColumns>& counts) {
  return std::max_element(counts.begin(), counts.end()) - counts.begin();
}

// The default set, drawn once.
const Dataset& faces() {
  static const Dataset kFaces = synthesize({});
  return kFaces;
}

TEST(Synth, SeedDecidesEveryBit) {
  EXPECT_TRUE(
      same_faces(synthesize({.count = 40, .seed = 5}), synthesize({.count = 40, .seed = 5})));
  const Dataset other = synthesize({.count = 40, .seed = 6});
  EXPECT_NE(synthesize({.count = 40, .seed = 5}).pixels, other.pixels);
}

TEST(Synth, RowsDoNotDependOnCount) {
  const Dataset few = synthesize({.count = 20, .seed = 3}),
                many = synthesize({.count = 60, .seed = 3});
  ASSERT_GT(few.samples.size(), 10U);
  for (std::size_t i = 0; i < few.samples.size(); ++i) {
    EXPECT_EQ(few.samples[i].votes, many.samples[i].votes);
    ASSERT_EQ(hash_of(few, i), hash_of(many, i));
  }
}

TEST(Synth, ThreadsDoNotMatter) {
  const int before = thread_count();
  set_thread_count(1);
  const Dataset one = synthesize({.count = 300});
  for (const int threads : {2, 4}) {
    set_thread_count(threads);
    EXPECT_TRUE(same_faces(one, synthesize({.count = 300}))) << threads;
  }
  set_thread_count(before);
}

TEST(Synth, SplitsInTheRealOrder) {
  const Dataset small = synthesize({.count = 99});
  EXPECT_THAT(small.rows, ::testing::ElementsAre(79, 10, 10));
  EXPECT_TRUE(std::is_sorted(small.samples.begin(), small.samples.end(),
                             [](const Sample& a, const Sample& b) {
                               return std::pair(a.split, a.row) < std::pair(b.split, b.row);
                             }));
}

TEST(Synth, SomeRowsHaveNoImage) {
  const std::size_t rows =
      std::accumulate(faces().rows.begin(), faces().rows.end(), std::size_t{0});
  EXPECT_EQ(rows, SynthOptions{}.count);
  const std::size_t nameless = rows - faces().samples.size();
  EXPECT_GE(nameless, rows / 300);
  EXPECT_LE(nameless, rows / 40);
}

TEST(Synth, EveryClassInEverySplit) {
  std::array<std::array<int, kClasses>, kSplits> counts{};
  for (const Sample& sample : faces().samples) {
    if (const auto emotion = majority(sample.votes)) {
      ++counts[static_cast<std::size_t>(sample.split)][static_cast<std::size_t>(*emotion)];
    }
  }
  for (int split = 0; split < kSplits; ++split) {
    for (int emotion = 0; emotion < kClasses; ++emotion) {
      EXPECT_GE(counts[static_cast<std::size_t>(split)][static_cast<std::size_t>(emotion)], 5)
          << split << ' ' << kClassNames[static_cast<std::size_t>(emotion)];
    }
  }
}

TEST(Synth, TenVotesMostlyWithAMajority) {
  std::size_t kept = 0;
  for (const Sample& sample : faces().samples) {
    EXPECT_EQ(std::accumulate(sample.votes.begin(), sample.votes.end(), 0), 10);
    kept += majority(sample.votes) ? 1 : 0;
  }
  const double share = static_cast<double>(kept) / static_cast<double>(faces().samples.size());
  EXPECT_GT(share, 0.85);
  EXPECT_LT(share, 0.93);
}

TEST(Synth, PixelsUseTheRangeAndFacesDiffer) {
  std::set<std::string> images;
  for (const Sample& sample : faces().samples) {
    const std::uint8_t* pixels = faces().image(sample).pixels;
    const auto [low, high] = std::minmax_element(pixels, pixels + kFerPixels);
    EXPECT_GT(*high - *low, 30) << sample.name;
    images.emplace(pixels, pixels + kFerPixels);
  }
  EXPECT_EQ(images.size(), faces().samples.size());
}

// The mean face of each class differs from that of every other around the mouth, the eyes or the
// brows, and nowhere in the corners: the background must not tell the class.
TEST(Synth, ClassesLookDifferentInTheFaceOnly) {
  std::array<std::vector<double>, kClasses> means;
  std::array<double, kClasses> counts{};
  for (auto& mean : means) mean.resize(kFerPixels);
  for (const Sample& sample : faces().samples) {
    const auto emotion = majority(sample.votes);
    if (!emotion) continue;
    const auto k = static_cast<std::size_t>(*emotion);
    ++counts[k];
    for (std::size_t i = 0; i < kFerPixels; ++i) means[k][i] += faces().image(sample).pixels[i];
  }
  for (std::size_t k = 0; k < kClasses; ++k) {
    // Against the light of the photographs, which differs by chance.
    const double level = std::accumulate(means[k].begin(), means[k].end(), 0.0) / kFerPixels;
    for (double& value : means[k]) value = (value - level) / counts[k];
  }
  for (std::size_t a = 0; a < kClasses; ++a) {
    for (std::size_t b = a + 1; b < kClasses; ++b) {
      double most = 0;
      for (std::size_t i = 0; i < kFerPixels; ++i) {
        const std::size_t y = i / 48, x = i % 48;
        const bool inside = y >= 12 && y < 44 && x >= 8 && x < 40;
        if (inside) most = std::max(most, std::abs(means[a][i] - means[b][i]));
      }
      EXPECT_GT(most, 14) << kClassNames[a] << ' ' << kClassNames[b];
    }
  }
}

TEST(Synth, TaggersConfuseWhatPeopleConfuse) {
  std::array<std::array<int, kVoteColumns>, kClasses> confused{};
  for (const Sample& sample : faces().samples) {
    const auto emotion = majority(sample.votes);
    if (!emotion) continue;
    for (std::size_t column = 0; column < kVoteColumns; ++column) {
      if (static_cast<int>(column) != *emotion) {
        confused[static_cast<std::size_t>(*emotion)][column] += sample.votes[column];
      }
    }
  }
  const auto most = [&](int emotion) {
    return argmax_of(confused[static_cast<std::size_t>(emotion)]);
  };
  EXPECT_EQ(most(2), 6) << "surprise as fear";
  EXPECT_EQ(most(3), 0) << "sadness as neutral";
  EXPECT_EQ(most(4), 5) << "anger as disgust";
  EXPECT_EQ(most(5), 4) << "disgust as anger";
  EXPECT_EQ(most(6), 2) << "fear as surprise";
  EXPECT_EQ(most(7), 0) << "contempt as neutral";
}

TEST(Synth, RefusesCountsOutOfRange) {
  for (const std::size_t count : {std::size_t{0}, std::size_t{9}, kMaxSynthCount + 1}) {
    EXPECT_THROW(synthesize({.count = count}), UsageError);
    EXPECT_THROW(write_synth({.count = count}, "/nonexistent"), UsageError);
  }
}

TEST(WriteSynth, WritesTheRealFormats) {
  const TemporaryFolder folder;
  write_synth({.count = 200}, folder / "new/synth");
  const auto fer = lines_of(read_text(folder / "new/synth/fer2013.csv"));
  const auto ferplus = lines_of(read_text(folder / "new/synth/fer2013new.csv"));
  ASSERT_EQ(fer.size(), 201U);
  ASSERT_EQ(ferplus.size(), 201U);
  EXPECT_EQ(fer[0], "emotion,pixels,Usage");
  EXPECT_EQ(ferplus[0],
            "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,"
            "unknown,NF");
  int nameless = 0, named = 0;
  for (std::size_t row = 0; row < 200; ++row) {
    const std::string usage = row < 160 ? "Training" : row < 180 ? "PublicTest" : "PrivateTest";
    EXPECT_THAT(fer[row + 1], ::testing::MatchesRegex("[0-6],[0-9 ]+," + usage));
    EXPECT_EQ(std::count(fer[row + 1].begin(), fer[row + 1].end(), ' '), 2303);
    const std::string votes = ",[0-9]+,[0-9]+,[0-9]+,[0-9]+,[0-9]+,[0-9]+,[0-9]+,[0-9]+,[0-9]+,";
    if (ferplus[row + 1] == usage + ",,0,0,0,0,0,0,0,0,0,10") {
      ++nameless;
    } else {
      std::string digits = std::to_string(10000000 + named++).substr(1);
      EXPECT_THAT(ferplus[row + 1],
                  ::testing::MatchesRegex(usage + ",fer" + digits + "\\.png" + votes + "[0-9]+"));
    }
  }
  EXPECT_GT(nameless, 0);
}

TEST(WriteSynth, LoadsAsWhatIsSynthesizedInMemory) {
  const TemporaryFolder folder;
  const SynthOptions options{.count = 150, .seed = 9};
  write_synth(options, folder.path());
  const Dataset loaded = load_fer_csv(folder / "fer2013.csv", folder / "fer2013new.csv");
  EXPECT_TRUE(same_faces(loaded, synthesize(options)));
}

TEST(WriteSynth, NamesAFolderThatCannotBe) {
  const TemporaryFolder folder;
  write_text(folder / "file", "");
  EXPECT_THAT(message_of<Error>([&] { write_synth({.count = 10}, folder / "file/sub"); }),
              ::testing::HasSubstr("cannot create the folder"));
}

}  // namespace
}  // namespace ferplus
