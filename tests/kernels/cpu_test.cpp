#include <cstdio>
#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/kernels/cpu.h>

#include "kernels/operands.h"

namespace ferplus {
namespace {

using ::testing::ExitedWithCode;
using ::testing::HasSubstr;

TEST(Cpu, BaselineRunsEverywhereAndIsLast) {
  ASSERT_FALSE(supported_isas().empty());
  EXPECT_EQ(supported_isas().back(), "baseline");
#if defined(__aarch64__)
  EXPECT_EQ(supported_isas().front(), "neon");
#endif
}

TEST(Cpu, SetIsaSwitchesToEachSupportedOne) {
  test::RestoreIsa restore;
  for (std::string_view isa : supported_isas()) {
    set_isa(isa);
    EXPECT_EQ(isa_name(), isa);
  }
}

TEST(Cpu, SetIsaRejectsWhatIsUnknownOrCannotRun) {
  const std::string before(isa_name());
  const auto message = [](std::string_view isa) -> std::string {
    try {
      set_isa(isa);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(message("mmx"), HasSubstr("'mmx', which is unknown"));
  EXPECT_THAT(message("mmx"), HasSubstr("baseline"));
#if defined(__aarch64__)
  EXPECT_THAT(message("avx2"), HasSubstr("cannot run"));
#else
  EXPECT_THAT(message("neon"), HasSubstr("cannot run"));
#endif
  EXPECT_EQ(isa_name(), before);
}

// The environment variable is read at first use: each of these runs in a process of its own.
[[noreturn]] void print_isa_with(const char* value) {
  if (value == nullptr) {
    unsetenv("FERPLUS_ISA");
  } else {
    setenv("FERPLUS_ISA", value, 1);
  }
  try {
    std::fprintf(stderr, "in use: %s\n", std::string(isa_name()).c_str());
    std::exit(0);
  } catch (const UsageError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    std::exit(2);
  }
}

class CpuEnvironmentDeathTest : public ::testing::Test {
 protected:
  CpuEnvironmentDeathTest() { ::testing::GTEST_FLAG(death_test_style) = "threadsafe"; }
};

TEST_F(CpuEnvironmentDeathTest, ForcesAnIsa) {
  EXPECT_EXIT(print_isa_with("baseline"), ExitedWithCode(0), "in use: baseline");
}

TEST_F(CpuEnvironmentDeathTest, UnsetOrEmptyMeansTheBest) {
  const std::string best = "in use: " + std::string(supported_isas().front());
  EXPECT_EXIT(print_isa_with(nullptr), ExitedWithCode(0), best);
  EXPECT_EXIT(print_isa_with(""), ExitedWithCode(0), best);
}

TEST_F(CpuEnvironmentDeathTest, UnknownIsAnErrorThatNamesTheVariable) {
  EXPECT_EXIT(print_isa_with("avx9"), ExitedWithCode(2),
              "FERPLUS_ISA asks for the instruction set 'avx9', which is unknown; choose one of");
}

}  // namespace
}  // namespace ferplus
