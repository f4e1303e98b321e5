// Kernels of ElementwiseKernels whose results are exact, against their definitions on every ISA.
#include <array>
#include <vector>

#include <gtest/gtest.h>

#include <ferplus/core/random.h>
#include <ferplus/kernels/elementwise.h>

#include "kernels/operands.h"

namespace ferplus {
namespace {

TEST(Elementwise, DropoutDrawsFromPhiloxAsItsContractSays) {
  const test::RestoreIsa restore;
  const std::array<std::uint32_t, 4> counter{0xfffffff0, 2, 3, 4};  // word 0 wraps around
  const std::array<std::uint32_t, 2> key{0x89abcdef, 0x01234567};
  constexpr float kScale = 1.25f;
  const auto draw_of = [&](std::int64_t i) {
    std::array<std::uint32_t, 4> block = counter;
    block[0] += static_cast<std::uint32_t>(i / 128 * 16 + i % 16);
    const auto half = static_cast<std::size_t>(i / 16 % 8);
    return philox4x32(block, key)[half / 2] >> (half % 2 * 16) & 0xffff;
  };
  for (std::string_view isa : supported_isas()) {
    set_isa(isa);
    for (std::int64_t count : {1, 127, 128, 129, 1000}) {
      // The last value's own draw keeps it, one more drops it.
      const std::uint32_t last = draw_of(count - 1);
      for (std::uint32_t threshold : {0u, 1u, 16384u, 65535u, last, last + 1}) {
        const std::vector<float> before = test::normal_values(count, 3);
        std::vector<float> values = before, gradient = before;
        std::vector<std::uint8_t> kept(static_cast<std::size_t>((count + 127) / 128 * 16));
        elementwise().dropout(count, values.data(), counter.data(), key.data(), threshold, kScale,
                              kept.data());
        elementwise().dropout_gradient(count, kept.data(), kScale, gradient.data());
        EXPECT_TRUE(test::same_bits(gradient, values));
        for (std::int64_t i = 0; i < count; ++i) {
          const auto at = static_cast<std::size_t>(i);
          ASSERT_EQ(values[at], draw_of(i) < threshold ? 0.0f : before[at] * kScale)
              << isa << ", value " << i << " of " << count << ", threshold " << threshold;
        }
      }
    }
  }
}

}  // namespace
}  // namespace ferplus
