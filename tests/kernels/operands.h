// Operands and comparisons that the kernel tests share.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <ferplus/core/random.h>
#include <ferplus/core/tensor.h>
#include <ferplus/kernels/cpu.h>

namespace ferplus::test {

// Standard normal values, the same for the same seed.
inline std::vector<float> normal_values(Index count, std::uint64_t seed) {
  std::vector<float> values(static_cast<std::size_t>(count));
  RandomSequence random({.seed = seed, .stream = Stream::synth});
  // Sums of three uniforms: quicker than normal(), and close enough.
  for (float& value : values) {
    value =
        static_cast<float>(2.0 * (random.uniform() + random.uniform() + random.uniform() - 1.5));
  }
  return values;
}

// A buffer of NaNs: what a kernel leaves unwritten, or reads before writing, shows.
inline std::vector<float> poisoned(Index count) {
  return std::vector<float>(static_cast<std::size_t>(count),
                            std::numeric_limits<float>::quiet_NaN());
}

// Cuts off `guard` values that a kernel should have left as poisoned() made them; false if it wrote
// some.
inline bool cut_guard(std::vector<float>& values, Index guard) {
  bool intact = true;
  for (; guard > 0; --guard) {
    intact = intact && std::isnan(values.back());
    values.pop_back();
  }
  return intact;
}

// Scratch of exactly the size asked for, filled with NaNs, that knows if it was overrun.
class Scratch {
 public:
  explicit Scratch(std::size_t bytes) : bytes_(bytes), memory_(bytes + kGuard, std::byte{0xff}) {}
  void* data() { return memory_.data(); }
  bool intact() const {
    for (std::size_t i = bytes_; i < memory_.size(); ++i) {
      if (memory_[i] != std::byte{0xff}) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t kGuard = 256;
  std::size_t bytes_;
  std::vector<std::byte> memory_;
};

// Root-mean-square difference, over the root-mean-square that sums of `terms` products of
// unit-variance values are expected to have (rather than the one they happen to have: a short sum
// may cancel). NaN if any value is.
inline double relative_error(const std::vector<float>& values, const std::vector<double>& reference,
                             double terms) {
  if (values.size() != reference.size()) return std::numeric_limits<double>::infinity();
  double squares = 0.0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double difference = static_cast<double>(values[i]) - reference[i];
    squares += difference * difference;
  }
  return squares == 0.0 ? 0.0 : std::sqrt(squares / (static_cast<double>(values.size()) * terms));
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

// Goes back to the best ISA at the end of a test that switches.
class RestoreIsa {
 public:
  RestoreIsa() : name_(isa_name()) {}
  ~RestoreIsa() { set_isa(name_); }
  RestoreIsa(const RestoreIsa&) = delete;
  RestoreIsa& operator=(const RestoreIsa&) = delete;

 private:
  std::string name_;
};

}  // namespace ferplus::test
