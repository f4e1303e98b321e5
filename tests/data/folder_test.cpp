#include <algorithm>
#include <fstream>
#include <iterator>
#include <span>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/data/face_crop.h>
#include <ferplus/data/folder.h>
#include <ferplus/io/png.h>

#include "data/fixtures.h"

namespace ferplus {
namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Folders, HoldWhatTheCsvHolds) {
  const TemporaryFolder folder;
  const Dataset csv = parse(random_csv(60));
  write_folders(csv, folder.path(), false);
  for (const int threads : {1, 2, 4}) {
    const Threads use(threads);
    const Dataset folders = load_folders(folder.path());
    expect_equal_samples(folders, csv);
    EXPECT_EQ(folders.source, folder.path().string());
    for (std::size_t i = 0; i < csv.samples.size(); ++i) {
      EXPECT_EQ(folders.samples[i].name, csv.samples[i].name);
      EXPECT_EQ(folders.samples[i].row, i);
    }
  }
}

TEST(Folders, LookAsPublished) {
  const TemporaryFolder folder;
  CsvPair text = random_csv(1);
  text.ferplus = std::string(kVotesHeaderLine) + "Training, fer0000000.png ,4,0,0,1,3,2,0,0,0,0\n";
  const Dataset dataset = parse(text);
  write_folders(dataset, folder.path() / "new", false);
  EXPECT_EQ(contents(folder.path() / "new/FER2013Train/label.csv"),
            "fer0000000.png,\"(0, 0, 48, 48)\",4,0,0,1,3,2,0,0,0,0\n");
  EXPECT_EQ(read_png(folder.path() / "new/FER2013Train/fer0000000.png").pixels, dataset.pixels);
  EXPECT_FALSE(fs::exists(folder.path() / "new/FER2013Valid"));
}

TEST(Folders, ANameTwiceIsWrittenWithItsRow) {
  const TemporaryFolder folder;
  CsvPair text = random_csv(5);
  text.ferplus = std::string(kVotesHeaderLine);
  for (const char* name : {"Training,a.png", "Training,", "Training,a.png", "Training,a_row2.png",
                           "Training,\"b, \"\"c\"\".png\""}) {
    text.ferplus += std::string(name) + ",9,0,0,0,0,0,0,0,0,0\n";
  }
  for (std::size_t at; (at = text.fer.find("PublicTest")) != std::string::npos;) {
    text.fer.replace(at, 10, "Training");
  }
  const Dataset csv = parse(text);
  write_folders(csv, folder.path(), false);
  const Dataset folders = load_folders(folder.path());
  expect_equal_samples(folders, csv);
  std::vector<std::string> names;
  for (const Sample& sample : folders.samples) names.push_back(sample.name);
  EXPECT_THAT(names,
              testing::ElementsAre("a.png", "a_row2.png", "a_row2_row3.png", "b, \"c\".png"));
}

TEST(Folders, AreNotOverwrittenWithoutForce) {
  const TemporaryFolder folder;
  const Dataset first = parse(random_csv(24, 1)), second = parse(random_csv(20, 2));
  write_folders(first, folder.path(), false);
  const std::string before = contents(folder.path() / "FER2013Train/label.csv");
  try {
    write_folders(second, folder.path(), false);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()),
              (folder.path() / "FER2013Train/label.csv").string() +
                  ": exists already; choose another folder, or overwrite it with --force");
  }
  EXPECT_EQ(contents(folder.path() / "FER2013Train/label.csv"), before);
  expect_equal_samples(load_folders(folder.path()), first);
  write_folders(second, folder.path(), true);
  expect_equal_samples(load_folders(folder.path()), second);
}

TEST(Folders, OfOtherDataAreNotMixedIn) {
  const TemporaryFolder folder;
  const Dataset three_splits = parse(random_csv(20)), one_split = parse(random_csv(4));
  write_folders(three_splits, folder.path(), false);
  try {
    write_folders(one_split, folder.path(), true);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(std::string(error.what()),
              (folder.path() / "FER2013Valid/label.csv").string() +
                  ": belongs to other data, as the new data have no public split; remove "
                  "FER2013Valid or choose another folder");
  }
  expect_equal_samples(load_folders(folder.path()), three_splits);
}

TEST(Folders, AnAbandonedWriteLeavesNoLabels) {
  const TemporaryFolder folder;
  const Dataset dataset = parse(random_csv(20));
  write_folders(dataset, folder.path(), false);
  EXPECT_THROW(write_folders(dataset, folder.path(), true,
                             [](std::size_t done, std::size_t) {
                               if (done == 5) throw Error("enough");
                             }),
               Error);
  for (const Split split : {Split::train, Split::public_test, Split::private_test}) {
    EXPECT_FALSE(fs::exists(folder.path() / folder_name(split) / "label.csv"));
  }
}

TEST(Folders, ProgressCountsEveryImageOnce) {
  const TemporaryFolder folder;
  const Dataset dataset = parse(random_csv(30));
  std::size_t last = 0;
  write_folders(dataset, folder.path(), false, [&](std::size_t done, std::size_t total) {
    EXPECT_EQ(done, ++last);
    EXPECT_EQ(total, dataset.samples.size());
  });
  EXPECT_EQ(last, dataset.samples.size());
}

TEST(Folders, NamesThatArePathsAreNotWritten) {
  const TemporaryFolder folder;
  Dataset dataset = parse(random_csv(1));
  for (const char* name : {"../x.png", "", "..", "label.csv"}) {
    dataset.samples[0].name = name;
    EXPECT_THROW(write_folders(dataset, folder.path() / "new", true), Error) << name;
  }
  EXPECT_FALSE(fs::exists(folder.path() / "new"));
}

TEST(Folders, ImagesMayHaveAnySize) {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "FER2013Test");
  std::vector<std::uint8_t> large(100 * 70);
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<std::uint8_t>(i * i % 251);
  const std::vector<std::uint8_t> small(5 * 4, 200);
  write_png(folder.path() / "FER2013Test/large.png", large.data(), 100, 70);
  write_png(folder.path() / "FER2013Test/small.png", small.data(), 5, 4);
  write_text(folder.path() / "FER2013Test/label.csv",
             "\xEF\xBB\xBFlarge.png,\"(50, 10, 100, 70)\",4,0,0,1,3,2,0,0,0,0\r\n"
             " small.png , \"( 0,0 ,5, 4)\",0,0,0,0,0,0,9,0,0,0\r\n\r\n");
  const Dataset dataset = load_folders(folder.path());
  ASSERT_EQ(dataset.samples.size(), 2U);
  // Brought down as Predictor would.
  EXPECT_EQ(dataset.samples[0].face, (Rectangle{0, 0, 48, 48}));
  EXPECT_EQ(dataset.samples[0].width, 48);
  std::vector<std::uint8_t> face(48 * 48);
  area_average({large.data(), 100, 70}, {50, 10, 100, 70}, 48, 48, face);
  EXPECT_TRUE(
      std::ranges::equal(face, std::span(dataset.image(dataset.samples[0]).pixels, 48 * 48)));
  EXPECT_EQ(dataset.samples[1].face, (Rectangle{0, 0, 5, 4}));
  EXPECT_EQ(dataset.image(dataset.samples[1]).pixels[19], 200);
  EXPECT_EQ(dataset.samples[1].split, Split::private_test);
  EXPECT_EQ(dataset.rows[2], 2U);
}

}  // namespace
}  // namespace ferplus
