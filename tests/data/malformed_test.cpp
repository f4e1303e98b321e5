// Every way in which a file can be wrong, with the message that its owner gets.
#include <ostream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/data/fer_csv.h>
#include <ferplus/data/folder.h>
#include <ferplus/io/png.h>

#include "data/fixtures.h"

namespace ferplus {
namespace {

// Stand-ins in the tables below: {P} 2304 pixels, {P-} one less, {P+} one more, {F} and {V} the
// headers, {R} a right row of pixels, {W} a right row of votes.
std::string expand(std::string text) {
  std::string pixels;
  for (std::size_t i = 0; i < kFerPixels; ++i) pixels += i == 0 ? "7" : " 107";
  const std::vector<std::pair<std::string, std::string>> stand_ins = {
      {"{F}", kFerHeader},
      {"{V}", kVotesHeaderLine},
      {"{R}", "3,{P},Training\n"},
      {"{W}", "Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0\n"},
      {"{P}", pixels},
      {"{P-}", pixels.substr(0, pixels.size() - 4)},
      {"{P+}", pixels + " 1"}};
  for (const auto& [name, value] : stand_ins) {
    for (std::size_t at; (at = text.find(name)) != std::string::npos;) {
      text.replace(at, name.size(), value);
    }
  }
  return text;
}

struct CsvCase {
  const char* name;
  std::string fer, ferplus;
  const char* message;
};
void PrintTo(const CsvCase& c, std::ostream* out) { *out << c.name; }

const CsvCase kCsvCases[] = {
    {"no_bytes", "", "{V}{W}",
     "fer.csv: is empty, expected a CSV file with the pixels of FER2013 (fer2013.csv)"},
    {"only_blank_lines", "\r\n \n", "{V}{W}",
     "fer.csv: is empty, expected a CSV file with the pixels of FER2013 (fer2013.csv)"},
    {"votes_empty", "{F}{R}", "\xEF\xBB\xBF\n",
     "votes.csv: is empty, expected a CSV file with the votes of FER+ (fer2013new.csv)"},
    {"only_a_header", "{F}", "{V}{W}", "fer.csv: has a header but no rows"},
    {"votes_only_a_header", "{F}{R}", "{V}\n", "votes.csv: has a header but no rows"},
    {"no_header", "{R}", "{V}{W}",
     "fer.csv:1: the header is \"3,7 107 107 107 107 107 107 107 107 107 107 107 107 107 107 107 "
     "107 107 107 107 107 107 107 107 107 107 107 107 107 107 …\", expected "
     "\"emotion,pixels,Usage\""},
    {"columns_in_another_order", "emotion,Usage,pixels\n", "{V}{W}",
     "fer.csv:1: the header is \"emotion,Usage,pixels\", expected \"emotion,pixels,Usage\""},
    {"votes_header_lacks_a_column", "{F}{R}",
     "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown\n{W}",
     "votes.csv:1: the header is "
     "\"Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown\", "
     "expected \"Usage,Image "
     "name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\""},
    {"swapped", "{V}{W}", "{F}{R}",
     "fer.csv:1: these are the votes (fer2013new.csv), expected the pixels (fer2013.csv); swap "
     "--fer and --ferplus"},
    {"pixels_twice", "{F}{R}", "{F}{R}",
     "votes.csv:1: these are the pixels (fer2013.csv), expected the votes (fer2013new.csv); swap "
     "--fer and --ferplus"},
    {"zstd", "\x28\xB5\x2F\xFD\x04", "{V}{W}",
     "fer.csv: is a zstd-compressed file, expected a CSV file with the pixels of FER2013 "
     "(fer2013.csv); decompress it first: zstd -d"},
    {"gzip", "{F}{R}", "\x1F\x8B\x08",
     "votes.csv: is a gzip-compressed file, expected a CSV file with the votes of FER+ "
     "(fer2013new.csv); decompress it first: gunzip"},
    {"zip", "PK\x03\x04\x14", "{V}{W}",
     "fer.csv: is a zip archive, expected a CSV file with the pixels of FER2013 (fer2013.csv); "
     "unpack it first: unzip"},
    {"utf16", "\xFF\xFE", "{V}{W}",
     "fer.csv: is UTF-16 text, expected a CSV file with the pixels of FER2013 (fer2013.csv); save "
     "it as UTF-8"},
    {"web_page", "<!DOCTYPE html>", "{V}{W}",
     "fer.csv: is a web page, expected a CSV file with the pixels of FER2013 (fer2013.csv); "
     "download the file itself"},
    {"a_column_too_few", "{F}3,{P}\n", "{V}{W}",
     "fer.csv:2: expected 3 columns (emotion,pixels,Usage), got 2"},
    {"a_column_too_many", "{F}3,{P},Training,\n", "{V}{W}",
     "fer.csv:2: expected 3 columns (emotion,pixels,Usage), got 4"},
    {"blank_line_between", "{F}{R}\n{R}", "{V}{W}{W}{W}", "fer.csv:3: blank line between rows"},
    {"emotion_is_a_word", "{F}angry,{P},Training\n", "{V}{W}",
     "fer.csv:2: emotion is \"angry\", not a whole number from 0 to 255"},
    {"emotion_is_missing", "{F},{P},Training\n", "{V}{W}",
     "fer.csv:2: emotion is \"\", not a whole number from 0 to 255"},
    {"a_pixel_too_few", "{F}{R}3,{P-},Training\n{R}", "{V}{W}{W}{W}",
     "fer.csv:3: expected 2304 pixels (48x48), got 2303"},
    {"a_pixel_too_many", "{F}3,{P+},Training\n", "{V}{W}",
     "fer.csv:2: expected 2304 pixels (48x48), got 2305"},
    {"no_pixels", "{F}3,,Training\n", "{V}{W}", "fer.csv:2: expected 2304 pixels (48x48), got 0"},
    {"pixel_above_255", "{F}3,256 {P-},Training\n", "{V}{W}",
     "fer.csv:2: pixel 1 is \"256\", not a whole number from 0 to 255"},
    {"pixel_of_many_digits", "{F}3,{P-} 99999999999999999999,Training\n", "{V}{W}",
     "fer.csv:2: pixel 2304 is \"99999999999999999999\", not a whole number from 0 to 255"},
    {"pixel_is_negative", "{F}3,-1 {P-},Training\n", "{V}{W}",
     "fer.csv:2: pixel 1 is \"-1\", not a whole number from 0 to 255"},
    {"pixel_is_a_fraction", "{F}3,{P-} 0.5,Training\n", "{V}{W}",
     "fer.csv:2: pixel 2304 is \"0.5\", not a whole number from 0 to 255"},
    {"pixel_is_a_word", "{F}3,{P-} x,Training\n", "{V}{W}",
     "fer.csv:2: pixel 2304 is \"x\", not a whole number from 0 to 255"},
    {"unknown_usage", "{F}3,{P},Test\n", "{V}{W}",
     "fer.csv:2: unknown usage \"Test\", expected Training, PublicTest or PrivateTest"},
    {"open_quote", "{F}3,\"{P},Training\n", "{V}{W}",
     "fer.csv:2: a quoted field has no closing quote"},
    {"text_after_quote", "{F}3,\"{P}\" x,Training\n", "{V}{W}",
     "fer.csv:2: a quoted field is followed by \"x,Training\", not by a comma"},
    {"cut_off", "{F}{R}3,70 80 8", "{V}{W}{W}{W}",
     "fer.csv:3: expected 3 columns (emotion,pixels,Usage), got 2; is the file cut off?"},
    {"defect_of_a_row_without_image", "{F}3,{P-},Training\n", "{V}Training,,0,0,0,0,0,0,0,0,0,10\n",
     "fer.csv:2: expected 2304 pixels (48x48), got 2303"},
    {"usages_disagree", "{F}{R}3,{P},PublicTest\n{R}", "{V}{W}{W}{W}",
     "fer.csv:3: row 1 (counted from 0) is PublicTest, but Training in line 3 of votes.csv; both "
     "files must have their published order"},
    {"more_pixels_than_votes", "{F}{R}{R}{R}", "{V}{W}{W}",
     "fer.csv:4: row 2 (counted from 0) has no votes: fer.csv has 3 rows and votes.csv has 2, but "
     "they are joined row by row"},
    {"more_votes_than_pixels", "{F}{R}", "{V}{W}{W}{W}",
     "votes.csv:3: row 1 (counted from 0) has no pixels: fer.csv has 1 rows and votes.csv has 3, "
     "but they are joined row by row"},
    {"votes_lack_a_column", "{F}{R}", "{V}Training,a.png,4,0,0,1,3,2,0,0,0\n",
     "votes.csv:2: expected 12 columns (usage, image name, ten votes), got 11"},
    {"votes_have_a_column_too_many", "{F}{R}", "{V}{W}Training,a.png,4,0,0,1,3,2,0,0,0,0,0\n",
     "votes.csv:3: expected 12 columns (usage, image name, ten votes), got 13"},
    {"vote_is_a_word", "{F}{R}", "{V}Training,a.png,4,0,0,one,3,2,0,0,0,0\n",
     "votes.csv:2: the votes for sadness are \"one\", not a whole number from 0 to 255"},
    {"vote_is_missing", "{F}{R}", "{V}Training,a.png,4,0,0,1,3,2,0,0,0,\n",
     "votes.csv:2: the votes for NF are \"\", not a whole number from 0 to 255"},
    {"vote_is_negative", "{F}{R}", "{V}Training,a.png,-4,0,0,1,3,2,0,0,0,0\n",
     "votes.csv:2: the votes for neutral are \"-4\", not a whole number from 0 to 255"},
    {"vote_above_255", "{F}{R}", "{V}Training,a.png,4,0,0,1,3,2,0,0,256,0\n",
     "votes.csv:2: the votes for unknown are \"256\", not a whole number from 0 to 255"},
    {"votes_unknown_usage", "{F}{R}", "{V}training,a.png,4,0,0,1,3,2,0,0,0,0\n",
     "votes.csv:2: unknown usage \"training\", expected Training, PublicTest or PrivateTest"},
    {"votes_blank_line_between", "{F}{R}", "{V}{W}\r\n{W}", "votes.csv:3: blank line between rows"},
    {"name_is_a_path", "{F}{R}", "{V}Training,../../x.png,4,0,0,1,3,2,0,0,0,0\n",
     "votes.csv:2: image name \"../../x.png\" is a path, expected the name of a file"},
    {"name_is_the_parent", "{F}{R}", "{V}Training,..,4,0,0,1,3,2,0,0,0,0\n",
     "votes.csv:2: image name \"..\" is a path, expected the name of a file"},
    {"name_is_the_list", "{F}{R}", "{V}Training,label.csv,4,0,0,1,3,2,0,0,0,0\n",
     "votes.csv:2: image name \"label.csv\" is that of the list of labels"},
};

class MalformedCsv : public testing::TestWithParam<CsvCase> {};

TEST_P(MalformedCsv, HasItsMessage) {
  for (const int threads : {1, 2}) {
    const Threads use(threads);
    try {
      parse({expand(GetParam().fer), expand(GetParam().ferplus)});
      FAIL() << "was accepted";
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), GetParam().message);
    }
  }
}
INSTANTIATE_TEST_SUITE_P(, MalformedCsv, testing::ValuesIn(kCsvCases),
                         [](const auto& c) { return std::string(c.param.name); });

TEST(MissingCsv, IsNamed) {
  const TemporaryFolder folder;
  try {
    load_fer_csv(folder.path() / "fer2013.csv", folder.path() / "fer2013new.csv");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::StartsWith((folder.path() / "fer2013.csv").string() + ": "));
  }
}

// {R} is a right line; the folder holds ok.png, torn.png and text.png.
struct FolderCase {
  const char* name;
  const char* labels;
  const char* message;
};
void PrintTo(const FolderCase& c, std::ostream* out) { *out << c.name; }

const FolderCase kFolderCases[] = {
    {"no_bytes", "",
     "label.csv: is empty, expected a CSV file with names, face rectangles and votes"},
    {"a_column_too_few", "{R}a.png,\"(0, 0, 48, 48)\",4,0,0,1,3,2,0,0,0\n",
     "label.csv:2: expected 12 columns (name, face rectangle, ten votes), got 11"},
    {"rectangle_without_quotes", "ok.png,(0, 0, 48, 48),4,0,0,1,3,2,0,0,0,0\n",
     "label.csv:1: expected 12 columns (name, face rectangle, ten votes), got 15; the rectangle "
     "must be quoted"},
    {"no_name", ",\"(0, 0, 48, 48)\",4,0,0,1,3,2,0,0,0,0\n",
     "label.csv:1: the image name is empty"},
    {"name_is_a_path", "../ok.png,\"(0, 0, 48, 48)\",4,0,0,1,3,2,0,0,0,0\n",
     "label.csv:1: image name \"../ok.png\" is a path, expected the name of a file"},
    {"name_is_a_windows_path", "a\\ok.png,\"(0, 0, 48, 48)\",4,0,0,1,3,2,0,0,0,0\n",
     "label.csv:1: image name \"a\\ok.png\" is a path, expected the name of a file"},
    {"rectangle_of_three", "ok.png,\"(0, 0, 48)\",4,0,0,1,3,2,0,0,0,0\n",
     "label.csv:1: the face rectangle is \"(0, 0, 48)\", expected \"(left, top, right, bottom)\" "
     "in "
     "whole pixels, left < right, top < bottom"},
    {"rectangle_of_five", "ok.png,\"(0, 0, 48, 48, 1)\",4,0,0,1,3,2,0,0,0,0\n",
     "label.csv:1: the face rectangle is \"(0, 0, 48, 48, 1)\", expected \"(left, top, right, "
     "bottom)\" in whole pixels, left < right, top < bottom"},
    {"rectangle_without_brackets", "ok.png,\"0, 0, 48, 48\",4,0,0,1,3,2,0,0,0,0\n",
     "label.csv:1: the face rectangle is \"0, 0, 48, 48\", expected \"(left, top, right, bottom)\" "
     "in whole pixels, left < right, top < bottom"},
    {"rectangle_without_area", "ok.png,\"(0, 9, 48, 9)\",4,0,0,1,3,2,0,0,0,0\n",
     "label.csv:1: the face rectangle is \"(0, 9, 48, 9)\", expected \"(left, top, right, "
     "bottom)\" in whole pixels, left < right, top < bottom"},
    {"rectangle_is_negative", "ok.png,\"(-1, 0, 48, 48)\",4,0,0,1,3,2,0,0,0,0\n",
     "label.csv:1: the face rectangle is \"(-1, 0, 48, 48)\", expected \"(left, top, right, "
     "bottom)\" in whole pixels, left < right, top < bottom"},
    {"rectangle_exceeds_the_image", "{R}small.png,\"(0, 0, 48, 48)\",4,0,0,1,3,2,0,0,0,0\n",
     "label.csv:2: the face rectangle (0, 0, 48, 48) exceeds image \"small.png\", which has 40x30 "
     "pixels"},
    {"vote_is_a_word", "ok.png,\"(0, 0, 48, 48)\",4,0,0,1,3,many,0,0,0,0\n",
     "label.csv:1: the votes for disgust are \"many\", not a whole number from 0 to 255"},
    {"listed_twice", "{R}small.png,\"(0, 0, 40, 30)\",4,0,0,1,3,2,0,0,0,0\n{R}",
     "label.csv:3: image \"ok.png\" is listed in line 1 already; an image has one line"},
    {"blank_line_between", "{R}\n{R}", "label.csv:2: blank line between rows"},
    {"open_quote", "ok.png,\"(0, 0, 48, 48),4,0,0,1,3,2,0,0,0,0\n",
     "label.csv:1: a quoted field has no closing quote"},
    {"missing_image", "{R}none.png,\"(0, 0, 48, 48)\",4,0,0,1,3,2,0,0,0,0\n",
     "label.csv:2: image \"none.png\" is missing: no file none.png"},
    {"gzip", "\x1F\x8B\x08",
     "label.csv: is a gzip-compressed file, expected a CSV file with names, face rectangles and "
     "votes; decompress it first: gunzip"},
};

// A split folder with three images and this label.csv.
void make_folder(const std::filesystem::path& folder, const std::string& labels) {
  const std::vector<std::uint8_t> pixels(48 * 48, 9);
  std::filesystem::create_directory(folder);
  write_png(folder / "ok.png", pixels.data(), 48, 48);
  write_png(folder / "small.png", pixels.data(), 40, 30);
  write_text(folder / "text.png", "not an image");
  write_text(folder / "label.csv", labels);
}

class MalformedFolder : public testing::TestWithParam<FolderCase> {};

TEST_P(MalformedFolder, HasItsMessage) {
  const TemporaryFolder directory;
  const std::filesystem::path folder = directory.path() / "FER2013Valid";
  std::string labels = GetParam().labels;
  for (std::size_t at; (at = labels.find("{R}")) != std::string::npos;) {
    labels.replace(at, 3, "ok.png,\"(0, 0, 48, 48)\",4,0,0,1,3,2,0,0,0,0\n");
  }
  make_folder(folder, labels);
  try {
    load_folders(directory.path());
    FAIL() << "was accepted";
  } catch (const Error& error) {
    std::string message = error.what();
    for (std::size_t at; (at = message.find(folder.string() + "/")) != std::string::npos;) {
      message.erase(at, folder.string().size() + 1);
    }
    EXPECT_EQ(message, GetParam().message);
  }
}
INSTANTIATE_TEST_SUITE_P(, MalformedFolder, testing::ValuesIn(kFolderCases),
                         [](const auto& c) { return std::string(c.param.name); });

std::string load_message(const std::filesystem::path& directory) {
  try {
    load_folders(directory);
    return "was accepted";
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(MalformedFolders, UnreadableImageIsNamedWithItsLine) {
  const TemporaryFolder directory;
  const auto folder = directory.path() / "FER2013Train";
  make_folder(folder, "text.png,\"(0, 0, 48, 48)\",4,0,0,1,3,2,0,0,0,0\n");
  EXPECT_THAT(load_message(directory.path()),
              testing::StartsWith((folder / "label.csv").string() +
                                  ":1: image \"text.png\" cannot be read: "));
}

TEST(MalformedFolders, ASplitFolderNeedsALabelFile) {
  const TemporaryFolder directory;
  std::filesystem::create_directory(directory.path() / "FER2013Test");
  EXPECT_EQ(load_message(directory.path()),
            (directory.path() / "FER2013Test/label.csv").string() +
                ": is missing; a split folder has a label.csv (remove FER2013Test if that split is "
                "not wanted)");
}

TEST(MalformedFolders, OneSplitFolderMustExist) {
  const TemporaryFolder directory;
  EXPECT_EQ(load_message(directory.path()),
            directory.path().string() +
                ": has none of the folders FER2013Train, FER2013Valid and FER2013Test; make them "
                "with ferplus prepare");
  EXPECT_EQ(load_message(directory.path() / "nowhere"),
            (directory.path() / "nowhere").string() + ": no such folder");
}

}  // namespace
}  // namespace ferplus
