#include "kernels/matrix_product.h"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include <ferplus/core/buffer.h>
#include <ferplus/core/parallel.h>

#include "kernels/blocks.h"
#include "kernels/operation.h"
#include "kernels/transpose.h"

namespace ferplus {
namespace {

// Tall register tiles per task: their gathered rows, depth_block deep, stay in the L2 cache.
constexpr Index kTilesPerTask = 8;
// A product is cut into at least this many tasks if its size allows.
constexpr Index kMinTasks = 8;

struct Tasks {
  Blocks rows;    // of product rows
  Blocks panels;  // of column panels
};

Tasks cut(const KernelTable& k, const MatrixProduct& product) {
  const Blocks rows = even_blocks(product.rows, kTilesPerTask * k.tile_rows, 1);
  const Index panels = ceil_divide(product.columns, k.tile_columns);
  const Index groups = std::min(panels, ceil_divide(kMinTasks, rows.count));
  return {rows, even_blocks(panels, ceil_divide(panels, groups), 1)};
}

Index gathered_floats(const KernelTable& k) {
  return static_cast<Index>(kTilesPerTask) * k.tile_rows * k.depth_block;
}

// With room for the same values rounded.
Index floats_per_thread(const KernelTable& k) { return gathered_floats(k) * 3 / 2; }

// One register tile, also where fewer than tile_columns columns are left.
template <typename Element>
void multiply_tile(const KernelTable& k, Index rows, Index columns, Index depth, const Element* a,
                   const Element* b, float* c, Index ldc, const Epilogue& epilogue) {
  const auto multiply = Operation<Element>::multiply(rows);
  if (columns >= k.tile_columns) {
    multiply(depth, a, b, c, ldc, &epilogue);
    return;
  }
  alignas(kAlignment) float tile[kMaxTileRows * kMaxTileColumns];
  alignas(kAlignment) float bias[kMaxTileColumns] = {};
  Epilogue padded = epilogue;
  if (epilogue.bias != nullptr) {
    std::copy_n(epilogue.bias, columns, bias);
    padded.bias = bias;
  }
  std::fill_n(tile, rows * k.tile_columns, 0.0f);
  if (epilogue.accumulate) {
    for (Index i = 0; i < rows; ++i) std::copy_n(c + i * ldc, columns, tile + i * k.tile_columns);
  }
  multiply(depth, a, b, tile, k.tile_columns, &padded);
  for (Index i = 0; i < rows; ++i) std::copy_n(tile + i * k.tile_columns, columns, c + i * ldc);
}

template <typename Element>
void run_task(const KernelTable& k, const MatrixProduct& product, const Element* packed,
              Index first_row, Index rows, Index first_panel, Index panels, float* gathered) {
  const Blocks tiles = even_blocks(rows, k.tile_rows, 1);
  const Blocks depths = even_blocks(product.depth, k.depth_block, k.vector_width);
  for (Index block = 0; block < depths.count; ++block) {
    const Index first_depth = depths.begin(block);
    const Index depth = depths.size(block);
    const Index padded_depth = ceil_divide(depth, k.vector_width) * k.vector_width;
    for (Index tile = 0; tile < tiles.count; ++tile) {
      const Index tile_rows = tiles.size(tile);
      k.gather(&product.patches, first_row + tiles.begin(tile), tile_rows, first_depth, depth,
               gathered + tiles.begin(tile) * padded_depth, k.vector_width,
               tile_rows * k.vector_width);
    }
    const Element* a;
    if constexpr (std::is_same_v<Element, float>) {
      a = gathered;
    } else {
      auto* const rounded = reinterpret_cast<Bf16*>(gathered + gathered_floats(k));
      bf16_kernels().round(rows * padded_depth, gathered, rounded);
      a = rounded;
    }
    const bool is_last = block + 1 == depths.count;
    for (Index panel = first_panel; panel < first_panel + panels; ++panel) {
      const Index column = panel * k.tile_columns;
      const Element* b = packed + (panel * product.depth + first_depth) * k.tile_columns;
      const Epilogue epilogue{block > 0, is_last && product.relu,
                              is_last && product.bias != nullptr ? product.bias + column : nullptr};
      for (Index tile = 0; tile < tiles.count; ++tile) {
        multiply_tile(k, tiles.size(tile), product.columns - column, depth,
                      a + tiles.begin(tile) * padded_depth, b,
                      product.c + (first_row + tiles.begin(tile)) * product.ldc + column,
                      product.ldc, epilogue);
      }
    }
  }
}

}  // namespace

void pack_panel(const KernelTable& k, Index depth, Index columns, const float* b, Index ldb,
                Transposed transposed, float* packed) {
  const Index width = k.tile_columns, count = std::min(width, columns);
  if (count < width) std::fill_n(packed, depth * width, 0.0f);
  if (transposed == Transposed::yes) {
    transpose_block(count, depth, b, ldb, packed, width);
    return;
  }
  for (Index d = 0; d < depth; ++d) {
    std::memcpy(packed + d * width, b + d * ldb, static_cast<std::size_t>(count) * sizeof(float));
  }
}

void pack_pairs(const KernelTable& k, Index rows, const float* panel, Bf16* packed) {
  const Index width = k.tile_columns;
  Bf16 rounded[2 * kMaxTileColumns];
  for (Index row = 0; row < rows; row += 2, panel += 2 * width) {
    bf16_kernels().round(2 * width, panel, rounded);
    for (Index j = 0; j < width; ++j, packed += 2) {
      packed[0] = rounded[j];
      packed[1] = rounded[width + j];
    }
  }
}

std::size_t matrix_product_workspace_floats(const KernelTable& k, int threads) {
  return static_cast<std::size_t>(threads * floats_per_thread(k));
}

void matrix_product(const KernelTable& k, const MatrixProduct& product, float* workspace) {
  const Tasks tasks = cut(k, product);
  parallel_for(tasks.rows.count * tasks.panels.count, [&](Index task) {
    const Index rows = task / tasks.panels.count, panels = task % tasks.panels.count;
    const auto run = [&](const auto* packed) {
      run_task(k, product, packed, tasks.rows.begin(rows), tasks.rows.size(rows),
               tasks.panels.begin(panels), tasks.panels.size(panels),
               workspace + thread_index() * floats_per_thread(k));
    };
    product.precision == Precision::bf16 ? run(static_cast<const Bf16*>(product.packed_b))
                                         : run(static_cast<const float*>(product.packed_b));
  });
}

}  // namespace ferplus
