// The transforms of F(2x2, 3x3) and F(4x4, 3x3), included by bf16_impl.inl.

#include "kernels/winograd_filters.inl"
#include "kernels/winograd_tiles.inl"

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
