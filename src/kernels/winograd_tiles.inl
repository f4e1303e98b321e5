// Where the Winograd transforms read and write: the tiles of an image, or of a pooled one, and the
// rows of the products' operands. Included by winograd_impl.inl.

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
