// Included by each per-ISA source into its own anonymous namespace: plain loops over channels or
// values, which the compiler turns into that ISA's vectors.

void moments(std::int64_t rows, std::int64_t channels, const float* __restrict x,
             const float* __restrict shift, float* __restrict sum, float* __restrict squares) {
  for (std::int64_t c = 0; c < channels; ++c) sum[c] = squares[c] = 0.0f;
  for (std::int64_t row = 0; row < rows; ++row, x += channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float centred = x[c] - shift[c];
      sum[c] += centred;
      squares[c] += centred * centred;
    }
  }
}

template <bool kRelu>
void affine_rows(std::int64_t rows, std::int64_t channels, const float* __restrict x,
                 const ChannelAffine* affine, float* __restrict y) {
  const float* __restrict mean = affine->mean;
  const float* __restrict scale = affine->scale;
  const float* __restrict bias = affine->bias;
  for (std::int64_t row = 0; row < rows; ++row, x += channels, y += channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float value = (x[c] - mean[c]) * scale[c] + bias[c];
      // Written so that a NaN stays a NaN.
      y[c] = kRelu && value < 0.0f ? 0.0f : value;
    }
  }
}

void affine(std::int64_t rows, std::int64_t channels, const float* x, const ChannelAffine* affine,
            float* y) {
  (affine->relu ? affine_rows<true> : affine_rows<false>)(rows, channels, x, affine, y);
}

// What of dy reaches the affine map's own output.
template <bool kRelu>
inline float passed(float x, float dy, float mean, float scale, float bias) {
  return kRelu && !((x - mean) * scale + bias > 0.0f) ? 0.0f : dy;
}

template <bool kRelu>
void gradient_sums(std::int64_t rows, std::int64_t channels, const float* __restrict x,
                   const float* __restrict dy, const ChannelAffine* affine, float* __restrict sum,
                   float* __restrict product) {
  const float* __restrict mean = affine->mean;
  const float* __restrict scale = affine->scale;
  const float* __restrict bias = affine->bias;
  for (std::int64_t c = 0; c < channels; ++c) sum[c] = product[c] = 0.0f;
  for (std::int64_t row = 0; row < rows; ++row, x += channels, dy += channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float gradient = passed<kRelu>(x[c], dy[c], mean[c], scale[c], bias[c]);
      sum[c] += gradient;
      product[c] += gradient * (x[c] - mean[c]);
    }
  }
}

void affine_gradient_sums(std::int64_t rows, std::int64_t channels, const float* x, const float* dy,
                          const ChannelAffine* affine, float* sum, float* product) {
  (affine->relu ? gradient_sums<true> : gradient_sums<false>)(rows, channels, x, dy, affine, sum,
                                                              product);
}

// dx and dy may be one: no __restrict between them; each value is read before it is written.
template <bool kRelu>
void gradient_rows(std::int64_t rows, std::int64_t channels, const float* x, const float* dy,
                   const ChannelAffine* affine, const float* slope, const float* shift,
                   const float* curve, float* dx) {
  const float* mean = affine->mean;
  const float* scale = affine->scale;
  const float* bias = affine->bias;
  for (std::int64_t row = 0; row < rows; ++row, x += channels, dy += channels, dx += channels) {
#pragma GCC ivdep
    for (std::int64_t c = 0; c < channels; ++c) {
      const float gradient = passed<kRelu>(x[c], dy[c], mean[c], scale[c], bias[c]);
      dx[c] = slope[c] * gradient - shift[c] - curve[c] * (x[c] - mean[c]);
    }
  }
}

void affine_gradient(std::int64_t rows, std::int64_t channels, const float* x, const float* dy,
                     const ChannelAffine* affine, const float* slope, const float* shift,
                     const float* curve, float* dx) {
  (affine->relu ? gradient_rows<true> : gradient_rows<false>)(rows, channels, x, dy, affine, slope,
                                                              shift, curve, dx);
}

inline float larger(float a, float b) { return b > a ? b : a; }

template <bool kRelu>
void pool_rows(std::int64_t width, std::int64_t channels, const float* __restrict x,
               std::int64_t row, float* __restrict y) {
  for (std::int64_t i = 0; i < width; ++i, x += 2 * channels, y += channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float top = larger(x[c], x[channels + c]);
      const float most = larger(larger(top, x[row + c]), x[row + channels + c]);
      y[c] = kRelu && most < 0.0f ? 0.0f : most;
    }
  }
}

void pool(std::int64_t width, std::int64_t channels, const float* x, std::int64_t row_stride,
          bool relu, float* y) {
  (relu ? pool_rows<true> : pool_rows<false>)(width, channels, x, row_stride, y);
}

template <bool kRelu>
void pool_gradient_rows(std::int64_t width, std::int64_t channels, const float* __restrict x,
                        std::int64_t row, const float* __restrict dy, float* __restrict dx) {
  for (std::int64_t i = 0; i < width; ++i, x += 2 * channels, dx += 2 * channels, dy += channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float a = x[c], b = x[channels + c], d = x[row + c], e = x[row + channels + c];
      const float two = larger(a, b), three = larger(two, d), most = larger(three, e);
      const float gradient = kRelu && !(most > 0.0f) ? 0.0f : dy[c];
      // The first largest: a later value must be strictly larger to win.
      const float fourth = e > three ? gradient : 0.0f;
      const float third = d > two && !(e > three) ? gradient : 0.0f;
      const float second = b > a && !(d > two) && !(e > three) ? gradient : 0.0f;
      const float first = !(b > a) && !(d > two) && !(e > three) ? gradient : 0.0f;
      dx[c] = first;
      dx[channels + c] = second;
      dx[row + c] = third;
      dx[row + channels + c] = fourth;
    }
  }
}

void pool_gradient(std::int64_t width, std::int64_t channels, const float* x,
                   std::int64_t row_stride, bool relu, const float* dy, float* dx) {
  (relu ? pool_gradient_rows<true> : pool_gradient_rows<false>)(width, channels, x, row_stride, dy,
                                                                dx);
}

void relu_gradient(std::int64_t count, const float* __restrict y, float* __restrict dy) {
  for (std::int64_t i = 0; i < count; ++i) dy[i] = y[i] > 0.0f ? dy[i] : 0.0f;
}

typedef std::uint32_t Words __attribute__((vector_size(sizeof(Vector))));
typedef std::uint64_t WideWords __attribute__((vector_size(sizeof(Vector))));
typedef std::int32_t SignedWords __attribute__((vector_size(sizeof(Vector))));

// The low and the high words of factor · value.
inline void multiply_wide(std::uint64_t factor, Words value, Words* low, Words* high) {
  const WideWords even = ((WideWords)value & 0xffffffff) * factor;
  const WideWords odd = ((WideWords)value >> 32) * factor;
  *low = (Words)((even & 0xffffffff) | (odd << 32));
  *high = (Words)((even >> 32) | (odd & ~std::uint64_t{0xffffffff}));
}

// The Philox4x32-10 blocks from counter[0] + first on, one a lane.
inline void philox_blocks(const std::uint32_t* counter, const std::uint32_t* key,
                          std::uint32_t first, Words word[4]) {
  std::uint32_t numbers[kWidth];
  for (int lane = 0; lane < kWidth; ++lane) {
    numbers[lane] = counter[0] + first + static_cast<std::uint32_t>(lane);
  }
  __builtin_memcpy(&word[0], numbers, sizeof(numbers));
  for (int w = 1; w < 4; ++w) word[w] = Words{} + counter[w];
  std::uint32_t key0 = key[0], key1 = key[1];
  for (int round = 0; round < 10; ++round) {
    Words low0, high0, low1, high1;
    multiply_wide(0xD2511F53, word[0], &low0, &high0);
    multiply_wide(0xCD9E8D57, word[2], &low1, &high1);
    word[0] = high1 ^ word[1] ^ key0;
    word[1] = low1;
    word[2] = high0 ^ word[3] ^ key1;
    word[3] = low0;
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
}

// Bits of kept as they belong to the vector of values from `i` on; kWidth divides or is 8.
inline unsigned kept_bits(const std::uint8_t* kept, std::int64_t i) {
  if constexpr (kWidth == 16) return kept[i / 8] | static_cast<unsigned>(kept[i / 8 + 1]) << 8;
  return static_cast<unsigned>(kept[i / 8]) >> (i % 8);
}

void dropout_gradient(std::int64_t count, const std::uint8_t* kept, float scale, float* values) {
  std::int64_t i = 0;
  for (; i + kWidth <= count; i += kWidth) {
    store(values + i, where(kept_bits(kept, i), load(values + i) * broadcast(scale)));
  }
  for (; i < count; ++i) {
    values[i] = (kept[i / 8] >> (i % 8) & 1) != 0 ? values[i] * scale : 0.0f;
  }
}

void dropout(std::int64_t count, float* values, const std::uint32_t* counter,
             const std::uint32_t* key, std::uint32_t threshold, float scale, std::uint8_t* kept) {
  constexpr int kBlocks = 16, kValues = 8 * kBlocks;
  const Vector highest_dropped = broadcast(static_cast<float>(threshold) - 0.5f);
  for (std::int64_t start = 0; start < count; start += kValues) {
    unsigned bits[8] = {};
    for (int lane = 0; lane < kBlocks; lane += kWidth) {
      Words word[4];
      philox_blocks(counter, key, static_cast<std::uint32_t>(start / 8 + lane), word);
      for (int half = 0; half < 8; ++half) {
        const Words draws = word[half / 2] >> (half % 2 * 16) & 0xffff;
        const Vector values_of_draws = __builtin_convertvector((SignedWords)draws, Vector);
        bits[half] |= greater(values_of_draws, highest_dropped) << lane;
      }
    }
    for (int half = 0; half < 8; ++half, kept += 2) {
      kept[0] = static_cast<std::uint8_t>(bits[half]);
      kept[1] = static_cast<std::uint8_t>(bits[half] >> 8);
    }
  }
  kept -= (count + kValues - 1) / kValues * (kValues / 8);
  dropout_gradient(count, kept, scale, values);
}

constexpr ElementwiseKernels elementwise_table() {
  return {moments,       affine,  affine_gradient_sums, affine_gradient, pool, pool_gradient,
          relu_gradient, dropout, dropout_gradient};
}
