// Random numbers from a counter: a draw is a pure function of (seed, stream, epoch, sample, index),
// so results depend neither on threads nor on the order of work, and resuming needs no state.
//
// The generator is Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
// 1, 2, 3", SC 2011. Checked against that paper's known-answer vectors in tests/core.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ferplus {

// One Philox4x32-10 block: four independent 32-bit words for a 128-bit counter and a 64-bit key.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

// What draws are for. Each purpose has its own stream, so that adding draws to one never shifts
// those of another. Dropout layer k uses `dropout + k`; keep that range free.
enum class Stream : std::uint32_t {
  initialization = 1,
  shuffle = 2,
  distortion = 3,
  label = 4,
  synth = 5,
  erasing = 6,
  mixing = 7,
  flip = 8,
  hold_out = 9,
  corruption = 10,
  dropout = 1000,
};

// Names one sequence of draws. `sample` is Sample::draw_key, the image's place in its split (or the
// parameter's number, for initialisation), never its place in a batch.
struct RandomKey {
  std::uint64_t seed = 0;
  Stream stream;
  std::uint32_t epoch = 0;
  std::uint32_t sample = 0;
};

// The draws of one key, one after another. A value type: copy it to replay from a position.
class RandomSequence {
 public:
  explicit RandomSequence(const RandomKey& key);

  std::uint32_t next_u32();
  // Uniform in [0, 1), 53 random bits.
  double uniform();
  // Uniform in [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  // Uniform in {0, …, count-1}, unbiased (rejection). REQUIRES: count > 0.
  std::uint32_t below(std::uint32_t count);
  // Standard normal (Box-Muller; one of the pair is thrown away, so a draw is always two uniforms).
  double normal();
  // Beta(shape, shape), in [0, 1]: the share of two unit-rate gamma draws, each by Marsaglia &
  // Tsang, "A simple method for generating gamma variables", 2000. REQUIRES: shape > 0.
  double beta(double shape);
  bool coin() { return (next_u32() >> 31) != 0; }

 private:
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
};

// counter and key of the first Philox block of `key`; the block's number is added to counter[0].
// For kernels that draw whole vectors (dropout).
void random_counter(const RandomKey& key, std::array<std::uint32_t, 4>& counter,
                    std::array<std::uint32_t, 2>& philox_key);

}  // namespace ferplus
