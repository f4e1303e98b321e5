#include <algorithm>
#include <cstring>

#include <ferplus/core/parallel.h>

#include "kernels/blocks.h"
#include "kernels/matrix_product.h"

namespace ferplus {
namespace {

// A task owns a slice of c of about this size: its sums, and the operands that meet in it for
// kDepthBlock of depth, stay in the L2 cache.
constexpr Index kSliceRows = 144;
constexpr Index kSliceColumns = 128;
constexpr Index kDepthBlock = 128;
constexpr Index kMinTasks = 8;

struct Slices {
  Blocks rows;
  Blocks panels;
};

Slices cut(const KernelTable& k, const TransposedProduct& product) {
  const Blocks rows = even_blocks(product.rows, kSliceRows, k.vector_width);
  const Index panels = ceil_divide(product.columns, k.tile_columns);
  const Index groups = std::min(panels, ceil_divide(kMinTasks, rows.count));
  const Index limit = std::min<Index>(ceil_divide(panels, groups), kSliceColumns / k.tile_columns);
  return {rows, even_blocks(panels, limit, 1)};
}

// One line more than a slice has rows, so that neighbouring rows fall into different cache sets.
constexpr Index kGatheredStride = kSliceRows + 16;
// Sums of a slice, and of the columns of b behind them.
constexpr Index kSumsFloats = (kSliceRows + 1) * kSliceColumns;

Index floats_per_thread(Index samples) {
  return kDepthBlock * (kGatheredStride + kSliceColumns) +
         tree_slots(micro_batches(samples)) * kSumsFloats;
}

class SliceTask {
 public:
  SliceTask(const KernelTable& k, const TransposedProduct& product, const Slices& slices,
            Index task, float* workspace)
      : k_(k),
        product_(product),
        first_row_(slices.rows.begin(task / slices.panels.count)),
        rows_(slices.rows.size(task / slices.panels.count)),
        first_column_(slices.panels.begin(task % slices.panels.count) * k.tile_columns),
        panels_(slices.panels.size(task % slices.panels.count)),
        wants_column_sums_(first_row_ == 0 && product.column_sums != nullptr),
        gathered_(workspace),
        packed_b_(gathered_ + kDepthBlock * kGatheredStride),
        sums_(packed_b_ + kDepthBlock * kSliceColumns) {}

  void run() {
    tree_reduce(
        micro_batches(product_.samples),
        [this](Index m, Index slot) { sum_micro_batch(m, sums_ + slot * kSumsFloats); },
        [this](Index to, Index from) {
          k_.add((rows_ + (wants_column_sums_ ? 1 : 0)) * width(), sums_ + from * kSumsFloats,
                 sums_ + to * kSumsFloats);
        });
    store();
  }

 private:
  Index width() const { return panels_ * k_.tile_columns; }

  // sums [rows_ + 1, width()], the last row for the column sums.
  void sum_micro_batch(Index m, float* sums) {
    const Index first_sample = m * kMicroBatch;
    const Index samples = std::min(kMicroBatch, product_.samples - first_sample);
    const Index first_depth = first_sample * product_.depth_per_sample;
    const Blocks blocks = even_blocks(samples * product_.depth_per_sample, kDepthBlock, 1);
    float* column_sums = sums + rows_ * width();
    std::fill_n(column_sums, width(), 0.0f);
    for (Index block = 0; block < blocks.count; ++block) {
      add_block(first_depth + blocks.begin(block), blocks.size(block), block > 0, sums);
    }
  }

  void add_block(Index first_depth, Index depth, bool accumulate, float* sums) {
    // Rows of the patches run along depth, their columns are rows of c.
    k_.gather(&product_.patches, first_depth, depth, first_row_, rows_, gathered_, kGatheredStride,
              k_.vector_width);
    const Blocks tiles = even_blocks(rows_, k_.tile_rows, 1);
    for (Index panel = 0; panel < panels_; ++panel) {
      float* const b = packed_b_ + panel * depth * k_.tile_columns;
      const Index column = first_column_ + panel * k_.tile_columns;
      pack_panel(k_, depth, product_.columns - column,
                 product_.b + first_depth * product_.ldb + column, product_.ldb, Transposed::no, b);
      float* out = sums + panel * k_.tile_columns;
      if (wants_column_sums_) k_.add_column_sums(depth, b, out + rows_ * width());
      for (Index tile = 0; tile < tiles.count; ++tile) {
        k_.multiply_transposed[tiles.size(tile) - 1](
            depth, gathered_ + tiles.begin(tile), kGatheredStride, b,
            out + tiles.begin(tile) * width(), width(), accumulate);
      }
    }
  }

  void store() const {
    const Index columns = std::min(width(), product_.columns - first_column_);
    const std::size_t bytes = static_cast<std::size_t>(columns) * sizeof(float);
    for (Index i = 0; i < rows_; ++i) {
      std::memcpy(product_.c + (first_row_ + i) * product_.ldc + first_column_, sums_ + i * width(),
                  bytes);
    }
    if (wants_column_sums_) {
      std::memcpy(product_.column_sums + first_column_, sums_ + rows_ * width(), bytes);
    }
  }

  const KernelTable& k_;
  const TransposedProduct& product_;
  const Index first_row_, rows_;
  const Index first_column_, panels_;
  const bool wants_column_sums_;
  float* const gathered_;
  float* const packed_b_;
  float* const sums_;
};

}  // namespace

std::size_t transposed_product_workspace_floats(Index samples, int threads) {
  return static_cast<std::size_t>(threads * floats_per_thread(samples));
}

void transposed_product(const KernelTable& k, const TransposedProduct& product, float* workspace) {
  const Slices slices = cut(k, product);
  parallel_for(slices.rows.count * slices.panels.count, [&](Index task) {
    SliceTask(k, product, slices, task,
              workspace + thread_index() * floats_per_thread(product.samples))
        .run();
  });
}

}  // namespace ferplus
