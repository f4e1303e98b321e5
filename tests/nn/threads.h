// The binary that includes this runs its tests on one thread unless they say otherwise: their
// batches are so small that threads would mostly wait for one another, which on a busy machine (and
// under ctest -j) takes many times as long as the work.
#pragma once

#include <gtest/gtest.h>

#include "support/threads.h"

namespace ferplus {

class OneThread : public testing::Environment {
 public:
  void SetUp() override { set_thread_count(1); }
};
inline testing::Environment* const kOneThread = testing::AddGlobalTestEnvironment(new OneThread);

}  // namespace ferplus
