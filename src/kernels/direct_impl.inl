// Convolution of few channels with 3x3 kernels and stride 1, straight from the image's rows, which
// the caller has padded: included by kernel_impl.inl. Row r of the patch of pixel x is
// rows[r * row_stride + x * kChannels … + 3 * kChannels).

// One register tile: kTileRows pixels by tile_columns channels, or by one vector of them.
template <int kChannels, int kVectors>
inline void direct_tile(const float* rows, std::int64_t row_stride, const float* b,
                        const float* bias, bool relu, float* c, std::int64_t ldc) {
  Vector sum[kTileRows][kVectors];
#pragma GCC unroll 2
  for (int j = 0; j < kVectors; ++j) {
    const Vector start = bias == nullptr ? broadcast(0.0f) : load(bias + j * kWidth);
#pragma GCC unroll 16
    for (int i = 0; i < kTileRows; ++i) sum[i][j] = start;
  }
  for (int r = 0; r < 3; ++r, rows += row_stride) {
#pragma GCC unroll 3
    for (int e = 0; e < 3 * kChannels; ++e, b += kTileColumns) {
      Vector weights[kVectors];
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) weights[j] = load(b + j * kWidth);
#pragma GCC unroll 16
      for (int i = 0; i < kTileRows; ++i) {
        const Vector element = broadcast(rows[i * kChannels + e]);
#pragma GCC unroll 2
        for (int j = 0; j < kVectors; ++j) {
          sum[i][j] = multiply_add(element, weights[j], sum[i][j]);
        }
      }
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kTileRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) {
      store(c + i * ldc + j * kWidth, relu ? positive_part(sum[i][j]) : sum[i][j]);
    }
  }
}

template <int kChannels>
inline void direct_pixels(const float* rows, std::int64_t row_stride, const float* packed_b,
                          std::int64_t columns, const float* bias, bool relu, float* c,
                          std::int64_t ldc) {
  for (std::int64_t column = 0; column < columns; column += kTileColumns) {
    const float* b = packed_b + column * 9 * kChannels;
    const float* shift = bias == nullptr ? nullptr : bias + column;
    if (columns - column > kWidth) {
      direct_tile<kChannels, 2>(rows, row_stride, b, shift, relu, c + column, ldc);
    } else {
      direct_tile<kChannels, 1>(rows, row_stride, b, shift, relu, c + column, ldc);
    }
  }
}

template <int kChannels>
void direct_forward(std::int64_t pixels, const float* rows, std::int64_t row_stride,
                    const float* packed_b, std::int64_t columns, const float* bias, bool relu,
                    float* c, float* spare) {
  if (pixels < kTileRows) {
    direct_pixels<kChannels>(rows, row_stride, packed_b, columns, bias, relu, spare, columns);
    for (std::int64_t i = 0; i < pixels * columns; i += kWidth) store(c + i, load(spare + i));
    return;
  }
  // The last tile overlaps the one before rather than being smaller.
  for (std::int64_t x = 0; x < pixels; x += kTileRows) {
    if (x > pixels - kTileRows) x = pixels - kTileRows;
    direct_pixels<kChannels>(rows + x * kChannels, row_stride, packed_b, columns, bias, relu,
                             c + x * columns, columns);
  }
}

// Kernel rows [kFirstRow, kFirstRow + kRows) of kVectors vectors of out channels; with the first
// row, the bias too.
template <int kChannels, int kFirstRow, int kRows, int kVectors>
inline void direct_weights_slice(std::int64_t pixels, const float* rows, std::int64_t row_stride,
                                 const float* gradient, std::int64_t columns, float* sums) {
  constexpr int kElements = 3 * kChannels;
  Vector sum[kRows][kElements][kVectors], bias[kVectors];
#pragma GCC unroll 2
  for (int j = 0; j < kVectors; ++j) {
    bias[j] = broadcast(0.0f);
#pragma GCC unroll 3
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 12
      for (int e = 0; e < kElements; ++e) sum[r][e][j] = broadcast(0.0f);
    }
  }
  const float* row[kRows];
#pragma GCC unroll 3
  for (int r = 0; r < kRows; ++r) row[r] = rows + (kFirstRow + r) * row_stride;
  for (std::int64_t x = 0; x < pixels; ++x, gradient += columns) {
    Vector value[kVectors];
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) {
      value[j] = load(gradient + j * kWidth);
      if constexpr (kFirstRow == 0) bias[j] = bias[j] + value[j];
    }
#pragma GCC unroll 3
    for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 12
      for (int e = 0; e < kElements; ++e) {
        const Vector element = broadcast(row[r][x * kChannels + e]);
#pragma GCC unroll 2
        for (int j = 0; j < kVectors; ++j) {
          sum[r][e][j] = multiply_add(element, value[j], sum[r][e][j]);
        }
      }
    }
  }
  const auto add_to = [&](int row_of_sums, const Vector* terms) __attribute__((always_inline)) {
    float* to = sums + row_of_sums * columns;
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) store(to + j * kWidth, load(to + j * kWidth) + terms[j]);
  };
#pragma GCC unroll 3
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 12
    for (int e = 0; e < kElements; ++e) add_to((kFirstRow + r) * kElements + e, sum[r][e]);
  }
  if constexpr (kFirstRow == 0) add_to(3 * kElements, bias);
}

template <int kChannels, int kVectors>
inline void direct_weights_columns(std::int64_t pixels, const float* rows, std::int64_t row_stride,
                                   const float* gradient, std::int64_t columns, float* sums) {
  // All nine taps at once if their sums fit into the registers.
  if constexpr (9 * kChannels * kVectors <= 2 * kTileRows) {
    direct_weights_slice<kChannels, 0, 3, kVectors>(pixels, rows, row_stride, gradient, columns,
                                                    sums);
  } else {
    direct_weights_slice<kChannels, 0, 1, kVectors>(pixels, rows, row_stride, gradient, columns,
                                                    sums);
    direct_weights_slice<kChannels, 1, 1, kVectors>(pixels, rows, row_stride, gradient, columns,
                                                    sums);
    direct_weights_slice<kChannels, 2, 1, kVectors>(pixels, rows, row_stride, gradient, columns,
                                                    sums);
  }
}

template <int kChannels>
void direct_weights(std::int64_t pixels, const float* rows, std::int64_t row_stride,
                    const float* gradient, std::int64_t columns, float* sums) {
  std::int64_t column = 0;
  if constexpr (9 * kChannels * 2 <= 2 * kTileRows ||
                (9 * kChannels > 2 * kTileRows && 3 * kChannels * 2 <= 2 * kTileRows)) {
    for (; column + 2 * kWidth <= columns; column += 2 * kWidth) {
      direct_weights_columns<kChannels, 2>(pixels, rows, row_stride, gradient + column, columns,
                                           sums + column);
    }
  }
  for (; column < columns; column += kWidth) {
    direct_weights_columns<kChannels, 1>(pixels, rows, row_stride, gradient + column, columns,
                                         sums + column);
  }
}
