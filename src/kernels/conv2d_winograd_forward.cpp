#include <algorithm>

#include <ferplus/core/parallel.h>

#include "kernels/blocks.h"
#include "kernels/conv2d_winograd.h"
#include "kernels/operation.h"

namespace ferplus::winograd {
namespace {

// Tiles that a thread works on at a time.
constexpr Index kMinBlockTiles = 28, kMaxBlockTiles = 56;
// With fewer blocks than this all threads work on one block together.
constexpr Index kMinBlocks = 8;

// Transformed tiles, their products with the transformed weights, and what happens to them. The
// rows of the products are tiles, cut into register tiles. A tile's results do not depend on the
// block that it is in.
template <typename Element>
class Block {
 public:
  Block(const WinogradTransforms& w, const ConvShape& shape, Index tiles)
      : k_(kernels()),
        w_(w),
        in_(tiles_of_input(w, shape)),
        out_(tiles_of_output(w, shape)),
        depth_(shape.in_channels),
        columns_(shape.out_channels),
        tiles_(tiles),
        input_stride_(tiles * depth_ + kStridePadding),
        product_stride_(panels() * tiles * k_.tile_columns + kStridePadding) {}

  Index floats() const { return input_floats() + coordinates(w_) * product_stride_; }
  Index panels() const { return ceil_divide(columns_, k_.tile_columns); }
  Blocks row_tiles(Index tiles) const { return even_blocks(tiles, k_.tile_rows, 1); }

  // The input of tile_rows of a block of `tiles` tiles that starts at first_tile.
  void transform_input(const ConvGradient& input, Index first_tile, Index tiles, Index row_tile,
                       const float* zeros, float* memory) const {
    const Index begin = row_tiles(tiles).begin(row_tile), rows = row_tiles(tiles).size(row_tile);
    const TransformLayout layout{input_stride_, k_.vector_width, rows * k_.vector_width, 1};
    Operation<Element>::winograd_input(w_)(
        &in_, input.data, static_cast<const PoolPlaces*>(input.places), first_tile + begin, rows, 0,
        depth_, zeros, &layout, inputs(memory) + begin * depth_, nullptr);
  }

  // The products of one coordinate and a range of panels.
  void multiply(const Element* prepared, Index tiles, Index coordinate, Index first_panel,
                Index panels_count, float* memory) const {
    const Blocks rows = row_tiles(tiles);
    const Blocks depths = even_blocks(depth_, k_.depth_block, k_.vector_width);
    const Element* a = inputs(memory) + coordinate * input_stride_;
    const Element* b = prepared + coordinate * prepared_stride(k_, depth_, columns_);
    float* c = products(memory) + coordinate * product_stride_;
    for (Index panel = first_panel; panel < first_panel + panels_count; ++panel) {
      for (Index block = 0; block < depths.count; ++block) {
        const Epilogue epilogue{block > 0, false, nullptr};
        const Index first = depths.begin(block);
        for (Index row_tile = 0; row_tile < rows.count; ++row_tile) {
          const Index begin = rows.begin(row_tile), size = rows.size(row_tile);
          Operation<Element>::multiply(size)(depths.size(block), a + begin * depth_ + first * size,
                                             b + (panel * depth_ + first) * k_.tile_columns,
                                             c + (panel * tiles_ + begin) * k_.tile_columns,
                                             k_.tile_columns, &epilogue);
        }
      }
    }
  }

  // Tiles [begin, begin + count) of the block and a range of panels.
  void transform_output(Index first_tile, Index begin, Index count, Index first_panel,
                        Index panels_count, TileEpilogue epilogue, float* output, float* spare,
                        const float* memory) const {
    const Index column = first_panel * k_.tile_columns;
    const Index columns = std::min(panels_count * k_.tile_columns, columns_ - column);
    const TransformLayout layout{product_stride_, k_.tile_columns, tiles_ * k_.tile_columns,
                                 k_.tile_columns / k_.vector_width};
    if (epilogue.bias != nullptr) epilogue.bias += column;
    w_.output(&out_, output, first_tile + begin, count, column, columns, spare, &layout,
              products(memory) + (first_panel * tiles_ + begin) * k_.tile_columns, &epilogue);
  }

 private:
  Index input_floats() const {
    return ceil_divide(coordinates(w_) * input_stride_,
                       static_cast<Index>(sizeof(float) / sizeof(Element)));
  }
  static Element* inputs(float* memory) { return reinterpret_cast<Element*>(memory); }
  float* products(float* memory) const { return memory + input_floats(); }
  const float* products(const float* memory) const { return memory + input_floats(); }

  const KernelTable& k_;
  const WinogradTransforms& w_;
  const TileGrid in_, out_;
  const Index depth_, columns_, tiles_;
  const Index input_stride_, product_stride_;
};

Index total_tiles(const WinogradTransforms& w, const ConvShape& shape) {
  const TileGrid grid = tiles_of_output(w, shape);
  return shape.batch * grid.tiles_down * grid.tiles_across;
}

// Of zeros to read and of memory to write in vain.
Index spare_floats(const ConvShape& shape) {
  return std::max(shape.in_channels, shape.out_channels);
}

// A block streams all transformed weights: fewer tiles than make their own transformed values about
// half as many do not pay.
Index least_block_tiles(const ConvShape& shape) {
  return std::clamp(
      shape.in_channels * shape.out_channels / (2 * (shape.in_channels + shape.out_channels)),
      kMinBlockTiles, kMaxBlockTiles);
}

// Tiles of a block that one thread works on, and of one that all share.
Index own_block_tiles(const ConvShape& shape, Index tiles) {
  return std::clamp(tiles / kMinBlocks, least_block_tiles(shape), kMaxBlockTiles);
}
Index shared_block_tiles(const ConvShape& shape, Index tiles) {
  return std::min(tiles, kMinBlocks / 2 * least_block_tiles(shape));
}
bool blocks_are_shared(const ConvShape& shape, Index tiles) {
  return tiles < kMinBlocks * least_block_tiles(shape);
}

}  // namespace

template <typename Element>
std::size_t forward_workspace_bytes(const WinogradTransforms& w, const ConvShape& shape,
                                    int threads) {
  const Index tiles = total_tiles(w, shape);
  // Both, because smaller batches may share.
  const Index shared = Block<Element>(w, shape, shared_block_tiles(shape, tiles)).floats();
  const Index own =
      blocks_are_shared(shape, tiles)
          ? 0
          : threads * Block<Element>(w, shape, own_block_tiles(shape, tiles)).floats();
  return static_cast<std::size_t>(std::max(shared, own) + (1 + threads) * spare_floats(shape)) *
         sizeof(float);
}

template <typename Element>
void forward(const WinogradTransforms& w, const ConvShape& shape, const ConvGradient& input,
             const Element* prepared, const TileEpilogue& epilogue, float* output,
             float* workspace) {
  const Index total = total_tiles(w, shape);
  const bool shared = blocks_are_shared(shape, total);
  const Blocks blocks = even_blocks(
      total, shared ? shared_block_tiles(shape, total) : own_block_tiles(shape, total), 1);
  const Block<Element> block(w, shape, blocks.size(0));
  const Index spare = spare_floats(shape);
  float* const zeros = workspace;
  float* const spares = zeros + spare;
  float* const memory = spares + thread_count() * spare;
  std::fill_n(zeros, spare, 0.0f);
  if (!shared) {
    parallel_for(blocks.count, [&](Index b) {
      const Index first = blocks.begin(b), tiles = blocks.size(b);
      float* const mine = memory + thread_index() * block.floats();
      for (Index r = 0; r < block.row_tiles(tiles).count; ++r) {
        block.transform_input(input, first, tiles, r, zeros, mine);
      }
      for (Index x = 0; x < coordinates(w); ++x) {
        block.multiply(prepared, tiles, x, 0, block.panels(), mine);
      }
      block.transform_output(first, 0, tiles, 0, block.panels(), epilogue, output,
                             spares + thread_index() * spare, mine);
    });
    return;
  }
  for (Index b = 0; b < blocks.count; ++b) {
    const Index first = blocks.begin(b), tiles = blocks.size(b);
    parallel_for(block.row_tiles(tiles).count,
                 [&](Index r) { block.transform_input(input, first, tiles, r, zeros, memory); });
    parallel_for(coordinates(w),
                 [&](Index x) { block.multiply(prepared, tiles, x, 0, block.panels(), memory); });
    const Blocks groups = even_blocks(tiles, 4, 1);
    parallel_for(groups.count, [&](Index g) {
      block.transform_output(first, groups.begin(g), groups.size(g), 0, block.panels(), epilogue,
                             output, spares + thread_index() * spare, memory);
    });
  }
}

template std::size_t forward_workspace_bytes<float>(const WinogradTransforms&, const ConvShape&,
                                                    int);
template std::size_t forward_workspace_bytes<Bf16>(const WinogradTransforms&, const ConvShape&,
                                                   int);
template void forward<float>(const WinogradTransforms&, const ConvShape&, const ConvGradient&,
                             const float*, const TileEpilogue&, float*, float*);
template void forward<Bf16>(const WinogradTransforms&, const ConvShape&, const ConvGradient&,
                            const Bf16*, const TileEpilogue&, float*, float*);

}  // namespace ferplus::winograd
