// The command against the reference's golden targets and on the real data; skipped, with a message,
// where the shared folder is not there.
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "support/shared.h"

namespace ferplus {
namespace {

constexpr int kVotes = 10, kTargetValues = 8;
constexpr double kTolerance = 1e-6;

std::vector<std::string> fields(const std::string& line) {
  std::vector<std::string> found;
  std::string field;
  for (std::istringstream stream(line); std::getline(stream, field, ',');) found.push_back(field);
  if (line.ends_with(',')) found.emplace_back();
  return found;
}

struct GoldenRow {
  std::string status;
  std::array<double, kTargetValues> target{};
};
// By mode, then by the ten votes as they stand in a CSV.
using Golden = std::map<std::string, std::map<std::string, GoldenRow>>;

Golden read_golden() {
  Golden golden;
  auto lines = lines_of(read_text(shared_folder() / "golden/targets.csv"));
  lines.erase(lines.begin());
  for (const std::string& line : lines) {
    const auto cells = fields(line);
    std::string votes;
    for (std::size_t i = 1; i <= kVotes; ++i) votes += ',' + cells.at(i);
    GoldenRow& row = golden[cells.at(0)][votes];
    row.status = cells.at(kVotes + 1);
    for (std::size_t i = 0; i < kTargetValues; ++i) {
      row.target[i] = std::stod(cells.at(kVotes + 2 + i));
    }
  }
  return golden;
}

// Runs `targets` on a fer2013new.csv and compares every row that has an image and golden votes;
// returns how many those are.
int compare_with_golden(const std::filesystem::path& ferplus, const std::string& mode,
                        const std::map<std::string, GoldenRow>& golden) {
  const TemporaryFolder folder;
  const std::string output = folder / "targets.csv";
  const CommandResult result =
      run_ferplus({"targets", "--ferplus", ferplus.string(), "-m", mode, "-o", output});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const auto votes_lines = lines_of(read_text(ferplus));
  const auto target_lines = lines_of(read_text(output));
  EXPECT_EQ(votes_lines.size(), target_lines.size());
  int compared = 0, wrong = 0;
  for (std::size_t line = 1; line < std::min(votes_lines.size(), target_lines.size()); ++line) {
    const auto cells = fields(target_lines[line]);
    EXPECT_EQ(cells.size(), 4U + kTargetValues) << target_lines[line];
    EXPECT_EQ(cells[0], std::to_string(line - 1));
    if (cells[3] == "no_image") continue;
    std::string votes = votes_lines[line].substr(votes_lines[line].find(',') + 1);
    votes = votes.substr(votes.find(','));
    if (votes.ends_with('\r')) votes.pop_back();
    const auto expected = golden.find(votes);
    if (expected == golden.end()) continue;
    ++compared;
    bool equal = cells[3] == expected->second.status;
    for (std::size_t i = 0; i < kTargetValues && equal; ++i) {
      equal = cells[3] == "keep"
                  ? std::abs(std::stod(cells[4 + i]) - expected->second.target[i]) <= kTolerance
                  : cells[4 + i].empty();
    }
    if (!equal && ++wrong < 5) ADD_FAILURE() << mode << ' ' << votes << ": " << target_lines[line];
  }
  EXPECT_EQ(wrong, 0);
  return compared;
}

TEST(GoldenTargets, EveryVoteVectorOfEveryMode) {
  FERPLUS_NEEDS_SHARED("golden/targets.csv");
  const TemporaryFolder folder;
  for (const auto& [mode, golden] : read_golden()) {
    std::string text =
        "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,"
        "NF\n";
    for (const auto& [votes, row] : golden) text += "Training,face.png" + votes + '\n';
    write_text(folder.path() / "fer2013new.csv", text);
    EXPECT_EQ(compare_with_golden(folder.path() / "fer2013new.csv", mode, golden),
              static_cast<int>(golden.size()));
  }
}

TEST(GoldenTargets, EveryRealRowWithGoldenVotes) {
  FERPLUS_NEEDS_SHARED("golden/targets.csv");
  FERPLUS_NEEDS_SHARED("data/fer2013new.csv");
  for (const auto& [mode, golden] : read_golden()) {
    EXPECT_GT(compare_with_golden(shared_folder() / "data/fer2013new.csv", mode, golden), 6000);
  }
}

TEST(RealData, InspectCountsWhatTheReferenceMeasured) {
  FERPLUS_NEEDS_SHARED("data/fer2013.csv.zst");
  const TemporaryFolder folder;
  const std::string fer = folder / "fer2013.csv";
  const std::string unpack =
      "zstd -dqf '" + (shared_folder() / "data/fer2013.csv.zst").string() + "' -o '" + fer + "'";
  if (std::system(unpack.c_str()) != 0) GTEST_SKIP() << "zstd is needed to unpack the real data";
  const CommandResult result = run_ferplus({"inspect", "--json", "--fer", fer, "--ferplus",
                                            (shared_folder() / "data/fer2013new.csv").string()});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto found = nlohmann::json::parse(result.out);

  const auto& train = found["splits"]["train"];
  const auto& public_test = found["splits"]["public"];
  EXPECT_EQ(train["rows"], 28709);
  EXPECT_EQ(train["images"], 28561);
  EXPECT_EQ(public_test["rows"], 3589);
  EXPECT_EQ(public_test["images"], 3579);
  EXPECT_EQ(found["splits"]["private"]["rows"], 0);
  const std::map<std::string, std::array<int, 2>> kept = {{"majority", {25060, 3199}},
                                                          {"probability", {27956, 3505}},
                                                          {"crossentropy", {27956, 3505}},
                                                          {"multi_target", {27671, 3472}}};
  for (const auto& [mode, counts] : kept) {
    EXPECT_EQ(train["modes"][mode]["kept"], counts[0]) << mode;
    EXPECT_EQ(public_test["modes"][mode]["kept"], counts[1]) << mode;
    EXPECT_EQ(train["modes"][mode]["dropped"], 28561 - counts[0]) << mode;
  }
  EXPECT_EQ(train["modes"]["majority"]["per_class"],
            (std::vector<int>{8740, 7287, 3149, 3014, 2100, 119, 532, 119}));
  EXPECT_EQ(public_test["modes"]["majority"]["per_class"],
            (std::vector<int>{1182, 865, 415, 351, 287, 24, 62, 13}));
  EXPECT_EQ(found["duplicates"], (nlohmann::json{{"groups", 1273},
                                                 {"images", 2795},
                                                 {"cross_split_groups", 269},
                                                 {"public_with_train_twin", 279},
                                                 {"private_with_train_twin", 0}}));
}

}  // namespace
}  // namespace ferplus
