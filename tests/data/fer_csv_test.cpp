#include <algorithm>
#include <optional>
#include <sstream>
#include <vector>

#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/data/fer_csv.h>
#include <ferplus/data/statistics.h>

#include "data/fixtures.h"
#include "support/shared.h"

namespace ferplus {
namespace {

// What the message of the Error is, or "no error".
template <typename Action>
std::string message_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

TEST(FerCsv, EveryRowOfAFileOfSeveralChunksIsRead) {
  const CsvPair text = random_csv(700);
  ASSERT_GT(text.fer.size(), 4U << 20);
  const Dataset dataset = parse(text);
  std::istringstream fer(text.fer), ferplus(text.ferplus);
  std::string pixels_line, votes_line;
  std::getline(fer, pixels_line);
  std::getline(ferplus, votes_line);
  std::size_t row = 0, sample = 0;
  std::array<std::size_t, kSplits> rows{};
  std::array<std::uint32_t, kSplits> index{};
  for (; std::getline(fer, pixels_line) && std::getline(ferplus, votes_line); ++row) {
    std::vector<std::string> votes;
    std::istringstream fields(votes_line);
    for (std::string field; std::getline(fields, field, ',');) votes.push_back(field);
    const auto split = static_cast<std::size_t>(votes[0] == "Training"     ? Split::train
                                                : votes[0] == "PublicTest" ? Split::public_test
                                                                           : Split::private_test);
    ++rows[split];
    if (votes[1].empty()) continue;
    ASSERT_LT(sample, dataset.samples.size());
    const Sample& s = dataset.samples[sample++];
    EXPECT_EQ(s.row, row);
    EXPECT_EQ(s.name, votes[1]);
    EXPECT_EQ(s.split, static_cast<Split>(split));
    EXPECT_EQ(s.draw_key, index[split]++);
    EXPECT_EQ(s.face, (Rectangle{0, 0, 48, 48}));
    for (std::size_t i = 0; i < s.votes.size(); ++i) ASSERT_EQ(s.votes[i], std::stoi(votes[i + 2]));
    std::istringstream pixels(pixels_line.substr(pixels_line.find(',') + 1));
    const ImageView image = dataset.image(s);
    for (std::size_t i = 0; i < kFerPixels; ++i) {
      int value = -1;
      pixels >> value;
      ASSERT_EQ(image.pixels[i], value) << "row " << row << " pixel " << i;
    }
  }
  EXPECT_EQ(row, 700U);
  EXPECT_EQ(sample, dataset.samples.size());
  EXPECT_EQ(dataset.rows, rows);
  EXPECT_EQ(dataset.source, "fer.csv and votes.csv");
}

TEST(FerCsv, ThreadsDoNotMatter) {
  const CsvPair text = random_csv(500);
  const Dataset expected = parse(text);
  for (const int threads : {1, 2, 4}) {
    const Threads use(threads);
    expect_equal_datasets(parse(text), expected);
  }
}

TEST(FerCsv, LinesMayEndAnywhereInAChunk) {
  const CsvPair plain = random_csv(400);
  const Dataset expected = parse(plain);
  // Spaces before the first emotion move some line feed to each place around the chunk's end.
  const std::size_t header = plain.fer.find('\n') + 1, chunk = std::size_t{1} << 20;
  const std::size_t line_feed = plain.fer.rfind('\n', header + chunk - 8) - header;
  for (std::size_t wanted = chunk - 4; wanted <= chunk + 3; ++wanted) {
    CsvPair moved = plain;
    moved.fer.insert(header, wanted - line_feed, ' ');
    ASSERT_EQ(moved.fer[header + wanted], '\n');
    expect_equal_datasets(parse(moved), expected);
  }
}

TEST(FerCsv, HarmlessVariationsAreAccepted) {
  const CsvPair plain = random_csv(12);
  const Dataset expected = parse(plain);
  const auto accept = [&](const std::string& fer, const std::string& ferplus) {
    expect_equal_datasets(parse({fer, ferplus}), expected);
  };
  const std::string crlf_fer = replaced(plain.fer, "\n", "\r\n");
  const std::string crlf_votes = replaced(plain.ferplus, "\n", "\r\n");
  accept(crlf_fer, crlf_votes);
  accept(crlf_fer + "\r\n\r\n", crlf_votes + "\r\n");
  accept("\xEF\xBB\xBF" + plain.fer, "\xEF\xBB\xBF" + plain.ferplus);
  accept(plain.fer + "\n\n  \n", plain.ferplus + "\n\t\n");
  accept(plain.fer.substr(0, plain.fer.size() - 1),
         plain.ferplus.substr(0, plain.ferplus.size() - 1));
  const auto quoted = [](const std::string& text) {
    const std::string all = replaced(replaced(text, ",", "\",\""), "\n", "\"\n\"");
    return '"' + all.substr(0, all.size() - 1);
  };
  accept(quoted(plain.fer), quoted(plain.ferplus));
  accept(replaced(plain.fer, ",", " , "), replaced(plain.ferplus, ",", " ,\t"));
  accept(replaced(plain.fer, " 1 ", "  001 "), plain.ferplus);
}

TEST(FerCsv, ANameTwiceIsTwoImages) {
  CsvPair text = random_csv(4);
  text.ferplus = replaced(text.ferplus, "face1.png", "face0.png");
  const Dataset dataset = parse(text);
  EXPECT_EQ(dataset.samples[0].name, dataset.samples[1].name);
  EXPECT_EQ(dataset.samples[1].row, 1U);
}

TEST(FerCsv, VotesAloneNeedNoPixels) {
  const std::vector<VoteRow> rows = parse_votes(random_csv(20).ferplus, "votes.csv");
  ASSERT_EQ(rows.size(), 20U);
  EXPECT_EQ(rows[0].name, "face0.png");
  EXPECT_EQ(rows[4].name, "");
  EXPECT_EQ(rows[15].usage, Split::train);
  EXPECT_EQ(rows[16].usage, Split::public_test);
  EXPECT_EQ(rows[19].usage, Split::private_test);
}

TEST(FerCsv, TheFirstDefectIsReportedWhateverTheThreadsDo) {
  const CsvPair plain = random_csv(600);
  std::vector<std::size_t> lines{0};
  for (std::size_t at = 0; (at = plain.fer.find('\n', at)) != std::string::npos;) {
    lines.push_back(++at);
  }
  const auto spoil = [&](std::string& text, std::size_t line) { text[lines[line - 1] + 20] = 'x'; };
  CsvPair spoilt = plain;
  for (const std::size_t line : {590U, 431U, 300U, 299U, 77U}) {
    spoil(spoilt.fer, line);
    std::string expected;
    for (const int threads : {1, 2, 4}) {
      const Threads use(threads);
      for (int repeat = 0; repeat < 5; ++repeat) {
        const std::string message = message_of([&] { parse(spoilt); });
        EXPECT_EQ(message.substr(0, message.find(": pixel ")), concat("fer.csv:", line));
        if (expected.empty()) expected = message;
        EXPECT_EQ(message, expected);
      }
    }
  }
}

// The value of every pixel, or nothing if the field is no list of 2304 numbers up to 255.
std::optional<std::vector<std::uint8_t>> read_slowly(const std::string& field) {
  std::vector<std::uint8_t> pixels;
  std::istringstream stream(field);
  for (std::string word; stream >> word;) {
    if (word.size() > 9 || !std::all_of(word.begin(), word.end(),
                                        [](unsigned char c) { return std::isdigit(c) != 0; })) {
      return std::nullopt;
    }
    if (std::stoi(word) > 255) return std::nullopt;
    pixels.push_back(static_cast<std::uint8_t>(std::stoi(word)));
  }
  if (pixels.size() != kFerPixels) return std::nullopt;
  return pixels;
}

TEST(FerCsv, SpoiltPixelsAreReadAsASlowReaderDoesOrNotAtAll) {
  static constexpr std::string_view kBytes = "0123456789   :;/.-+x\x10\x1f\x7f\x80\xb0\xca\xcf\xff";
  const std::string votes = std::string(kVotesHeaderLine) + "Training,a.png,9,0,0,0,0,0,0,0,0,0\n";
  std::size_t accepted = 0, refused = 0;
  for (std::uint64_t trial = 0; trial < 3000; ++trial) {
    RandomSequence random({.seed = trial, .stream = Stream::synth});
    const CsvPair plain = random_csv(1, trial % 50);
    const std::size_t begin = plain.fer.find(',', plain.fer.find('\n')) + 1;
    std::string field = plain.fer.substr(begin, plain.fer.rfind(',') - begin);
    for (std::uint32_t edits = 1 + random.below(3); edits > 0; --edits) {
      // Beginnings and ends are where mistakes hide.
      const auto size = static_cast<std::uint32_t>(field.size());
      const std::uint32_t where = random.coin()   ? random.below(size)
                                  : random.coin() ? random.below(9)
                                                  : size - 1 - random.below(9);
      const char byte = kBytes[random.below(static_cast<std::uint32_t>(kBytes.size()))];
      if (random.below(4) == 0) {
        field.insert(where, 1, byte);
      } else {
        field[where] = byte;
      }
    }
    const auto expected = read_slowly(field);
    const std::string fer = kFerHeader + ("3," + field) + ",Training\n";
    try {
      const Dataset dataset = parse({fer, votes});
      ASSERT_TRUE(expected.has_value()) << field;
      ASSERT_TRUE(std::equal(expected->begin(), expected->end(), dataset.pixels.begin()));
      ++accepted;
    } catch (const Error& error) {
      ASSERT_FALSE(expected.has_value()) << error.what() << '\n' << field;
      ++refused;
    }
  }
  EXPECT_GT(accepted, 300U);
  EXPECT_GT(refused, 300U);
}

TEST(FerCsv, TheRealFilesHaveTheCountsOfTheReference) {
  FERPLUS_NEEDS_SHARED("data/fer2013new.csv");
  const std::vector<VoteRow> rows = load_votes(shared_folder() / "data/fer2013new.csv");
  std::array<std::size_t, kSplits> all{}, named{};
  std::vector<std::array<std::size_t, kSplits>> kept(label_modes().size());
  for (const VoteRow& row : rows) {
    const auto split = static_cast<std::size_t>(row.usage);
    ++all[split];
    if (row.name.empty()) continue;
    ++named[split];
    for (const LabelModeInfo& mode : label_modes()) {
      kept[static_cast<std::size_t>(mode.mode)][split] += mode.target(row.votes).has_value();
    }
  }
  using Counts = std::array<std::size_t, kSplits>;
  EXPECT_EQ(all, (Counts{28709, 3589, 0}));
  EXPECT_EQ(named, (Counts{28561, 3579, 0}));
  EXPECT_EQ(kept[static_cast<std::size_t>(LabelMode::majority)], (Counts{25060, 3199, 0}));
  EXPECT_EQ(kept[static_cast<std::size_t>(LabelMode::probability)], (Counts{27956, 3505, 0}));
  EXPECT_EQ(kept[static_cast<std::size_t>(LabelMode::crossentropy)], (Counts{27956, 3505, 0}));
  EXPECT_EQ(kept[static_cast<std::size_t>(LabelMode::multi_target)], (Counts{27671, 3472, 0}));
}

}  // namespace
}  // namespace ferplus
