// Numbers as text.
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <ferplus/core/text.h>

namespace ferplus {
namespace {

TEST(Text, Fixed) {
  EXPECT_EQ(fixed(0.5, 2), "0.50");
  EXPECT_EQ(fixed(-1234.5678, 1), "-1234.6");
  EXPECT_EQ(fixed(2.5, 0), "2");
  EXPECT_EQ(fixed(std::nan(""), 3), "nan");
  EXPECT_EQ(fixed(-std::numeric_limits<double>::max(), 20).size(), 1u + 309 + 1 + 20);
}

TEST(Text, Percent) {
  EXPECT_EQ(percent(0.78212), "78.21 %");
  EXPECT_EQ(percent(1, 0), "100 %");
  EXPECT_EQ(percents(0.78525, 0.8122), "78.53 to 81.22 %");
}

TEST(Text, GroupsDigitsInThrees) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(28709), "28,709");
  EXPECT_EQ(grouped(123456789), "123,456,789");
}

}  // namespace
}  // namespace ferplus
