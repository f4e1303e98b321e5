// What products share: how a register tile ends, and how operands are fetched.

// What Epilogue says, and into memory.
template <int kRows>
inline __attribute__((always_inline)) void store_tile(const Vector (&sum)[kRows][2], float* c,
                                                      std::int64_t ldc, const Epilogue& epilogue) {
  Vector bias[2] = {broadcast(0.0f), broadcast(0.0f)};
  if (epilogue.bias != nullptr) {
    bias[0] = load(epilogue.bias);
    bias[1] = load(epilogue.bias + kWidth);
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      Vector value = sum[i][j];
      if (epilogue.accumulate) value = value + load(c + i * ldc + j * kWidth);
      if (epilogue.bias != nullptr) value = value + bias[j];
      if (epilogue.relu) value = positive_part(value);
      store(c + i * ldc + j * kWidth, value);
    }
  }
}

// What a product streams through, packed weights above all, comes from farther away than the second
// cache: the bytes behind the next kFetchAhead are fetched into it.
constexpr int kFetchAhead = 16384, kCacheLine = 64;

template <int kBytes>
inline __attribute__((always_inline)) void fetch_ahead(const void* from) {
#pragma GCC unroll 2
  for (int i = 0; i < kBytes; i += kCacheLine) {
    __builtin_prefetch(static_cast<const char*>(from) + kFetchAhead + i, 0, 2);
  }
}
