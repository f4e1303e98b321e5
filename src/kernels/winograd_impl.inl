// The transforms of F(2x2, 3x3) and F(4x4, 3x3) (Lavin and Gray, Fast Algorithms for Convolutional
// Neural Networks, CVPR 2016), included by kernel_impl.inl.
//
// A Cook-Toom algorithm for m outputs of a filter of 3 taps has n = m + 2 interpolation points
// p_0 … p_{n-2} and infinity: y = A'[(G g) * (B' d)] with A'[i][j] = p_j^i, G[j][k] = p_j^k / N_j,
// N_j = product over l != j of (p_j - p_l), row j of B' the coefficients of the product over
// l != j of (x - p_l); at infinity A' and G have 1 at their highest power and B' the coefficients
// of the product over all l. Points ±p share the even and the odd part of their polynomials.
//
// F(2): 0, 1, -1, infinity. F(4): 0, ±3/4, ±3/2, infinity, which round half as much as 0, ±1, ±2,
// infinity and keep A and B exact. For points 0, ±p, ±q: the rows of B' are
//   0: (x² - p²)(x² - q²), ±p: x(x ± p)(x² - q²), infinity: x(x² - p²)(x² - q²)
// and N_0 = p²q², N_±p = 2p²(p² - q²).

// A transform's coordinates are computed in groups: 0, the pairs of ±points, infinity. Group g is
// coordinates kFirst[g] … kFirst[g + 1] - 1. The functions below write one group in one dimension;
// x(i) is value i of what is transformed.
struct Filtering2 {
  static constexpr int kTile = 2, kSize = 4, kGroups = 3;
  static constexpr int kFirst[kGroups + 1] = {0, 1, 3, 4};

  template <int kGroup, typename Values>
  static inline __attribute__((always_inline)) void input(Values x, Vector* out) {
    if constexpr (kGroup == 0) {
      out[0] = x(0) - x(2);
    } else if constexpr (kGroup == 1) {
      out[0] = x(1) + x(2);
      out[1] = x(2) - x(1);
    } else {
      out[0] = x(3) - x(1);
    }
  }
  template <int kGroup, typename Values>
  static inline __attribute__((always_inline)) void output_gradient(Values y, Vector* out) {
    if constexpr (kGroup == 0) {
      out[0] = y(0);
    } else if constexpr (kGroup == 1) {
      out[0] = y(0) + y(1);
      out[1] = y(0) - y(1);
    } else {
      out[0] = y(1);
    }
  }
  template <int kGroup, typename Values>
  static inline __attribute__((always_inline)) void weights(Values g, Vector* out) {
    if constexpr (kGroup == 0) {
      out[0] = g(0);
    } else if constexpr (kGroup == 1) {
      const Vector even = broadcast(0.5f) * (g(0) + g(2)), odd = broadcast(0.5f) * g(1);
      out[0] = even + odd;
      out[1] = even - odd;
    } else {
      out[0] = g(2);
    }
  }
  static inline __attribute__((always_inline)) void output(const Vector* m, Vector* y) {
    y[0] = m[0] + (m[1] + m[2]);
    y[1] = (m[1] - m[2]) + m[3];
  }
  static inline __attribute__((always_inline)) void weights_gradient(const Vector* u, Vector* g) {
    const Vector even = broadcast(0.5f) * (u[1] + u[2]), odd = broadcast(0.5f) * (u[1] - u[2]);
    g[0] = u[0] + even;
    g[1] = odd;
    g[2] = u[3] + even;
  }
};

struct Filtering4 {
  static constexpr int kTile = 4, kSize = 6, kGroups = 4;
  static constexpr int kFirst[kGroups + 1] = {0, 1, 3, 5, 6};
  static constexpr float kP = 0.75f, kQ = 1.5f;
  static constexpr float kP2 = kP * kP, kQ2 = kQ * kQ;
  // 1 / N at 0, ±p and ±q.
  static constexpr double kNorm0 = 1.0 / (double{kP2} * kQ2);
  static constexpr double kNormP = 1.0 / (2.0 * kP2 * (double{kP2} - kQ2));
  static constexpr double kNormQ = 1.0 / (2.0 * kQ2 * (double{kQ2} - kP2));

  // (x² - p²)(x² - q²) on values at even distances.
  static inline __attribute__((always_inline)) Vector outer(Vector x0, Vector x2, Vector x4) {
    return multiply_add(broadcast(kP2 * kQ2), x0,
                        multiply_add(broadcast(-(kP2 + kQ2)), x2, x4));
  }
  template <int kGroup, typename Values>
  static inline __attribute__((always_inline)) void input(Values x, Vector* out) {
    if constexpr (kGroup == 0) {
      out[0] = outer(x(0), x(2), x(4));
    } else if constexpr (kGroup == 3) {
      out[0] = outer(x(1), x(3), x(5));
    } else {
      constexpr float kPoint = kGroup == 1 ? kP : kQ, kOther2 = kGroup == 1 ? kQ2 : kP2;
      const Vector even = multiply_add(broadcast(-kOther2), x(2), x(4));
      const Vector odd =
          multiply_add(broadcast(-kPoint * kOther2), x(1), broadcast(kPoint) * x(3));
      out[0] = even + odd;
      out[1] = even - odd;
    }
  }
  template <int kGroup, typename Values>
  static inline __attribute__((always_inline)) void output_gradient(Values y, Vector* out) {
    if constexpr (kGroup == 0) {
      out[0] = y(0);
    } else if constexpr (kGroup == 3) {
      out[0] = y(3);
    } else {
      constexpr float kPoint = kGroup == 1 ? kP : kQ;
      const Vector even = multiply_add(broadcast(kPoint * kPoint), y(2), y(0));
      const Vector odd =
          multiply_add(broadcast(kPoint * kPoint * kPoint), y(3), broadcast(kPoint) * y(1));
      out[0] = even + odd;
      out[1] = even - odd;
    }
  }
  template <int kGroup, typename Values>
  static inline __attribute__((always_inline)) void weights(Values g, Vector* out) {
    if constexpr (kGroup == 0) {
      out[0] = broadcast(static_cast<float>(kNorm0)) * g(0);
    } else if constexpr (kGroup == 3) {
      out[0] = g(2);
    } else {
      constexpr float kPoint = kGroup == 1 ? kP : kQ;
      constexpr double kNorm = kGroup == 1 ? kNormP : kNormQ;
      const Vector even = broadcast(static_cast<float>(kNorm)) *
                          multiply_add(broadcast(kPoint * kPoint), g(2), g(0));
      const Vector odd = broadcast(static_cast<float>(kNorm * kPoint)) * g(1);
      out[0] = even + odd;
      out[1] = even - odd;
    }
  }
  static inline __attribute__((always_inline)) void output(const Vector* m, Vector* y) {
    const Vector even_p = m[1] + m[2], odd_p = m[1] - m[2];
    const Vector even_q = m[3] + m[4], odd_q = m[3] - m[4];
    y[0] = m[0] + (even_p + even_q);
    y[1] = multiply_add(broadcast(kP), odd_p, broadcast(kQ) * odd_q);
    y[2] = multiply_add(broadcast(kP2), even_p, broadcast(kQ2) * even_q);
    y[3] = multiply_add(broadcast(kP2 * kP), odd_p,
                        multiply_add(broadcast(kQ2 * kQ), odd_q, m[5]));
  }
  static inline __attribute__((always_inline)) void weights_gradient(const Vector* u, Vector* g) {
    const Vector even_p = broadcast(static_cast<float>(kNormP)) * (u[1] + u[2]);
    const Vector even_q = broadcast(static_cast<float>(kNormQ)) * (u[3] + u[4]);
    const Vector odd_p = broadcast(static_cast<float>(kNormP * kP)) * (u[1] - u[2]);
    const Vector odd_q = broadcast(static_cast<float>(kNormQ * kQ)) * (u[3] - u[4]);
    g[0] = multiply_add(broadcast(static_cast<float>(kNorm0)), u[0], even_p + even_q);
    g[1] = odd_p + odd_q;
    g[2] = multiply_add(broadcast(kP2), even_p, multiply_add(broadcast(kQ2), even_q, u[5]));
  }
};

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

// One row of coordinates from `values`, all groups from kGroup on.
template <typename Transform, int kGroup>
inline __attribute__((always_inline)) void widen_row(const Vector* values, float* out,
                                                     std::int64_t coordinate_stride) {
  if constexpr (kGroup < Transform::kGroups) {
    constexpr int kFirst = Transform::kFirst[kGroup];
    constexpr int kCount = Transform::kFirst[kGroup + 1] - kFirst;
    Vector coordinates[kCount];
    Transform::template apply<kGroup>(
        [&](int j) __attribute__((always_inline)) { return values[j]; }, coordinates);
#pragma GCC unroll 2
    for (int j = 0; j < kCount; ++j) {
      store(out + (kFirst + j) * coordinate_stride, coordinates[j]);
    }
    widen_row<Transform, kGroup + 1>(values, out, coordinate_stride);
  }
}

// Both dimensions; pixel(i, j) loads a value. A group of rows at a time, which stays in registers:
// values are loaded once per group instead of all intermediate ones spilled.
template <typename Transform, int kGroup, typename Pixel>
inline __attribute__((always_inline)) void widen(Pixel pixel, float* out,
                                                 std::int64_t coordinate_stride) {
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
      widen_row<Transform, 0>(rows[i], out + (kFirst + i) * Transform::kSize * coordinate_stride,
                              coordinate_stride);
    }
    widen<Transform, kGroup + 1>(pixel, out, coordinate_stride);
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
      const bool holds_pixel =
          inside || (y >= 0 && y < grid.height && x >= 0 && x < grid.width);
      pixels[i * kSide + j] =
          holds_pixel ? image + y * row_stride + x * grid.channels : outside;
    }
  }
}

template <typename Transform>
void transform_tiles(const TileGrid* grid, const float* images, std::int64_t first_tile,
                     std::int64_t tiles, std::int64_t first_channel, std::int64_t channels,
                     const float* zeros, const TransformLayout* layout, float* out, float* sums) {
  constexpr int kSide = Transform::kInputs;
  const TransformLayout where = *layout;
  TileCursor tile(grid, first_tile);
  for (std::int64_t t = 0; t < tiles; ++t, tile.next(), out += where.tile_stride) {
    const float* pixels[kSide * kSide];
    tile_pixels<kSide, Transform::kTile>(tile, images, first_channel, zeros, pixels);
    float* group = out;
    for (std::int64_t c = 0; c < channels; group += where.group_stride) {
      float* to = group;
      for (std::int64_t v = 0; v < where.group && c < channels; ++v, c += kWidth, to += kWidth) {
        widen<Transform, 0>(
            [&](int i, int j)
                __attribute__((always_inline)) { return load(pixels[i * kSide + j] + c); },
            to, where.coordinate_stride);
      }
    }
    if (sums == nullptr) continue;
    for (std::int64_t c = 0; c < channels; c += kWidth) {
      Vector sum = load(pixels[0] + c);
      for (int i = 1; i < kSide * kSide; ++i) sum = sum + load(pixels[i] + c);
      store(sums + c, load(sums + c) + sum);
    }
  }
}

template <typename Filtering>
void transform_output(const TileGrid* grid, float* images, std::int64_t first_tile,
                      std::int64_t tiles, std::int64_t first_channel, std::int64_t channels,
                      float* spare, const TransformLayout* layout, const float* in,
                      const float* bias, bool relu) {
  constexpr int kTile = Filtering::kTile, kSize = Filtering::kSize;
  const TransformLayout where = *layout;
  TileCursor tile(grid, first_tile);
  for (std::int64_t t = 0; t < tiles; ++t, tile.next(), in += where.tile_stride) {
    float* pixels[kTile * kTile];
    tile_pixels<kTile, kTile>(tile, images, first_channel, spare, pixels);
    const float* group = in;
    for (std::int64_t c = 0; c < channels; group += where.group_stride) {
      const float* from = group;
      for (std::int64_t v = 0; v < where.group && c < channels; ++v, c += kWidth, from += kWidth) {
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
        const Vector shift = bias == nullptr ? broadcast(0.0f) : load(bias + c);
#pragma GCC unroll 4
        for (int i = 0; i < kTile; ++i) {
          Vector row[kTile];
          Filtering::output(rows[i], row);
#pragma GCC unroll 4
          for (int j = 0; j < kTile; ++j) {
            Vector value = row[j] + shift;
            if (relu) value = positive_part(value);
            store(pixels[i * kTile + j] + c, value);
          }
        }
      }
    }
  }
}

template <typename Filtering>
void transform_weights(std::int64_t rows, const float* taps, std::int64_t tap_stride, float* out,
                       std::int64_t coordinate_stride) {
  for (std::int64_t i = 0; i < rows * kTileColumns; i += kWidth) {
    widen<WeightsTransform<Filtering>, 0>(
        [&](int r, int s) __attribute__((always_inline)) {
          return load(taps + (3 * r + s) * tap_stride + i);
        },
        out + i, coordinate_stride);
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
      for (int i = 0; i < kSize; ++i) column[i] = load(in + (i * kSize + j) * coordinate_stride + c);
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
          transform_tiles<InputTransform<Filtering>>,
          transform_tiles<OutputGradientTransform<Filtering>>,
          transform_output<Filtering>,
          transform_weights<Filtering>,
          transform_weights_gradient<Filtering>};
}
