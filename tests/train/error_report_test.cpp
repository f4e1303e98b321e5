// The report of mistakes: what its files hold, and which folders it refuses.
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/data/synth.h>
#include <ferplus/io/png.h>
#include <ferplus/train/error_report.h>

#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> lines(const std::filesystem::path& path) {
  std::istringstream text(read_text(path));
  std::vector<std::string> found;
  for (std::string line; std::getline(text, line);) found.push_back(line);
  return found;
}

Logits sure_of(std::size_t k, float logit) {
  Logits logits{};
  logits[k] = logit;
  return logits;
}

// Five images: two right, one surprise taken for fear, two happy ones for neutral.
class ErrorReportTest : public testing::Test {
 protected:
  ErrorReportTest() : dataset_(synthesize({.count = 60, .seed = 2})) {
    evaluation_.samples = {3, 5, 8, 9, 12};
    evaluation_.classes = {0, 1, 1, 2, 4};
    evaluation_.logits = {sure_of(0, 3), sure_of(0, 1), sure_of(0, 2), sure_of(6, 1),
                          sure_of(4, 1)};
    evaluation_.predictions = {0, 0, 0, 6, 4};
    dataset_.samples[8].name = "a,b.png";
  }

  std::vector<std::uint8_t> tile(const std::string& sheet, std::size_t column) const {
    const GrayImage image = read_png(folder_ / sheet);
    std::vector<std::uint8_t> pixels;
    for (std::size_t y = 0; y < kInputSide; ++y) {
      for (std::size_t x = 0; x < kInputSide; ++x) {
        pixels.push_back(
            image.pixels[(1 + y) * static_cast<std::size_t>(image.width) + column * 66 + 1 + x]);
      }
    }
    return pixels;
  }
  std::vector<std::uint8_t> face(std::size_t sample) const {
    std::vector<std::uint8_t> pixels(kInputPixels);
    warp(dataset_.image(dataset_.samples[sample]), dataset_.samples[sample].face, {}, pixels);
    return pixels;
  }
  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      names.insert(entry.path().filename());
    }
    return names;
  }

  TemporaryFolder folder_;
  Dataset dataset_;
  Evaluation evaluation_;
};

TEST_F(ErrorReportTest, WritesEveryImageAndASheetPerConfusion) {
  write_error_report(dataset_, evaluation_, folder_.path(), false);
  EXPECT_THAT(files(),
              ElementsAre("happiness-as-neutral.csv", "happiness-as-neutral.png", "images.csv",
                          "index.csv", "surprise-as-fear.csv", "surprise-as-fear.png"));
  EXPECT_THAT(lines(folder_ / "index.csv"),
              ElementsAre("class,predicted,images,pictures,sheet",
                          "happiness,neutral,2,2,happiness-as-neutral.png",
                          "surprise,fear,1,1,surprise-as-fear.png"));

  const auto all = lines(folder_ / "images.csv");
  ASSERT_EQ(all.size(), 6u);
  EXPECT_THAT(all[0], HasSubstr("row,image,votes_neutral"));
  const Sample& second = dataset_.samples[5];
  std::string start = std::to_string(second.row) + ',' + second.name;
  for (int votes : second.votes) start += ',' + std::to_string(votes);
  // e/(e + 7) of sure_of(0, 1).
  EXPECT_EQ(all[2], start + ",happiness,neutral,0.279708,0");
  EXPECT_THAT(all[1], testing::EndsWith(",neutral,neutral,0.74156,1"));

  // The more confident mistake comes first.
  const auto rows = lines(folder_ / "happiness-as-neutral.csv");
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_THAT(rows[1], testing::StartsWith("0," + std::to_string(dataset_.samples[8].row) +
                                           ",\"a,b.png\","));
  EXPECT_THAT(rows[2], AllOf(testing::StartsWith("1," + std::to_string(second.row) + ','),
                             testing::EndsWith(",0.279708")));
  EXPECT_EQ(tile("happiness-as-neutral.png", 0), face(8));
  EXPECT_EQ(tile("happiness-as-neutral.png", 1), face(5));
  const GrayImage sheet = read_png(folder_ / "happiness-as-neutral.png");
  EXPECT_EQ(sheet.width, 2 * 66);
  EXPECT_EQ(sheet.height, 66);
}

TEST_F(ErrorReportTest, ConfidenceIsTempered) {
  evaluation_.options.temperature = 0.5;
  write_error_report(dataset_, evaluation_, folder_.path(), false);
  // e²/(e² + 7).
  EXPECT_THAT(lines(folder_ / "images.csv")[2], HasSubstr(",0.513519,0"));
}

TEST_F(ErrorReportTest, RefusesAFolderThatHoldsSomething) {
  write_text(folder_ / "mine.txt", "kept");
  EXPECT_THAT(
      message_of<Error>([&] { write_error_report(dataset_, evaluation_, folder_.path(), false); }),
      AllOf(HasSubstr(folder_.path().string()), HasSubstr("--force")));
  EXPECT_THAT(files(), ElementsAre("mine.txt"));
  EXPECT_THROW(write_error_report(dataset_, evaluation_, folder_ / "mine.txt", true), Error);

  write_text(folder_ / "fear-as-anger.png", "of an earlier report");
  write_error_report(dataset_, evaluation_, folder_.path(), true);
  EXPECT_FALSE(files().contains("fear-as-anger.png"));
  EXPECT_TRUE(files().contains("surprise-as-fear.png"));
  EXPECT_EQ(read_text(folder_ / "mine.txt"), "kept");
}

TEST_F(ErrorReportTest, ManyPicturesFillRows) {
  for (std::size_t i = 0; i < 35; ++i) {
    evaluation_.samples.push_back(i);
    evaluation_.classes.push_back(7);
    evaluation_.logits.push_back(sure_of(5, 1));
    evaluation_.predictions.push_back(5);
  }
  write_error_report(dataset_, evaluation_, folder_ / "new" / "folder", false);
  const GrayImage sheet = read_png(folder_ / "new/folder/contempt-as-disgust.png");
  EXPECT_EQ(sheet.width, 16 * 66);
  EXPECT_EQ(sheet.height, 3 * 66);
  EXPECT_EQ(sheet.pixels.back(), 255);
}

}  // namespace
}  // namespace ferplus
