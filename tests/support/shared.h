// Where the tests find what is not in the repository: real data and golden outputs.
#pragma once

#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

namespace ferplus {

// The folder named by FERPLUS_SHARED, by default ../shared beside the repository; may not exist.
inline std::filesystem::path shared_folder() {
  const char* named = std::getenv("FERPLUS_SHARED");
  return named != nullptr ? named : FERPLUS_DEFAULT_SHARED;
}

inline std::filesystem::path test_files() { return FERPLUS_TEST_FILES; }

}  // namespace ferplus

// Skips the running test, saying why, where `relative` is not in the shared folder.
#define FERPLUS_NEEDS_SHARED(relative)                                                \
  if (!std::filesystem::exists(::ferplus::shared_folder() / (relative)))              \
  GTEST_SKIP() << "not found: " << (::ferplus::shared_folder() / (relative)).string() \
               << " (set FERPLUS_SHARED to the folder that has it)"
