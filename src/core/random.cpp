#include <cmath>
#include <numbers>

#include <ferplus/core/random.h>

namespace ferplus {
namespace {

// The logarithm of a Gamma(shape, 1) draw: the draw itself underflows for small shapes.
double log_gamma_draw(RandomSequence& random, double shape) {
  // Below 1 the method does not hold: Gamma(a) = Gamma(a + 1)·U^(1/a).
  const double boost = shape < 1 ? std::log(1.0 - random.uniform()) / shape : 0;
  const double d = (shape < 1 ? shape + 1 : shape) - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = random.normal();
    const double root = 1 + c * x;
    const double u = 1.0 - random.uniform();
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return boost + std::log(d * v);
  }
}

}  // namespace

std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key) {
  constexpr std::uint64_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = kMultiplier0 * counter[0];
    const std::uint64_t product1 = kMultiplier1 * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<std::uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

void random_counter(const RandomKey& key, std::array<std::uint32_t, 4>& counter,
                    std::array<std::uint32_t, 2>& philox_key) {
  counter = {0, key.sample, key.epoch, static_cast<std::uint32_t>(key.stream)};
  philox_key = {static_cast<std::uint32_t>(key.seed), static_cast<std::uint32_t>(key.seed >> 32)};
}

RandomSequence::RandomSequence(const RandomKey& key) { random_counter(key, counter_, key_); }

std::uint32_t RandomSequence::next_u32() {
  if (used_ == 4) {
    block_ = philox4x32(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return block_[static_cast<std::size_t>(used_++)];
}

double RandomSequence::uniform() {
  const std::uint64_t high = next_u32() >> 5, low = next_u32() >> 6;
  return static_cast<double>((high << 26) | low) * 0x1p-53;
}

std::uint32_t RandomSequence::below(std::uint32_t count) {
  // Lemire, "Fast random integer generation in an interval", 2019, algorithm 5.
  std::uint64_t product = std::uint64_t{next_u32()} * count;
  if (static_cast<std::uint32_t>(product) < count) {
    const std::uint32_t threshold = (0U - count) % count;
    while (static_cast<std::uint32_t>(product) < threshold) {
      product = std::uint64_t{next_u32()} * count;
    }
  }
  return static_cast<std::uint32_t>(product >> 32);
}

double RandomSequence::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

double RandomSequence::beta(double shape) {
  const double first = log_gamma_draw(*this, shape), second = log_gamma_draw(*this, shape);
  return 1 / (1 + std::exp(second - first));
}

}  // namespace ferplus
