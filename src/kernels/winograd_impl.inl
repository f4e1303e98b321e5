// The transforms of F(2x2, 3x3) and F(4x4, 3x3), included by kernel_impl.inl.

#include "kernels/winograd_filters.inl"

// The one-dimensional transforms that widen, as types.
template <typename Filtering>
struct InputTransform : Filtering {
  static constexpr int kInputs = Filtering::kSize;
  template <int kGroup, typename Values>
  static inline __attribute__((always_inline)) void apply(Values x, Vector* out) {
    Filtering::template input<kGroup>(x, out);
  }
};
template <typename Filtering>
struct OutputGradientTransform : Filtering {
  static constexpr int kInputs = Filtering::kTile;
  template <int kGroup, typename Values>
  static inline __attribute__((always_inline)) void apply(Values x, Vector* out) {
    Filtering::template output_gradient<kGroup>(x, out);
  }
};
template <typename Filtering>
struct WeightsTransform : Filtering {
  static constexpr int kInputs = 3;
  template <int kGroup, typename Values>
  static inline __attribute__((always_inline)) void apply(Values x, Vector* out) {
    Filtering::template weights<kGroup>(x, out);
  }
};

// One row of coordinates from `values`, all groups from kGroup on; put(x, value) takes coordinate
// x.
template <typename Transform, int kGroup, typename Put>
inline __attribute__((always_inline)) void widen_row(const Vector* values, int first, Put put) {
  if constexpr (kGroup < Transform::kGroups) {
    constexpr int kFirst = Transform::kFirst[kGroup];
    constexpr int kCount = Transform::kFirst[kGroup + 1] - kFirst;
    Vector coordinates[kCount];
    Transform::template apply<kGroup>(
        [&](int j) __attribute__((always_inline)) { return values[j]; }, coordinates);
#pragma GCC unroll 2
    for (int j = 0; j < kCount; ++j) put(first + kFirst + j, coordinates[j]);
    widen_row<Transform, kGroup + 1>(values, first, put);
  }
}

// Both dimensions; pixel(i, j) loads a value. A group of rows at a time, which stays in registers:
// values are loaded once per group instead of all intermediate ones spilled.
template <typename Transform, int kGroup, typename Pixel, typename Put>
inline __attribute__((always_inline)) void widen(Pixel pixel, Put put) {
  if constexpr (kGroup < Transform::kGroups) {
    constexpr int kFirst = Transform::kFirst[kGroup];
    constexpr int kCount = Transform::kFirst[kGroup + 1] - kFirst;
    Vector rows[kCount][Transform::kInputs];
#pragma GCC unroll 8
    for (int j = 0; j < Transform::kInputs; ++j) {
      Vector column[kCount];
      Transform::template apply<kGroup>(
          [&](int i) __attribute__((always_inline)) { return pixel(i, j); }, column);
#pragma GCC unroll 2
      for (int i = 0; i < kCount; ++i) rows[i][j] = column[i];
    }
#pragma GCC unroll 2
    for (int i = 0; i < kCount; ++i) {
      widen_row<Transform, 0>(rows[i], (kFirst + i) * Transform::kSize, put);
    }
    widen<Transform, kGroup + 1>(pixel, put);
  }
}

// Walks over the tiles of a grid.
struct TileCursor {
  const TileGrid* grid;
  std::int64_t n, i, j;

  TileCursor(const TileGrid* g, std::int64_t tile)
      : grid(g),
        n(tile / g->tiles_across / g->tiles_down),
        i(tile / g->tiles_across % g->tiles_down),
        j(tile % g->tiles_across) {}
  void next() {
    if (++j < grid->tiles_across) return;
    j = 0;
    if (++i < grid->tiles_down) return;
    i = 0;
    ++n;
  }
};

// Pointers to the kSide x kSide pixels of a tile, `outside` for those beyond the image.
template <int kSide, int kStep, typename Float>
inline void tile_pixels(const TileCursor& tile, Float* images, std::int64_t first_channel,
                        Float* outside, Float** pixels) {
  const TileGrid& grid = *tile.grid;
  const std::int64_t top = tile.i * kStep - grid.pad_top, left = tile.j * kStep - grid.pad_left;
  const std::int64_t row_stride = grid.width * grid.channels;
  Float* image = images + tile.n * grid.height * row_stride + first_channel;
  const bool inside =
      top >= 0 && left >= 0 && top + kSide <= grid.height && left + kSide <= grid.width;
  for (int i = 0; i < kSide; ++i) {
    for (int j = 0; j < kSide; ++j) {
      const std::int64_t y = top + i, x = left + j;
      const bool holds_pixel = inside || (y >= 0 && y < grid.height && x >= 0 && x < grid.width);
      pixels[i * kSide + j] = holds_pixel ? image + y * row_stride + x * grid.channels : outside;
    }
  }
}

// The pixels of this tile and of the next, which are fetched while this one is worked on: they lie
// in short runs far apart, which the hardware does not foresee.
template <int kSide, int kStep, typename Float>
class TileWalk {
 public:
  TileWalk(const TileGrid* grid, Float* images, std::int64_t first_tile, std::int64_t tiles,
           std::int64_t first_channel, Float* outside)
      : tile_(grid, first_tile),
        tiles_left_(tiles),
        images_(images),
        first_channel_(first_channel),
        outside_(outside) {
    tile_pixels<kSide, kStep>(tile_, images_, first_channel_, outside_, next_);
    advance();
  }

  void advance() {
    Float** const free = pixels_;
    pixels_ = next_;
    next_ = free;
    if (--tiles_left_ > 0) tile_.next();
    tile_pixels<kSide, kStep>(tile_, images_, first_channel_, outside_, next_);
  }

  inline __attribute__((always_inline)) Float* pixel(int i, int j) const {
    return pixels_[i * kSide + j];
  }
  // Channel c of the next tile's pixels, but for those that overlap with this one's.
  template <int kForWriting>
  inline __attribute__((always_inline)) void fetch_next(std::int64_t c) const {
#pragma GCC unroll 36
    for (int i = 0; i < kSide * kSide; ++i) {
      if (i % kSide >= kSide - kStep) __builtin_prefetch(next_[i] + c, kForWriting);
    }
  }
  // The same places of other images of the same layout.
  inline __attribute__((always_inline)) void fetch_next_of(const float* others) const {
#pragma GCC unroll 36
    for (int i = 0; i < kSide * kSide; ++i) {
      if (next_[i] != outside_) __builtin_prefetch(others + (next_[i] - images_), 0);
    }
  }

 private:
  TileCursor tile_;
  std::int64_t tiles_left_;
  Float* const images_;
  const std::int64_t first_channel_;
  Float* const outside_;
  Float* buffers_[2][kSide * kSide];
  Float** pixels_ = buffers_[0];
  Float** next_ = buffers_[1];
};

// What transform_tiles reads, tile by tile: images as they are …
template <typename Transform>
class PlainTiles {
 public:
  PlainTiles(const TileGrid* grid, const float* images, std::int64_t first_tile, std::int64_t tiles,
             std::int64_t first_channel, const float* zeros)
      : walk_(grid, images, first_tile, tiles, first_channel, zeros) {}

  void advance() { walk_.advance(); }
  // Before value() of channels c ….
  inline __attribute__((always_inline)) void open(std::int64_t c) {
    c_ = c;
    walk_.template fetch_next<0>(c);
  }
  inline __attribute__((always_inline)) Vector value(int i, int j) const {
    return load(walk_.pixel(i, j) + c_);
  }

 private:
  TileWalk<Transform::kInputs, Transform::kTile, const float> walk_;
  std::int64_t c_ = 0;
};

// … or pooled ones, whose values go back to their places. kOdd: tiles start in the second row and
// column of a window.
template <typename Transform, int kOdd>
class PooledTiles {
 public:
  PooledTiles(const TileGrid* grid, const float* images, const PoolPlaces* places,
              std::int64_t first_tile, std::int64_t first_channel)
      : tile_(grid, first_tile), images_(images), places_(places), first_channel_(first_channel) {
    find_windows();
  }

  void advance() {
    tile_.next();
    find_windows();
  }
  inline __attribute__((always_inline)) void open(std::int64_t c) {
#pragma GCC unroll 4
    for (int i = 0; i < kWindows; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < kWindows; ++j) spread(i, j, windows_[i * kWindows + j], c);
    }
  }
  inline __attribute__((always_inline)) Vector value(int i, int j) const {
    return values_[i * kSide + j];
  }

 private:
  static constexpr int kSide = Transform::kInputs;
  static constexpr int kWindows = (kSide + kOdd + 1) / 2;

  void find_windows() {
    const TileGrid& grid = *tile_.grid;
    const std::int64_t height = grid.height / 2, width = grid.width / 2;
    const std::int64_t top = (tile_.i * Transform::kTile - grid.pad_top - kOdd) / 2;
    const std::int64_t left = (tile_.j * Transform::kTile - grid.pad_left - kOdd) / 2;
    for (int i = 0; i < kWindows; ++i) {
      for (int j = 0; j < kWindows; ++j) {
        const std::int64_t y = top + i, x = left + j;
        const bool inside = y >= 0 && y < height && x >= 0 && x < width;
        windows_[i * kWindows + j] =
            inside ? ((tile_.n * height + y) * width + x) * grid.channels + first_channel_ : -1;
      }
    }
  }

  inline __attribute__((always_inline)) void spread(int i, int j, std::int64_t window,
                                                    std::int64_t c) {
    Vector value = broadcast(0.0f);
    unsigned right = 0, lower = 0;
    if (window >= 0) {
      value = load(images_ + window + c);
      const PoolPlaces* place = places_ + (window + c) / kWidth * 2;
      right = place[0];
      lower = place[1];
    }
#pragma GCC unroll 2
    for (int di = 0; di < 2; ++di) {
#pragma GCC unroll 2
      for (int dj = 0; dj < 2; ++dj) {
        const int y = 2 * i - kOdd + di, x = 2 * j - kOdd + dj;
        if (y < 0 || y >= kSide || x < 0 || x >= kSide) continue;
        values_[y * kSide + x] =
            where((di == 0 ? ~lower : lower) & (dj == 0 ? ~right : right), value);
      }
    }
  }

  TileCursor tile_;
  const float* const images_;
  const PoolPlaces* const places_;
  const std::int64_t first_channel_;
  std::int64_t windows_[kWindows * kWindows];
  Vector values_[kSide * kSide];
};

// Where transform_tiles writes: a tile after the other …
template <typename Element>
class TileRows {
 public:
  TileRows(Element* out, const TransformLayout& layout) : tile_(out), layout_(layout) {}

  static constexpr int kStep = 1;  // elements between the channels of a tile
  void next_tile() { tile_ += layout_.tile_stride; }
  void finish(std::int64_t /*channels*/) {}
  Element* tile() const { return tile_; }
  inline __attribute__((always_inline)) void put(Element* to, std::int64_t /*c*/, int x,
                                                 Vector value) const {
    store(to + x * layout_.coordinate_stride, value);
  }

 private:
  Element* tile_;
  const TransformLayout layout_;
};

// … or two tiles at a time, their values side by side; a last one without a partner with zeros. The
// first of two waits in memory of the stack.
template <int kCoordinates>
class TilePairs {
 public:
  TilePairs(Bf16* out, const TransformLayout& layout) : pair_(out), layout_(layout) {}

  static constexpr int kStep = 2;
  void next_tile() {
    if (second_) pair_ += layout_.tile_stride;
    second_ = !second_;
  }
  void finish(std::int64_t channels) {
    if (!second_) return;
    for (std::int64_t c = 0, v = 0; c < channels; c += kWidth, ++v) {
      Bf16* to = pair_ + v / layout_.group * layout_.group_stride + v % layout_.group * 2 * kWidth;
      for (int x = 0; x < kCoordinates; ++x) put(to, c, x, broadcast(0.0f));
    }
  }
  Bf16* tile() const { return pair_; }
  inline __attribute__((always_inline)) void put(Bf16* to, std::int64_t c, int x, Vector value) {
    float* const first = waiting_ + x * kMaxPairChannels + c;
    if (second_) {
      store_pair(to + x * layout_.coordinate_stride, load(first), value);
    } else {
      store(first, value);
    }
  }

 private:
  Bf16* pair_;
  bool second_ = false;
  const TransformLayout layout_;
  alignas(64) float waiting_[kCoordinates * kMaxPairChannels];
};

template <typename Transform, typename Tiles, typename Sink>
inline void transform_all(Tiles& source, std::int64_t tiles, std::int64_t channels,
                          const TransformLayout& layout, Sink& sink, float* sums) {
  constexpr int kSide = Transform::kInputs;
  const std::int64_t group = layout.group, group_stride = layout.group_stride;
  for (std::int64_t t = 0; t < tiles; ++t, sink.next_tile()) {
    if (t > 0) source.advance();
    auto* first = sink.tile();
    for (std::int64_t c = 0; c < channels; first += group_stride) {
      auto* to = first;
      for (std::int64_t v = 0; v < group && c < channels;
           ++v, c += kWidth, to += Sink::kStep * kWidth) {
        source.open(c);
        const auto pixel = [&](int i, int j) __attribute__((always_inline)) {
          return source.value(i, j);
        };
        widen<Transform, 0>(
            pixel, [&](int x, Vector value)
                       __attribute__((always_inline)) { sink.put(to, c, x, value); });
        if (sums == nullptr) continue;
        Vector sum = broadcast(0.0f);
        for (int i = 0; i < kSide; ++i) {
          for (int j = 0; j < kSide; ++j) sum = sum + pixel(i, j);
        }
        store(sums + c, load(sums + c) + sum);
      }
    }
  }
  sink.finish(channels);
}

template <typename Transform, typename Sink, typename Element>
void transform_tiles(const TileGrid* grid, const float* images, const PoolPlaces* places,
                     std::int64_t first_tile, std::int64_t tiles, std::int64_t first_channel,
                     std::int64_t channels, const float* zeros, const TransformLayout* layout,
                     Element* out, float* sums) {
  Sink sink(out, *layout);
  if (places == nullptr) {
    PlainTiles<Transform> source(grid, images, first_tile, tiles, first_channel, zeros);
    transform_all<Transform>(source, tiles, channels, *layout, sink, sums);
  } else if (grid->pad_top % 2 == 0) {
    PooledTiles<Transform, 0> source(grid, images, places, first_tile, first_channel);
    transform_all<Transform>(source, tiles, channels, *layout, sink, sums);
  } else {
    PooledTiles<Transform, 1> source(grid, images, places, first_tile, first_channel);
    transform_all<Transform>(source, tiles, channels, *layout, sink, sums);
  }
}

// The maximum of a window and where it stands; the first of equals wins.
inline __attribute__((always_inline)) Vector window_maximum(Vector a, Vector b, Vector c, Vector d,
                                                            PoolPlaces* place) {
  const Vector upper = larger(a, b), lower = larger(c, d);
  if (place != nullptr) {
    const unsigned in_lower = greater(lower, upper);
    place[0] = static_cast<PoolPlaces>((in_lower & greater(d, c)) | (~in_lower & greater(b, a)));
    place[1] = static_cast<PoolPlaces>(in_lower);
  }
  return larger(upper, lower);
}

template <typename Filtering, bool kPool>
inline void transform_output_tiles(const TileGrid* grid, float* images, std::int64_t first_tile,
                                   std::int64_t tiles, std::int64_t first_channel,
                                   std::int64_t channels, float* spare, const TransformLayout where,
                                   const float* in, const TileEpilogue epilogue) {
  constexpr int kTile = Filtering::kTile, kSize = Filtering::kSize;
  constexpr int kSide = kPool ? kTile / 2 : kTile;
  TileWalk<kSide, kSide, float> walk(grid, images, first_tile, tiles, first_channel, spare);
  for (std::int64_t t = 0; t < tiles; ++t, walk.advance(), in += where.tile_stride) {
    const float* group = in;
    for (std::int64_t c = 0; c < channels; group += where.group_stride) {
      const float* from = group;
      for (std::int64_t v = 0; v < where.group && c < channels; ++v, c += kWidth, from += kWidth) {
        walk.template fetch_next<1>(c);
        if (epilogue.relu_output != nullptr) {
          walk.fetch_next_of(epilogue.relu_output + c);
        }
        Vector rows[kTile][kSize];
#pragma GCC unroll 8
        for (int j = 0; j < kSize; ++j) {
          Vector column[kSize], narrow[kTile];
#pragma GCC unroll 8
          for (int i = 0; i < kSize; ++i) {
            column[i] = load(from + (i * kSize + j) * where.coordinate_stride);
          }
          Filtering::output(column, narrow);
#pragma GCC unroll 4
          for (int i = 0; i < kTile; ++i) rows[i][j] = narrow[i];
        }
        const Vector shift = epilogue.bias == nullptr ? broadcast(0.0f) : load(epilogue.bias + c);
        const auto finish = [&](Vector value) __attribute__((always_inline)) {
          return epilogue.relu ? positive_part(value + shift) : value + shift;
        };
        Vector above[kTile];
#pragma GCC unroll 4
        for (int i = 0; i < kTile; ++i) {
          Vector row[kTile];
          Filtering::output(rows[i], row);
          if constexpr (!kPool) {
#pragma GCC unroll 4
            for (int j = 0; j < kTile; ++j) {
              float* const pixel = walk.pixel(i, j);
              Vector value = finish(row[j]);
              if (epilogue.relu_output != nullptr) {
                const float* const forward =
                    epilogue.relu_output + (pixel == spare ? first_channel : pixel - images);
                value = where_positive(load(forward + c), value);
              }
              store(pixel + c, value);
            }
          } else if (i % 2 == 0) {
#pragma GCC unroll 4
            for (int j = 0; j < kTile; ++j) above[j] = row[j];
          } else {
#pragma GCC unroll 2
            for (int j = 0; j < kTile / 2; ++j) {
              float* const pixel = walk.pixel(i / 2, j);
              PoolPlaces* const place = epilogue.places == nullptr || pixel == spare
                                            ? nullptr
                                            : epilogue.places + (pixel - images + c) / kWidth * 2;
              // A maximum does not mind what is added to all alike, nor ReLU.
              store(pixel + c, finish(window_maximum(above[2 * j], above[2 * j + 1], row[2 * j],
                                                     row[2 * j + 1], place)));
            }
          }
        }
      }
    }
  }
}

template <typename Filtering>
void transform_output(const TileGrid* grid, float* images, std::int64_t first_tile,
                      std::int64_t tiles, std::int64_t first_channel, std::int64_t channels,
                      float* spare, const TransformLayout* layout, const float* in,
                      const TileEpilogue* epilogue) {
  if (!epilogue->pool) {
    transform_output_tiles<Filtering, false>(grid, images, first_tile, tiles, first_channel,
                                             channels, spare, *layout, in, *epilogue);
    return;
  }
  TileGrid pooled = *grid;
  pooled.height /= 2;
  pooled.width /= 2;
  transform_output_tiles<Filtering, true>(&pooled, images, first_tile, tiles, first_channel,
                                          channels, spare, *layout, in, *epilogue);
}

template <typename Filtering>
void transform_weights(std::int64_t rows, const float* taps, std::int64_t tap_stride, float* out,
                       std::int64_t coordinate_stride) {
  for (std::int64_t i = 0; i < rows * kTileColumns; i += kWidth) {
    widen<WeightsTransform<Filtering>, 0>(
        [&](int r, int s)
            __attribute__((always_inline)) { return load(taps + (3 * r + s) * tap_stride + i); },
        [&](int x, Vector value)
            __attribute__((always_inline)) { store(out + x * coordinate_stride + i, value); });
  }
}

template <typename Filtering>
void transform_weights_gradient(std::int64_t rows, std::int64_t columns, const float* in,
                                std::int64_t coordinate_stride, float* taps,
                                std::int64_t tap_stride) {
  constexpr int kSize = Filtering::kSize;
  for (std::int64_t c = 0; c < rows * columns; c += kWidth) {
    Vector narrow_rows[3][kSize];
#pragma GCC unroll 8
    for (int j = 0; j < kSize; ++j) {
      Vector column[kSize], narrow[3];
#pragma GCC unroll 8
      for (int i = 0; i < kSize; ++i)
        column[i] = load(in + (i * kSize + j) * coordinate_stride + c);
      Filtering::weights_gradient(column, narrow);
#pragma GCC unroll 4
      for (int i = 0; i < 3; ++i) narrow_rows[i][j] = narrow[i];
    }
#pragma GCC unroll 4
    for (int r = 0; r < 3; ++r) {
      Vector row[3];
      Filtering::weights_gradient(narrow_rows[r], row);
#pragma GCC unroll 4
      for (int s = 0; s < 3; ++s) store(taps + (3 * r + s) * tap_stride + c, row[s]);
    }
  }
}

template <typename Filtering>
constexpr WinogradTransforms winograd_transforms() {
  return {Filtering::kTile,
          transform_tiles<InputTransform<Filtering>, TileRows<float>, float>,
          transform_tiles<OutputGradientTransform<Filtering>, TileRows<float>, float>,
          transform_output<Filtering>,
          transform_weights<Filtering>,
          transform_weights_gradient<Filtering>};
}
