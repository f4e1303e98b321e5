// bfloat16 without an instruction for it: pairs are widened to two floats. Included into the
// namespace of a kernels_<isa>.cpp behind its simd_<isa>.h.

constexpr bool kNativeBf16 = false;

typedef std::uint32_t PairWords __attribute__((vector_size(sizeof(Vector))));
typedef std::uint16_t HalfWords __attribute__((vector_size(sizeof(Vector) / 2)));
using Pairs = PairWords;

inline Pairs load_pairs(const Bf16* from) {
  Pairs pairs;
  __builtin_memcpy(&pairs, from, sizeof(pairs));
  return pairs;
}
inline Pairs broadcast_pair(const Bf16* from) {
  std::uint32_t pair;
  __builtin_memcpy(&pair, from, sizeof(pair));
  return Pairs{} + pair;
}
inline Vector multiply_add_pairs(Pairs a, Pairs b, Vector sum) {
  sum = multiply_add((Vector)(a << 16), (Vector)(b << 16), sum);
  return multiply_add((Vector)(a & 0xffff0000), (Vector)(b & 0xffff0000), sum);
}
// Rounded to nearest even, in the lower halves; a NaN stays one.
inline PairWords round_lanes(Vector value) {
  const PairWords bits = (PairWords)value;
  const PairWords rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  const PairWords quiet = bits >> 16 | 0x40;
  return (bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded;
}
inline void store(Bf16* to, Vector value) {
  const HalfWords halves = __builtin_convertvector(round_lanes(value), HalfWords);
  __builtin_memcpy(to, &halves, sizeof(halves));
}
// Lane i of both, side by side.
inline void store_pair(Bf16* to, Vector first, Vector second) {
  const PairWords pairs = round_lanes(first) | round_lanes(second) << 16;
  __builtin_memcpy(to, &pairs, sizeof(pairs));
}
