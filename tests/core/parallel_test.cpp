#include <atomic>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <ferplus/core/parallel.h>

namespace ferplus {
namespace {

class ParallelFor : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { set_thread_count(GetParam()); }
  void TearDown() override { set_thread_count(before_); }
  int before_ = thread_count();
};

TEST_P(ParallelFor, VisitsEachIndexOnce) {
  for (Index count : {0, 1, 2, 7, 100}) {
    std::vector<std::atomic<int>> visits(static_cast<std::size_t>(count));
    parallel_for(count, [&](Index i) { ++visits[static_cast<std::size_t>(i)]; });
    for (const auto& visit : visits) EXPECT_EQ(visit, 1);
  }
}

TEST_P(ParallelFor, RethrowsAnErrorOfTheBody) {
  EXPECT_THROW(parallel_for(50,
                            [](Index i) {
                              if (i == 13) throw std::runtime_error("thirteen");
                            }),
               std::runtime_error);
}

TEST_P(ParallelFor, NestedLoopsRunSerially) {
  std::atomic<int> total{0};
  parallel_for(4, [&](Index) {
    const auto thread = std::this_thread::get_id();
    const int index = thread_index();
    parallel_for(5, [&](Index) {
      EXPECT_EQ(std::this_thread::get_id(), thread);
      EXPECT_EQ(thread_index(), index);
      ++total;
    });
  });
  EXPECT_EQ(total, 20);
}

TEST_P(ParallelFor, ThreadIndexStaysBelowTheCount) {
  parallel_for(100, [&](Index) {
    EXPECT_GE(thread_index(), 0);
    EXPECT_LT(thread_index(), GetParam());
  });
  EXPECT_EQ(thread_index(), 0);
  // On the threads of somebody else's region each loop is serial and stands alone.
#pragma omp parallel num_threads(3)
  parallel_for(2, [](Index) { EXPECT_EQ(thread_index(), 0); });
}

INSTANTIATE_TEST_SUITE_P(Threads, ParallelFor, testing::Values(1, 2, 4));

TEST(FlushDenormals, ActsInItsScopeOnly) {
  volatile float tiny = 1e-38f, tenth = 0.1f;
  {
    const FlushDenormals flush;
    volatile float product = tiny * tenth;
    EXPECT_EQ(product, 0.0f);
  }
  volatile float product = tiny * tenth;
  EXPECT_NE(product, 0.0f);
}

TEST(TreeCombine, JoinsGroupsInOrderAndTheseInAFixedTree) {
  auto tree = [](Index count, Index group) {
    std::vector<std::string> parts;
    for (Index i = 0; i < count; ++i) parts.push_back(std::to_string(i));
    tree_combine(count, group, [&](Index to, Index from) {
      parts[static_cast<std::size_t>(to)] = "(" + parts[static_cast<std::size_t>(to)] + "+" +
                                            parts[static_cast<std::size_t>(from)] + ")";
    });
    return parts[0];
  };
  EXPECT_EQ(tree(1, 1), "0");
  EXPECT_EQ(tree(4, 1), "((0+1)+(2+3))");
  EXPECT_EQ(tree(5, 1), "(((0+1)+(2+3))+4)");
  EXPECT_EQ(tree(2, 3), "(0+1)");
  EXPECT_EQ(tree(8, 3), "((((0+1)+2)+((3+4)+5))+(6+7))");
}

TEST(TreeReduce, MakesPartsInOrderAndJoinsThemAsTreeCombineDoes) {
  for (Index count = 1; count <= 40; ++count) {
    std::vector<std::string> parts, slots(static_cast<std::size_t>(tree_slots(count)));
    const auto join_in = [](std::vector<std::string>& sums) {
      return [&sums](Index to, Index from) {
        std::string& sum = sums.at(static_cast<std::size_t>(to));
        sum = "(" + sum + "+" + sums.at(static_cast<std::size_t>(from)) + ")";
      };
    };
    const auto make = [&](Index part, Index slot) {
      ASSERT_EQ(part, static_cast<Index>(parts.size()));
      parts.push_back(std::to_string(part));
      slots.at(static_cast<std::size_t>(slot)) = parts.back();
    };
    tree_reduce(count, make, join_in(slots));
    ASSERT_EQ(static_cast<Index>(parts.size()), count);
    tree_combine(count, 1, join_in(parts));
    EXPECT_EQ(slots[0], parts[0]);
    EXPECT_FALSE(slots.back().empty()) << "a slot too many for " << count;
  }
}

TEST(TreeSum, JoinsMicroBatchesAsTreeCombineDoes) {
  for (Index count : {1, 7, 8, 9, 33, 57, 64, 250}) {
    const auto value = [](Index i) { return 1.0f / static_cast<float>(i + 1); };
    std::vector<float> parts;
    for (Index part = 0; part < micro_batches(count); ++part) {
      float sum = 0;
      for (Index i = part * kMicroBatch; i < std::min(count, (part + 1) * kMicroBatch); ++i) {
        sum += value(i);
      }
      parts.push_back(sum);
    }
    tree_combine(micro_batches(count), 1, [&](Index to, Index from) {
      parts[static_cast<std::size_t>(to)] += parts[static_cast<std::size_t>(from)];
    });
    EXPECT_EQ(tree_sum(count, value), parts[0]) << count;
  }
  EXPECT_EQ(tree_sum(0, [](Index) { return 1.0; }), 0.0);
}

}  // namespace
}  // namespace ferplus
