// Golden bits: numpy 1.24 float16 and ml_dtypes 0.5 bfloat16.
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <ferplus/core/half.h>

namespace ferplus {
namespace {

struct Rounding {
  std::uint32_t from;
  std::uint16_t half, bfloat16;
};

constexpr Rounding kRoundings[] = {
    {0x00000000, 0x0000, 0x0000},  // 0
    {0x80000000, 0x8000, 0x8000},  // -0
    {0x00000001, 0x0000, 0x0000},  // the smallest float
    {0x00008000, 0x0000, 0x0000},  // a tie between bfloat16 subnormals, to even
    {0x00018000, 0x0000, 0x0002},  // another
    {0x007fffff, 0x0000, 0x0080},  // the largest subnormal float
    {0x3f800000, 0x3c00, 0x3f80},  // 1
    {0xbf800000, 0xbc00, 0xbf80}, {0x3f800fff, 0x3c00, 0x3f80},  // just below a tie of halves
    {0x3f801000, 0x3c00, 0x3f80},                                // the tie, to even: down
    {0x3f801001, 0x3c01, 0x3f80}, {0x3f802fff, 0x3c01, 0x3f80},
    {0x3f803000, 0x3c02, 0x3f80},                                // to even: up
    {0x3f807fff, 0x3c04, 0x3f80}, {0x3f808000, 0x3c04, 0x3f80},  // a tie of bfloat16, to even: down
    {0x3f808001, 0x3c04, 0x3f81}, {0x3f818000, 0x3c0c, 0x3f82},  // to even: up
    {0x3eaaaaab, 0x3555, 0x3eab},                                // 1/3
    {0xc0490fdb, 0xc248, 0xc049},                                // -π
    {0x477fe000, 0x7bff, 0x4780},                                // 65504, the largest half
    {0x477fefff, 0x7bff, 0x4780}, {0x477ff000, 0x7c00, 0x4780},  // 65520
    {0xc77ff000, 0xfc00, 0xc780}, {0x47800000, 0x7c00, 0x4780},  // 65536
    {0x7f7f7fff, 0x7c00, 0x7f7f},                                // rounds to the largest bfloat16
    {0x7f7f8000, 0x7c00, 0x7f80},                                // the tie with 2^128
    {0x7f7fffff, 0x7c00, 0x7f80},                                // the largest float
    {0x7f800000, 0x7c00, 0x7f80},                                // infinity
    {0xff800000, 0xfc00, 0xff80}, {0x38800000, 0x0400, 0x3880},  // 2^-14, the smallest normal half
    {0x387fffff, 0x0400, 0x3880},                                // rounds up to it
    {0x387fdfff, 0x03ff, 0x3880},                                // the largest subnormal half
    {0x33800000, 0x0001, 0x3380},                                // 2^-24, the smallest half
    {0x33c00000, 0x0002, 0x33c0},                                // 1.5 of it: a tie, to even
    {0xb3c00000, 0x8002, 0xb3c0}, {0x34200000, 0x0002, 0x3420},  // 2.5 of it
    {0x34600000, 0x0004, 0x3460},                                // 3.5 of it
    {0x33000000, 0x0000, 0x3300},                                // half of it: a tie, to even
    {0x33000001, 0x0001, 0x3300}, {0x32ffffff, 0x0000, 0x3300},
};

TEST(Half, RoundsAsNumpy) {
  for (const Rounding& rounding : kRoundings) {
    EXPECT_EQ(half_from_float(std::bit_cast<float>(rounding.from)), rounding.half)
        << std::hex << rounding.from;
    EXPECT_EQ(bfloat16_from_float(std::bit_cast<float>(rounding.from)), rounding.bfloat16)
        << std::hex << rounding.from;
  }
}

// FNV-1a over whole values; the same sums come from numpy and ml_dtypes.
class Sum {
 public:
  void add(std::uint32_t value) { sum_ = (sum_ ^ value) * 1099511628211; }
  std::uint64_t value() const { return sum_; }

 private:
  std::uint64_t sum_ = 1469598103934665603;
};

TEST(Half, WidensEveryValueAsNumpy) {
  Sum half, bfloat16;
  for (std::uint32_t bits = 0; bits < 65536; ++bits) {
    const float a = float_from_half(static_cast<std::uint16_t>(bits));
    const float b = float_from_bfloat16(static_cast<std::uint16_t>(bits));
    if (!std::isnan(a)) {
      half.add(std::bit_cast<std::uint32_t>(a));
      EXPECT_EQ(half_from_float(a), bits);
    }
    if (!std::isnan(b)) {
      bfloat16.add(std::bit_cast<std::uint32_t>(b));
      EXPECT_EQ(bfloat16_from_float(b), bits);
    }
  }
  EXPECT_EQ(half.value(), 0x4cd9bb4c90018fbU);
  EXPECT_EQ(bfloat16.value(), 0xc0d7811a93b3ccfbU);
}

TEST(Half, RoundsFloatsOfAllSizesAsNumpy) {
  Sum half, bfloat16;
  for (std::uint32_t i = 0; i < 1 << 18; ++i) {
    const auto value = std::bit_cast<float>(i * 2654435761U);
    if (std::isnan(value)) continue;
    half.add(half_from_float(value));
    bfloat16.add(bfloat16_from_float(value));
  }
  EXPECT_EQ(half.value(), 0x5f9fc3a4a4d7322aU);
  EXPECT_EQ(bfloat16.value(), 0xd28f302ea1e6090bU);
}

TEST(Half, NansStayNans) {
  for (const std::uint32_t bits : {0x7fc00000U, 0x7f800001U, 0xffffffffU, 0xff800001U}) {
    const auto nan = std::bit_cast<float>(bits);
    EXPECT_TRUE(std::isnan(float_from_half(half_from_float(nan)))) << std::hex << bits;
    EXPECT_TRUE(std::isnan(float_from_bfloat16(bfloat16_from_float(nan)))) << std::hex << bits;
  }
  EXPECT_TRUE(std::isnan(float_from_half(0x7c01)));
}

}  // namespace
}  // namespace ferplus
