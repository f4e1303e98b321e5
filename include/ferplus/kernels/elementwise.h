// Kernels of layers that work value by value, for rows of pixels with `channels` values each,
// dense.
//
// Each works on the calling thread, allocates nothing and throws nothing; layers cut the work.
// Spans may not overlap unless said. ISAs differ in the last bits only where sums do. This header
// is included by the per-ISA sources: nothing but <cstdint> here.
#pragma once

#include <cstdint>

namespace ferplus {

// y = (x - mean)·scale + bias per channel, then max(y, 0) if relu.
struct ChannelAffine {
  const float* mean;
  const float* scale;
  const float* bias;
  bool relu;
};

struct ElementwiseKernels {
  // sum[c] = Σ (x - shift[c]), squares[c] = Σ (x - shift[c])² over the rows.
  void (*moments)(std::int64_t rows, std::int64_t channels, const float* x, const float* shift,
                  float* sum, float* squares);
  void (*affine)(std::int64_t rows, std::int64_t channels, const float* x,
                 const ChannelAffine* affine, float* y);
  // dy is what reaches y; where affine->relu stopped y it counts as 0.
  // sum[c] = Σ dy, product[c] = Σ dy·(x - mean[c]) over the rows.
  void (*affine_gradient_sums)(std::int64_t rows, std::int64_t channels, const float* x,
                               const float* dy, const ChannelAffine* affine, float* sum,
                               float* product);
  // dx = slope·dy - shift - curve·(x - mean); dx may be dy.
  void (*affine_gradient)(std::int64_t rows, std::int64_t channels, const float* x, const float* dy,
                          const ChannelAffine* affine, const float* slope, const float* shift,
                          const float* curve, float* dx);
  // y[width, channels]: the largest of each 2×2 window of two rows of 2·width pixels, x and
  // x + row_stride; with relu also of 0.
  void (*pool)(std::int64_t width, std::int64_t channels, const float* x, std::int64_t row_stride,
               bool relu, float* y);
  // dx of those pixels: dy at the first largest value of its window (with relu only if that is
  // above 0), else 0. dx has the same row_stride.
  void (*pool_gradient)(std::int64_t width, std::int64_t channels, const float* x,
                        std::int64_t row_stride, bool relu, const float* dy, float* dx);
  // dy[i] = 0 where y[i] is not above 0.
  void (*relu_gradient)(std::int64_t count, const float* y, float* dy);
  // values[i] = 0 where its 16 random bits are below `threshold`, else values[i]·scale. kept, one
  // bit a value and whole bytes for every 128 values, says which it was. The random bits are of
  // Philox4x32-10 block counter[0] + i / 128 · 16 + i % 16: half i / 16 % 8 of its words, the low
  // half of a word first.
  void (*dropout)(std::int64_t count, float* values, const std::uint32_t* counter,
                  const std::uint32_t* key, std::uint32_t threshold, float scale,
                  std::uint8_t* kept);
  // values[i] = values[i]·scale where kept, else 0.
  void (*dropout_gradient)(std::int64_t count, const std::uint8_t* kept, float scale,
                           float* values);
};

// Those of the ISA in use (kernels/cpu.h).
const ElementwiseKernels& elementwise();

}  // namespace ferplus
