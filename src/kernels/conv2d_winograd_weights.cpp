#include <algorithm>
#include <cstring>

#include <ferplus/core/parallel.h>

#include "kernels/blocks.h"
#include "kernels/conv2d_winograd.h"
#include "kernels/operation.h"

namespace ferplus::winograd {
namespace {

// A task owns a slice of the gradient, rows for in channels and columns for out channels, and
// transforms the tiles that meet there a block at a time. Sums and operands of a slice are a little
// more than an L2 cache holds: larger slices transform less often, smaller ones move less.
constexpr Index kSliceRows = 64, kSliceColumns = 128;
// In bfloat16 twice as many tiles take the same room.
template <typename Element>
constexpr Index kBlockTiles = 42 * static_cast<Index>(sizeof(float) / sizeof(Element));
// With fewer slices than this, micro-batches are tasks of their own; with fewer than that, parts of
// micro-batches.
constexpr Index kMinSlices = 8, kMinPartSlices = 4;

// Elements of the gradient that a task joins.
constexpr Index kJoinBlock = 8192;

struct Slices {
  Blocks rows, columns;
  Index count() const { return rows.count * columns.count; }
};

Slices cut(const KernelTable& k, const ConvShape& shape) {
  return {even_blocks(shape.in_channels, kSliceRows, k.vector_width),
          even_blocks(shape.out_channels, kSliceColumns, k.tile_columns)};
}

// Sums of a slice in gradient form, and of the bias gradient behind them.
constexpr Index kSumsFloats = (9 * kSliceRows + 1) * kSliceColumns;

template <typename Element>
constexpr Index kInputStride = kBlockTiles<Element>* kSliceRows + kStridePadding;
template <typename Element>
constexpr Index kGradientStride = kBlockTiles<Element>* kSliceColumns + kStridePadding;
constexpr Index kProductStride = kSliceRows * kSliceColumns + kStridePadding;

Index floats_per_thread(const WinogradTransforms& w, Index slots) {
  return std::max(kSliceRows, kSliceColumns) + kSliceColumns +
         coordinates(w) * (kInputStride<float> + kGradientStride<float> + kProductStride) +
         slots * kSumsFloats;
}

struct Operands {
  const WinogradTransforms& w;
  const ConvShape& shape;
  const float* input;
  ConvGradient output_gradient;
};

template <typename Element>
class SliceTask {
 public:
  SliceTask(const Operands& operands, const Slices& slices, Index slice, float* workspace)
      : k_(kernels()),
        w_(operands.w),
        shape_(operands.shape),
        operands_(operands),
        in_(tiles_of_input(w_, shape_)),
        out_(tiles_of_output(w_, shape_)),
        first_row_(slices.rows.begin(slice / slices.columns.count)),
        rows_(slices.rows.size(slice / slices.columns.count)),
        first_column_(slices.columns.begin(slice % slices.columns.count)),
        columns_(slices.columns.size(slice % slices.columns.count)),
        width_(ceil_divide(columns_, k_.tile_columns) * k_.tile_columns),
        zeros_(workspace),
        block_sums_(zeros_ + std::max(kSliceRows, kSliceColumns)),
        inputs_(reinterpret_cast<Element*>(block_sums_ + kSliceColumns)),
        gradients_(inputs_ + coordinates(w_) * kInputStride<Element>),
        products_(block_sums_ + kSliceColumns +
                  coordinates(w_) * (kInputStride<float> + kGradientStride<float>)),
        sums_(products_ + coordinates(w_) * kProductStride) {
    std::fill_n(zeros_, std::max(kSliceRows, kSliceColumns), 0.0f);
  }

  // Sums the whole batch into the gradient's slice; bias_gradient may be null.
  void sum_batch(float* gradient, float* bias_gradient) {
    tree_reduce(
        micro_batches(shape_.batch),
        [this](Index m, Index slot) {
          sum_tiles(m * tiles_per_micro_batch(), tiles_of_micro_batch(m),
                    sums_ + slot * kSumsFloats);
        },
        [this](Index to, Index from) {
          k_.add(sums_size(), sums_ + from * kSumsFloats, sums_ + to * kSumsFloats);
        });
    store(gradient, bias_gradient);
  }

  // The same for part `part` of micro-batch m; zeros if it has fewer parts.
  void sum_part(Index m, Index part, Index parts, float* gradient, float* bias_gradient) {
    const Blocks blocks{tiles_of_micro_batch(m), parts, 1};
    sum_tiles(m * tiles_per_micro_batch() + blocks.begin(part), blocks.size(part), sums_);
    store(gradient, bias_gradient);
  }

 private:
  Index sums_size() const { return (9 * rows_ + 1) * width_; }
  Index tiles_per_micro_batch() const { return kMicroBatch * in_.tiles_down * in_.tiles_across; }
  Index tiles_of_micro_batch(Index m) const {
    return std::min(kMicroBatch, shape_.batch - m * kMicroBatch) * in_.tiles_down *
           in_.tiles_across;
  }

  void sum_tiles(Index first_tile, Index tiles, float* sums) {
    if (tiles == 0) {
      std::fill_n(sums, sums_size(), 0.0f);
      return;
    }
    const Blocks blocks = even_blocks(tiles, kBlockTiles<Element>, 2);
    float* bias_sums = sums + 9 * rows_ * width_;
    std::fill_n(bias_sums, width_, 0.0f);
    for (Index block = 0; block < blocks.count; ++block) {
      add_tiles(first_tile + blocks.begin(block), blocks.size(block), block > 0, bias_sums);
    }
    w_.weights_gradient(rows_, width_, products_, kProductStride, sums, rows_ * width_);
  }

  void add_tiles(Index first_tile, Index tiles, bool accumulate, float* bias_sums) {
    using Run = Operation<Element>;
    // Elements that lie together: of one tile, or of two.
    constexpr Index kTogether = Run::kTilesTogether;
    const Index lda = kTogether * rows_;
    const TransformLayout input_layout{kInputStride<Element>, lda, kTogether * k_.vector_width, 1};
    Run::transposed_input(w_)(&in_, operands_.input, nullptr, first_tile, tiles, first_row_, rows_,
                              zeros_, &input_layout, inputs_, nullptr);
    const Index panel_size = kBlockTiles<Element> * k_.tile_columns;
    const TransformLayout gradient_layout{kGradientStride<Element>, kTogether * k_.tile_columns,
                                          panel_size, k_.tile_columns / k_.vector_width};
    // Columns of the last panel past the end hold what was there before; their sums are not stored.
    std::fill_n(block_sums_, width_, 0.0f);
    const ConvGradient& gradient = operands_.output_gradient;
    Run::transposed_output_gradient(w_)(&out_, gradient.data,
                                        static_cast<const PoolPlaces*>(gradient.places), first_tile,
                                        tiles, first_column_, columns_, zeros_, &gradient_layout,
                                        gradients_, first_row_ == 0 ? block_sums_ : nullptr);
    k_.add(width_, block_sums_, bias_sums);

    const Blocks row_blocks = even_blocks(rows_, k_.tile_rows, 1);
    const Index depth = ceil_divide(tiles, kTogether) * kTogether;
    for (Index x = 0; x < coordinates(w_); ++x) {
      for (Index panel = 0; panel * k_.tile_columns < width_; ++panel) {
        for (Index r = 0; r < row_blocks.count; ++r) {
          Run::multiply_transposed(row_blocks.size(r))(
              depth, inputs_ + x * kInputStride<Element> + kTogether * row_blocks.begin(r), lda,
              gradients_ + x * kGradientStride<Element> + panel * panel_size,
              products_ + x * kProductStride + row_blocks.begin(r) * width_ +
                  panel * k_.tile_columns,
              width_, accumulate);
        }
      }
    }
  }

  void store(float* gradient, float* bias_gradient) const {
    const std::size_t bytes = static_cast<std::size_t>(columns_) * sizeof(float);
    for (Index tap = 0; tap < 9; ++tap) {
      for (Index c = 0; c < rows_; ++c) {
        std::memcpy(gradient + (tap * shape_.in_channels + first_row_ + c) * shape_.out_channels +
                        first_column_,
                    sums_ + (tap * rows_ + c) * width_, bytes);
      }
    }
    if (first_row_ == 0 && bias_gradient != nullptr) {
      std::memcpy(bias_gradient + first_column_, sums_ + 9 * rows_ * width_, bytes);
    }
  }

  const KernelTable& k_;
  const WinogradTransforms& w_;
  const ConvShape& shape_;
  const Operands& operands_;
  const TileGrid in_, out_;
  const Index first_row_, rows_, first_column_, columns_, width_;
  float* const zeros_;
  float* const block_sums_;
  Element* const inputs_;
  Element* const gradients_;
  float* const products_;
  float* const sums_;
};

bool has_many_slices(const Slices& slices) { return slices.count() >= kMinSlices; }

Index parts_per_micro_batch(const Slices& slices) {
  return ceil_divide(kMinPartSlices, slices.count());
}

// A part's gradient and bias gradient.
Index part_floats(const ConvShape& shape) { return shape.weights_size() + shape.out_channels; }

}  // namespace

std::size_t backward_weights_workspace_bytes(const WinogradTransforms& w, const ConvShape& shape,
                                             int threads) {
  const Slices slices = cut(kernels(), shape);
  const bool many = has_many_slices(slices);
  const Index parts = many ? 0 : micro_batches(shape.batch) * parts_per_micro_batch(slices);
  const Index slots = many ? tree_slots(micro_batches(shape.batch)) : 1;
  return static_cast<std::size_t>(threads * floats_per_thread(w, slots) +
                                  parts * part_floats(shape)) *
         sizeof(float);
}

template <typename Element>
void backward_weights(const WinogradTransforms& w, const ConvShape& shape, const float* input,
                      const ConvGradient& output_gradient, float* weights_gradient,
                      float* bias_gradient, float* workspace) {
  const Slices slices = cut(kernels(), shape);
  const Operands operands{w, shape, input, output_gradient};
  if (has_many_slices(slices)) {
    const Index floats = floats_per_thread(w, tree_slots(micro_batches(shape.batch)));
    parallel_for(slices.count(), [&](Index slice) {
      SliceTask<Element>(operands, slices, slice, workspace + thread_index() * floats)
          .sum_batch(weights_gradient, bias_gradient);
    });
    return;
  }
  const Index floats = floats_per_thread(w, 1), size = part_floats(shape);
  const Index per_micro_batch = parts_per_micro_batch(slices);
  float* const sums = workspace + thread_count() * floats;
  parallel_for(micro_batches(shape.batch) * per_micro_batch * slices.count(), [&](Index task) {
    const Index part = task / slices.count();
    float* const out = sums + part * size;
    SliceTask<Element>(operands, slices, task % slices.count(), workspace + thread_index() * floats)
        .sum_part(part / per_micro_batch, part % per_micro_batch, per_micro_batch, out,
                  out + shape.weights_size());
  });
  const Blocks joins = even_blocks(size, kJoinBlock, 1);
  parallel_for(joins.count, [&](Index j) {
    const Index first = joins.begin(j), count = joins.size(j);
    tree_combine(micro_batches(shape.batch) * per_micro_batch, per_micro_batch,
                 [&](Index to, Index from) {
                   kernels().add(count, sums + from * size + first, sums + to * size + first);
                 });
    const Index end = std::min(first + count, shape.weights_size());
    if (first < end) std::copy(sums + first, sums + end, weights_gradient + first);
    if (bias_gradient == nullptr) return;
    for (Index i = std::max(first, shape.weights_size()); i < first + count; ++i) {
      bias_gradient[i - shape.weights_size()] = sums[i];
    }
  });
}

template void backward_weights<float>(const WinogradTransforms&, const ConvShape&, const float*,
                                      const ConvGradient&, float*, float*, float*);
template void backward_weights<Bf16>(const WinogradTransforms&, const ConvShape&, const float*,
                                     const ConvGradient&, float*, float*, float*);

}  // namespace ferplus::winograd
