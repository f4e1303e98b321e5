// The end of a register tile of a product: what Epilogue says, and into memory.
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
