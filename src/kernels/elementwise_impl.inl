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

// Philox blocks that are computed side by side, one a lane.
constexpr int kPhiloxLanes = 16;

void dropout(std::int64_t count, float* __restrict values, const std::uint32_t* counter,
             const std::uint32_t* key, std::uint32_t threshold, float scale) {
  constexpr std::uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  constexpr std::int64_t kValues = 8 * kPhiloxLanes;
  for (std::int64_t start = 0; start < count; start += kValues) {
    std::uint32_t word[4][kPhiloxLanes];
    const auto first = static_cast<std::uint32_t>(start / 8);
    for (int lane = 0; lane < kPhiloxLanes; ++lane) {
      word[0][lane] = counter[0] + first + static_cast<std::uint32_t>(lane);
      word[1][lane] = counter[1];
      word[2][lane] = counter[2];
      word[3][lane] = counter[3];
    }
    std::uint32_t key0 = key[0], key1 = key[1];
    for (int round = 0; round < 10; ++round, key0 += kWeyl0, key1 += kWeyl1) {
      for (int lane = 0; lane < kPhiloxLanes; ++lane) {
        const std::uint64_t product0 = kMultiplier0 * word[0][lane];
        const std::uint64_t product1 = kMultiplier1 * word[2][lane];
        word[0][lane] = static_cast<std::uint32_t>(product1 >> 32) ^ word[1][lane] ^ key0;
        word[1][lane] = static_cast<std::uint32_t>(product1);
        word[2][lane] = static_cast<std::uint32_t>(product0 >> 32) ^ word[3][lane] ^ key1;
        word[3][lane] = static_cast<std::uint32_t>(product0);
      }
    }
    // Back from lanes to the order of the values.
    float factor[kValues];
    for (int lane = 0; lane < kPhiloxLanes; ++lane) {
      for (int w = 0; w < 4; ++w) {
        const std::uint32_t bits = word[w][lane];
        factor[8 * lane + 2 * w] = (bits & 0xffff) < threshold ? 0.0f : scale;
        factor[8 * lane + 2 * w + 1] = (bits >> 16) < threshold ? 0.0f : scale;
      }
    }
    const std::int64_t end = count - start < kValues ? count - start : kValues;
    for (std::int64_t i = 0; i < end; ++i) {
      values[start + i] = factor[i] == 0.0f ? 0.0f : values[start + i] * factor[i];
    }
  }
}

constexpr ElementwiseKernels elementwise_table() {
  return {moments, affine,        affine_gradient_sums, affine_gradient,
          pool,    pool_gradient, relu_gradient,        dropout};
}
