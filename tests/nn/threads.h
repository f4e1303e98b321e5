// How many threads a test runs on.
//
// The binary that includes this runs its tests on one thread unless they say otherwise: their
// batches are so small that threads would mostly wait for one another, which on a busy machine (and
// under ctest -j) takes many times as long as the work.
#pragma once

#include <gtest/gtest.h>

#include <ferplus/core/parallel.h>

namespace ferplus {

// So many threads while it lives.
class Threads {
 public:
  explicit Threads(int count) { set_thread_count(count); }
  ~Threads() { set_thread_count(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_ = thread_count();
};

class OneThread : public testing::Environment {
 public:
  void SetUp() override { set_thread_count(1); }
};
inline testing::Environment* const kOneThread = testing::AddGlobalTestEnvironment(new OneThread);

}  // namespace ferplus
