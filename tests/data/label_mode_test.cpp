#include <fstream>
#include <map>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/data/label_mode.h>

#include "support/shared.h"

namespace ferplus {
namespace {

// Lines of mode, ten votes, keep or drop, eight target values. Returns how many were checked.
std::size_t check_targets(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  std::size_t checked = 0;
  while (std::getline(file, line)) {
    std::vector<std::string> fields;
    std::istringstream stream(line);
    for (std::string field; std::getline(stream, field, ',');) fields.push_back(field);
    if (fields.size() != 20) {
      ADD_FAILURE() << line;
      continue;
    }
    Votes votes{};
    for (std::size_t i = 0; i < votes.size(); ++i) {
      votes[i] = static_cast<std::uint8_t>(std::stoi(fields[i + 1]));
    }
    const std::optional<Target> target = label_mode(fields[0]).target(votes);
    EXPECT_EQ(target.has_value(), fields[11] == "keep") << line;
    for (std::size_t i = 0; target && i < target->size(); ++i) {
      EXPECT_NEAR((*target)[i], std::stod(fields[12 + i]), 1e-6) << line;
    }
    ++checked;
  }
  return checked;
}

TEST(LabelMode, SmallFixture) {
  EXPECT_EQ(check_targets(test_files() / "label_mode/targets.csv"), 128U);
}

TEST(LabelMode, Golden) {
  FERPLUS_NEEDS_SHARED("golden/targets.csv");
  EXPECT_EQ(check_targets(shared_folder() / "golden/targets.csv"), 5332U);
}

TEST(LabelMode, EveryTenVoteVectorGivesADistributionOrNothing) {
  Votes votes{};
  std::size_t vectors = 0;
  const auto check = [&] {
    ++vectors;
    for (const LabelModeInfo& info : label_modes()) {
      const std::optional<Target> target = info.target(votes);
      if (!target) continue;
      const double sum = std::accumulate(target->begin(), target->end(), 0.0);
      if (info.mode == LabelMode::multi_target) {
        ASSERT_GT(sum, 1.0);
      } else {
        ASSERT_NEAR(sum, 1.0, 1e-6);
      }
    }
  };
  const auto place = [&](auto& self, std::size_t column, int left) -> void {
    if (column + 1 == votes.size()) {
      votes[column] = static_cast<std::uint8_t>(left);
      check();
      return;
    }
    for (int v = 0; v <= left; ++v) {
      votes[column] = static_cast<std::uint8_t>(v);
      self(self, column + 1, left - v);
    }
  };
  place(place, 0, 10);
  EXPECT_EQ(vectors, 92378U);
}

TEST(LabelMode, OnlyProbabilityDraws) {
  const Votes votes{5, 0, 0, 3, 0, 2, 0, 0, 0, 0};
  for (const LabelModeInfo& info : label_modes()) {
    const auto target = info.target(votes);
    if (!target) continue;
    RandomSequence random({.seed = 1, .stream = Stream::label});
    const Target shown = info.draw_target(*target, random);
    EXPECT_EQ(shown == *target, info.mode != LabelMode::probability) << info.name;
  }
}

TEST(LabelMode, DrawnLabelsFollowTheTarget) {
  const LabelModeInfo& mode = label_mode(LabelMode::probability);
  const Target target = mode.target({5, 0, 0, 3, 0, 2, 0, 0, 0, 0}).value();
  std::array<double, kClasses> share{};
  constexpr int kDraws = 40000;
  for (std::uint32_t i = 0; i < kDraws; ++i) {
    RandomSequence random({.seed = 7, .stream = Stream::label, .epoch = 3, .sample = i});
    const Target one_hot = mode.draw_target(target, random);
    ASSERT_EQ(std::accumulate(one_hot.begin(), one_hot.end(), 0.0F), 1.0F);
    share[static_cast<std::size_t>(argmax(one_hot))] += 1.0 / kDraws;
  }
  for (std::size_t c = 0; c < share.size(); ++c) EXPECT_NEAR(share[c], target[c], 0.01) << c;
}

TEST(LabelMode, NamesAreOneToOne) {
  for (const LabelModeInfo& info : label_modes()) {
    EXPECT_EQ(&label_mode(info.name), &info);
    EXPECT_EQ(&label_mode(info.mode), &info);
  }
}

TEST(LabelMode, AMistypedNameGetsTheNearestOne) {
  try {
    label_mode("mulit_target");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(),
                 "unknown mode 'mulit_target': did you mean multi_target? (choose from majority, "
                 "probability, crossentropy, multi_target)");
  }
}

TEST(LabelMode, ArgmaxTakesTheFirst) {
  const std::array<float, 4> values{1, 3, 3, 2};
  EXPECT_EQ(argmax(values), 1);
}

}  // namespace
}  // namespace ferplus
