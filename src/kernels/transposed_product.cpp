#include <algorithm>
#include <cstring>

#include <ferplus/core/parallel.h>

#include "kernels/blocks.h"
#include "kernels/matrix_product.h"

namespace ferplus {
namespace {

// A task owns a slice of c of about this size: its sums, and the operands that meet in it for
// kRowBlock rows, stay in the L2 cache.
constexpr Index kSliceDepth = 144;
constexpr Index kSliceColumns = 128;
constexpr Index kRowBlock = 128;
constexpr Index kMinTasks = 8;

struct Slices {
  Blocks depth;
  Blocks panels;
};

Slices cut(const KernelTable& k, const TransposedProduct& product) {
  const Blocks depth = even_blocks(product.depth, kSliceDepth, k.vector_width);
  const Index panels = ceil_divide(product.columns, k.tile_columns);
  const Index groups = std::min(panels, ceil_divide(kMinTasks, depth.count));
  const Index limit = std::min<Index>(ceil_divide(panels, groups), kSliceColumns / k.tile_columns);
  return {depth, even_blocks(panels, limit, 1)};
}

// One line more than a slice is deep, so that neighbouring rows fall into different cache sets.
constexpr Index kGatheredStride = kSliceDepth + 16;
// Sums of a slice, and of the columns of b behind them.
constexpr Index kSumsFloats = (kSliceDepth + 1) * kSliceColumns;

Index floats_per_thread(Index samples) {
  return kRowBlock * (kGatheredStride + kSliceColumns) +
         tree_slots(micro_batches(samples)) * kSumsFloats;
}

class SliceTask {
 public:
  SliceTask(const KernelTable& k, const TransposedProduct& product, const Slices& slices,
            Index task, float* workspace)
      : k_(k),
        product_(product),
        first_depth_(slices.depth.begin(task / slices.panels.count)),
        depth_(slices.depth.size(task / slices.panels.count)),
        first_column_(slices.panels.begin(task % slices.panels.count) * k.tile_columns),
        panels_(slices.panels.size(task % slices.panels.count)),
        wants_column_sums_(first_depth_ == 0 && product.column_sums != nullptr),
        gathered_(workspace),
        packed_b_(gathered_ + kRowBlock * kGatheredStride),
        sums_(packed_b_ + kRowBlock * kSliceColumns) {}

  void run() {
    tree_reduce(
        micro_batches(product_.samples),
        [this](Index m, Index slot) { sum_micro_batch(m, sums_ + slot * kSumsFloats); },
        [this](Index to, Index from) {
          k_.add((depth_ + (wants_column_sums_ ? 1 : 0)) * width(), sums_ + from * kSumsFloats,
                 sums_ + to * kSumsFloats);
        });
    store();
  }

 private:
  Index width() const { return panels_ * k_.tile_columns; }

  // sums [depth_ + 1, width()], the last row for the column sums.
  void sum_micro_batch(Index m, float* sums) {
    const Index first_sample = m * kMicroBatch;
    const Index samples = std::min(kMicroBatch, product_.samples - first_sample);
    const Index first_row = first_sample * product_.rows_per_sample;
    const Blocks blocks = even_blocks(samples * product_.rows_per_sample, kRowBlock, 1);
    float* column_sums = sums + depth_ * width();
    std::fill_n(column_sums, width(), 0.0f);
    for (Index block = 0; block < blocks.count; ++block) {
      add_rows(first_row + blocks.begin(block), blocks.size(block), block > 0, sums);
    }
  }

  void add_rows(Index first_row, Index rows, bool accumulate, float* sums) {
    k_.gather(&product_.patches, first_row, rows, first_depth_, depth_, gathered_, kGatheredStride,
              k_.vector_width);
    const Blocks tiles = even_blocks(depth_, k_.tile_rows, 1);
    for (Index panel = 0; panel < panels_; ++panel) {
      const float* b = packed_b_ + panel * rows * k_.tile_columns;
      const Index column = first_column_ + panel * k_.tile_columns;
      // Panel 0 of the remaining columns, so that the packed rows start at packed_b_.
      pack_panel(k_, rows, product_.columns - column, 0, 0, rows,
                 product_.b + first_row * product_.ldb + column, product_.ldb, false,
                 packed_b_ + panel * rows * k_.tile_columns);
      float* out = sums + panel * k_.tile_columns;
      if (wants_column_sums_) k_.add_column_sums(rows, b, out + depth_ * width());
      for (Index tile = 0; tile < tiles.count; ++tile) {
        k_.multiply_transposed[tiles.size(tile) - 1](
            rows, gathered_ + tiles.begin(tile), kGatheredStride, b,
            out + tiles.begin(tile) * width(), width(), accumulate);
      }
    }
  }

  void store() const {
    const Index columns = std::min(width(), product_.columns - first_column_);
    const std::size_t bytes = static_cast<std::size_t>(columns) * sizeof(float);
    for (Index d = 0; d < depth_; ++d) {
      std::memcpy(product_.c + (first_depth_ + d) * product_.ldc + first_column_,
                  sums_ + d * width(), bytes);
    }
    if (wants_column_sums_) {
      std::memcpy(product_.column_sums + first_column_, sums_ + depth_ * width(), bytes);
    }
  }

  const KernelTable& k_;
  const TransposedProduct& product_;
  const Index first_depth_, depth_;
  const Index first_column_, panels_;
  const bool wants_column_sums_;
  float* const gathered_;
  float* const packed_b_;
  float* const sums_;
};

}  // namespace

std::size_t transposed_product_workspace_floats(const KernelTable&,
                                                const TransposedProduct& product, int threads) {
  return static_cast<std::size_t>(threads * floats_per_thread(product.samples));
}

void transposed_product(const KernelTable& k, const TransposedProduct& product, float* workspace) {
  const Slices slices = cut(k, product);
  parallel_for(slices.depth.count * slices.panels.count, [&](Index task) {
    SliceTask(k, product, slices, task,
              workspace + thread_index() * floats_per_thread(product.samples))
        .run();
  });
}

}  // namespace ferplus
