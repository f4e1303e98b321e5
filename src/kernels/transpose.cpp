#include "kernels/transpose.h"

#include <algorithm>
#include <cstring>

#include <ferplus/core/parallel.h>
#include <ferplus/kernels/gemm.h>

#include "kernels/blocks.h"

namespace ferplus {
namespace {

// Side of the squares that a task transposes: both sides of one stay in the L1 cache.
constexpr Index kSide = 64;

// to[j, i] = from[i, j] for i, j < 4.
void transpose_square(const float* from, Index from_stride, float* to, Index to_stride) {
  typedef float Four __attribute__((vector_size(16)));
  Four row[4];
  for (Index i = 0; i < 4; ++i) std::memcpy(&row[i], from + i * from_stride, sizeof(Four));
  const Four a = __builtin_shufflevector(row[0], row[1], 0, 4, 1, 5);
  const Four b = __builtin_shufflevector(row[2], row[3], 0, 4, 1, 5);
  const Four c = __builtin_shufflevector(row[0], row[1], 2, 6, 3, 7);
  const Four d = __builtin_shufflevector(row[2], row[3], 2, 6, 3, 7);
  const Four column[4] = {
      __builtin_shufflevector(a, b, 0, 1, 4, 5), __builtin_shufflevector(a, b, 2, 3, 6, 7),
      __builtin_shufflevector(c, d, 0, 1, 4, 5), __builtin_shufflevector(c, d, 2, 3, 6, 7)};
  for (Index i = 0; i < 4; ++i) std::memcpy(to + i * to_stride, &column[i], sizeof(Four));
}

}  // namespace

void transpose_block(Index rows, Index columns, const float* from, Index from_stride, float* to,
                     Index to_stride) {
  const Index whole_rows = rows / 4 * 4, whole_columns = columns / 4 * 4;
  for (Index j = 0; j < whole_columns; j += 4) {
    for (Index i = 0; i < whole_rows; i += 4) {
      transpose_square(from + i * from_stride + j, from_stride, to + j * to_stride + i, to_stride);
    }
  }
  const auto copy = [&](Index i, Index j) { to[j * to_stride + i] = from[i * from_stride + j]; };
  for (Index i = 0; i < rows; ++i) {
    for (Index j = i < whole_rows ? whole_columns : 0; j < columns; ++j) copy(i, j);
  }
}

void transpose(Index rows, Index columns, const float* from, Index from_stride, float* to,
               Index to_stride) {
  const Blocks row_blocks = even_blocks(rows, kSide, 4),
               column_blocks = even_blocks(columns, kSide, 4);
  parallel_for(row_blocks.count * column_blocks.count, [&](Index task) {
    const Index r = task / column_blocks.count, c = task % column_blocks.count;
    transpose_block(row_blocks.size(r), column_blocks.size(c),
                    from + row_blocks.begin(r) * from_stride + column_blocks.begin(c), from_stride,
                    to + column_blocks.begin(c) * to_stride + row_blocks.begin(r), to_stride);
  });
}

}  // namespace ferplus
