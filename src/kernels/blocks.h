// Cutting a range into blocks of nearly equal size.
#pragma once

#include <algorithm>

#include <ferplus/core/tensor.h>

namespace ferplus {

// Widest register tile of any ISA.
inline constexpr Index kMaxTileColumns = 32;

inline Index ceil_divide(Index a, Index b) { return (a + b - 1) / b; }

// [0, total) as `count` blocks whose sizes are multiples of `unit`, but for the end, and differ by
// one unit at most.
struct Blocks {
  Index total, count, unit;

  Index begin(Index block) const {
    const Index units = ceil_divide(total, unit);
    const Index small = units / count, larger = units % count;
    return std::min(total, (block * small + std::min(block, larger)) * unit);
  }
  Index size(Index block) const { return begin(block + 1) - begin(block); }
};

// As few blocks as keep each at most `limit`, a multiple of unit. REQUIRES: total >= 1.
inline Blocks even_blocks(Index total, Index limit, Index unit) {
  return {total, std::max<Index>(1, ceil_divide(total, limit)), unit};
}

}  // namespace ferplus
