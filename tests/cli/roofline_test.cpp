// tools/plot_roofline.py: what it draws of a benchmark's JSON, and what it refuses.
#include <cstdlib>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

json row(const std::string& name, double share, const std::string& type = "iteration") {
  return {{"name", name + "/real_time"},
          {"run_name", name + "/real_time"},
          {"run_type", type},
          {"fma_share", share},
          {"FLOP/s", share * 200e9}};
}

class Roofline : public ::testing::Test {
 protected:
  void SetUp() override {
    if (std::system("python3 -c '' 2>/dev/null") != 0) GTEST_SKIP() << "there is no python3 here";
  }
  // Its exit status; the picture or message is in the folder.
  int plot(const std::string& text, const std::string& more = "") {
    write_text(folder_.path() / "bench.json", text);
    const std::string command = "python3 " FERPLUS_TEST_FILES "/../../tools/plot_roofline.py '" +
                                (folder_ / "bench.json").string() + "' -o '" +
                                (folder_ / "out.svg").string() + "' " + more + " 2>'" +
                                (folder_ / "errors").string() + "'";
    return std::system(command.c_str());
  }

  TemporaryFolder folder_;
};

TEST_F(Roofline, DrawsMediansOfTheLargestBatchOfTheFirstIsa) {
  const std::string base = "conv2d/forward/winograd4/avx512/conv1_2/batch:";
  const json bench = {{"context", {{"threads", "2"}}},
                      {"benchmarks",
                       {row(base + "32", 2.25), row(base + "32", 2.75), row(base + "32", 9.5),
                        row(base + "32", 7.75, "aggregate"), row(base + "1", 1.125),
                        row("conv2d/backward_weights/direct/avx512/conv1_1/batch:32", 0.625),
                        row("conv2d/forward/winograd4/avx2/conv1_2/batch:32", 1.375),
                        row("gemm/avx512/64", 0.875)}}};
  ASSERT_EQ(plot(bench.dump()), 0) << read_text(folder_ / "errors");
  const std::string svg = read_text(folder_ / "out.svg");
  EXPECT_THAT(svg, AllOf(HasSubstr(">2.75<"), HasSubstr(">0.62<"), HasSubstr("winograd4"),
                         HasSubstr("conv1_1"), HasSubstr("2 threads"), HasSubstr("200.0 GFLOP/s"),
                         HasSubstr("gradient of the weights"), HasSubstr("550.0 GFLOP/s")));
  for (const char* absent : {">9.50<", ">7.75<", ">1.12<", ">1.38<", ">0.88<", "of the input"}) {
    EXPECT_THAT(svg, Not(HasSubstr(absent)));
  }
  ASSERT_EQ(plot(bench.dump(), "--isa avx2"), 0);
  EXPECT_THAT(read_text(folder_ / "out.svg"), AllOf(HasSubstr(">1.38<"), HasSubstr("avx2")));
}

TEST_F(Roofline, RefusesWhatIsNoBenchmark) {
  for (const std::string text :
       {"", "{}", R"({"context": {}, "benchmarks": []})",
        R"({"context": {}, "benchmarks": [{"run_name": "gemm/avx2", "fma_share": 1}]})"}) {
    EXPECT_NE(plot(text), 0) << text;
    EXPECT_THAT(read_text(folder_ / "errors"),
                AllOf(HasSubstr("bench.json"), Not(HasSubstr("Traceback"))));
    EXPECT_FALSE(std::filesystem::exists(folder_ / "out.svg"));
  }
}

}  // namespace
}  // namespace ferplus
