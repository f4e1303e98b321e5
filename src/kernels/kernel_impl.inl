// The kernels, written once on the vector type and the operations of a simd_<isa>.h. Included
// inside a namespace of its own by every kernels_<isa>.cpp; everything here has internal linkage.

#include "kernels/bf16_impl.inl"

template <int kRows>
void multiply(std::int64_t depth, const float* a, const float* b, float* c, std::int64_t ldc,
              const Epilogue* epilogue) {
  Vector sum[kRows][2];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) sum[i][0] = sum[i][1] = broadcast(0.0f);
  const auto step = [&](const float* a_column) __attribute__((always_inline)) {
    const Vector b0 = load(b), b1 = load(b + kWidth);
    fetch_ahead<kTileColumns * sizeof(float)>(b);
    b += kTileColumns;
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const Vector element = broadcast(a_column[i * kWidth]);
      sum[i][0] = multiply_add(element, b0, sum[i][0]);
      sum[i][1] = multiply_add(element, b1, sum[i][1]);
    }
  };
  for (; depth >= kWidth; depth -= kWidth, a += kRows * kWidth) {
#pragma GCC unroll 4
    for (int d = 0; d < kWidth; ++d) step(a + d);
  }
  for (std::int64_t d = 0; d < depth; ++d) step(a + d);

  store_tile<kRows>(sum, c, ldc, *epilogue);
}

template <int kRows>
void multiply_transposed(std::int64_t depth, const float* a, std::int64_t lda, const float* b,
                         float* c, std::int64_t ldc, bool accumulate) {
  Vector sum[kRows][2];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) sum[i][0] = sum[i][1] = broadcast(0.0f);
#pragma GCC unroll 2
  for (std::int64_t d = 0; d < depth; ++d) {
    const Vector b0 = load(b), b1 = load(b + kWidth);
    fetch_ahead<kTileColumns * sizeof(float)>(b);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const Vector element = broadcast(a[i]);
      sum[i][0] = multiply_add(element, b0, sum[i][0]);
      sum[i][1] = multiply_add(element, b1, sum[i][1]);
    }
    a += lda;
    b += kTileColumns;
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
    if (accumulate) {
      sum[i][0] = sum[i][0] + load(c + i * ldc);
      sum[i][1] = sum[i][1] + load(c + i * ldc + kWidth);
    }
    store(c + i * ldc, sum[i][0]);
    store(c + i * ldc + kWidth, sum[i][1]);
  }
}

// Copies a run of `count` floats, or zeros if source is null, to position d of a gathered row.
inline void gather_run(const float* source, std::int64_t count, std::int64_t d, float* row,
                       std::int64_t block_stride) {
  float* out = row + d / kWidth * block_stride + d % kWidth;
  if ((d | count) % kWidth == 0) {
    for (std::int64_t e = 0; e < count; e += kWidth, out += block_stride) {
      store(out, source == nullptr ? broadcast(0.0f) : load(source + e));
    }
    return;
  }
  std::int64_t room = kWidth - d % kWidth;
  for (std::int64_t e = 0; e < count; ++e) {
    *out++ = source == nullptr ? 0.0f : source[e];
    if (--room == 0) {
      out += block_stride - kWidth;
      room = kWidth;
    }
  }
}

inline std::int64_t clamp(std::int64_t value, std::int64_t low, std::int64_t high) {
  return value < low ? low : (value < high ? value : high);
}

// Columns [first, last) of one kernel row, flattened (s, c), to position d of a gathered row.
// `pixels` is the image row that the kernel row meets, or null outside the image; `left` the column
// of its tap 0. The taps inside the image are neighbours there too: one run.
inline void gather_kernel_row(const PatchMatrix& p, const float* pixels, std::int64_t left,
                              std::int64_t first, std::int64_t last, std::int64_t d, float* row,
                              std::int64_t block_stride) {
  const std::int64_t end = p.kernel_width * p.channels;
  std::int64_t inside = clamp(-left * p.channels, 0, end);
  std::int64_t outside = clamp((p.width - left) * p.channels, 0, end);
  if (pixels == nullptr) inside = outside = last;
  inside = clamp(inside, first, last);
  outside = clamp(outside, inside, last);
  if (first < inside) gather_run(nullptr, inside - first, d, row, block_stride);
  if (inside < outside) {
    gather_run(pixels + left * p.channels + inside, outside - inside, d + inside - first, row,
               block_stride);
  }
  if (outside < last) {
    gather_run(nullptr, last - outside, d + outside - first, row, block_stride);
  }
}

// The same where only every upsampling-th column holds a pixel: tap by tap.
inline void gather_spread_kernel_row(const PatchMatrix& p, const float* pixels, std::int64_t left,
                                     std::int64_t first, std::int64_t last, std::int64_t d,
                                     float* row, std::int64_t block_stride) {
  while (first < last) {
    const std::int64_t s = first / p.channels, channel = first % p.channels;
    const std::int64_t rest = p.channels - channel;
    const std::int64_t count = rest < last - first ? rest : last - first;
    const std::int64_t column = left + s;
    const bool holds_pixel = pixels != nullptr && column >= 0 && column % p.upsampling == 0 &&
                             column / p.upsampling < p.width;
    gather_run(holds_pixel ? pixels + column / p.upsampling * p.channels + channel : nullptr, count,
               d, row, block_stride);
    first += count;
    d += count;
  }
}

void gather(const PatchMatrix* patches, std::int64_t first_row, std::int64_t rows,
            std::int64_t first_depth, std::int64_t depth, float* out, std::int64_t row_stride,
            std::int64_t block_stride) {
  const PatchMatrix p = *patches;
  const std::int64_t kernel_row = p.kernel_width * p.channels;
  const std::int64_t first_r = first_depth / kernel_row;
  std::int64_t x = first_row % p.out_width;
  std::int64_t y = first_row / p.out_width % p.out_height;
  const float* image = p.data + first_row / p.out_width / p.out_height * p.image_stride;
  for (std::int64_t i = 0; i < rows; ++i, out += row_stride) {
    const std::int64_t left = x * p.stride - p.pad_left;
    std::int64_t source_y = y * p.stride - p.pad_top + first_r;
    std::int64_t first = first_depth % kernel_row;
    for (std::int64_t d = 0; d < depth; ++source_y) {
      const std::int64_t last = kernel_row < first + depth - d ? kernel_row : first + depth - d;
      if (p.upsampling == 1) {
        const bool inside = source_y >= 0 && source_y < p.height;
        gather_kernel_row(p, inside ? image + source_y * p.width * p.channels : nullptr, left,
                          first, last, d, out, block_stride);
      } else {
        const bool inside =
            source_y >= 0 && source_y % p.upsampling == 0 && source_y / p.upsampling < p.height;
        gather_spread_kernel_row(
            p, inside ? image + source_y / p.upsampling * p.width * p.channels : nullptr, left,
            first, last, d, out, block_stride);
      }
      d += last - first;
      first = 0;
    }
    if (++x == p.out_width) {
      x = 0;
      if (++y == p.out_height) {
        y = 0;
        image += p.image_stride;
      }
    }
  }
}

void add_column_sums(std::int64_t depth, const float* b, float* sums) {
  // From zero, not from the sums before: shorter sums round less.
  Vector sum0 = broadcast(0.0f), sum1 = broadcast(0.0f);
  for (std::int64_t d = 0; d < depth; ++d, b += kTileColumns) {
    sum0 = sum0 + load(b);
    sum1 = sum1 + load(b + kWidth);
  }
  store(sums, load(sums) + sum0);
  store(sums + kWidth, load(sums + kWidth) + sum1);
}

void add(std::int64_t count, const float* from, float* to) {
  std::int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) store(to + i, load(to + i) + load(from + i));
  for (; i < count; ++i) to[i] += from[i];
}

#include "kernels/direct_impl.inl"

// Kernels for 1 … kTileRows rows, and null beyond.
template <int kRows>
constexpr MultiplyFunction multiply_entry() {
  if constexpr (kRows <= kTileRows) {
    return multiply<kRows>;
  } else {
    return nullptr;
  }
}
template <int kRows>
constexpr MultiplyTransposedFunction multiply_transposed_entry() {
  if constexpr (kRows <= kTileRows) {
    return multiply_transposed<kRows>;
  } else {
    return nullptr;
  }
}

constexpr KernelTable kernel_table() {
  return {kWidth,
          kTileRows,
          kTileColumns,
          kDepthBlock,
          gather,
          {multiply_entry<1>(), multiply_entry<2>(), multiply_entry<3>(), multiply_entry<4>(),
           multiply_entry<5>(), multiply_entry<6>(), multiply_entry<7>(), multiply_entry<8>(),
           multiply_entry<9>(), multiply_entry<10>(), multiply_entry<11>(), multiply_entry<12>(),
           multiply_entry<13>(), multiply_entry<14>()},
          {multiply_transposed_entry<1>(), multiply_transposed_entry<2>(),
           multiply_transposed_entry<3>(), multiply_transposed_entry<4>(),
           multiply_transposed_entry<5>(), multiply_transposed_entry<6>(),
           multiply_transposed_entry<7>(), multiply_transposed_entry<8>(),
           multiply_transposed_entry<9>(), multiply_transposed_entry<10>(),
           multiply_transposed_entry<11>(), multiply_transposed_entry<12>(),
           multiply_transposed_entry<13>(), multiply_transposed_entry<14>()},
          add_column_sums,
          add,
          winograd_transforms<Filtering2>(),
          winograd_transforms<Filtering4>(),
          {direct_forward<1>, direct_forward<2>, direct_forward<3>, direct_forward<4>},
          {direct_weights<1>, direct_weights<2>, direct_weights<3>, direct_weights<4>}};
}
