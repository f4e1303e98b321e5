#include "fma_peak.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <ferplus/core/parallel.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace ferplus::bench {
namespace {

// Each runs `rounds` rounds of kChains independent multiply-adds on vectors and returns a value
// that depends on all of them; lanes per vector as in its row below. The chains start at different
// values: equal ones would be merged by the compiler.
constexpr int kChains = 12;
using Loop = float (*)(std::int64_t rounds);

typedef float Vector4 __attribute__((vector_size(16)));
float generic_loop(std::int64_t rounds) {
  Vector4 sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = Vector4{} + static_cast<float>(i);
  const Vector4 factor = {0.5f, 0.5f, 0.5f, 0.5f}, addend = {1.0f, 1.0f, 1.0f, 1.0f};
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (auto& sum : sums) sum = sum * factor + addend;
  }
  float total = 0.0f;
  for (const auto& sum : sums) total += sum[0];
  return total;
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"))) float avx2_loop(std::int64_t rounds) {
  __m256 sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = __m256{} + static_cast<float>(i);
  const __m256 factor = _mm256_set1_ps(0.5f), addend = _mm256_set1_ps(1.0f);
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (auto& sum : sums) sum = _mm256_fmadd_ps(sum, factor, addend);
  }
  float total = 0.0f;
  for (const auto& sum : sums) total += sum[0];
  return total;
}

__attribute__((target("avx512f"))) float avx512_loop(std::int64_t rounds) {
  __m512 sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = __m512{} + static_cast<float>(i);
  const __m512 factor = _mm512_set1_ps(0.5f), addend = _mm512_set1_ps(1.0f);
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (auto& sum : sums) sum = _mm512_fmadd_ps(sum, factor, addend);
  }
  float total = 0.0f;
  for (const auto& sum : sums) total += sum[0];
  return total;
}

// Integers: products of 8 bits, sums of 32.
__attribute__((target("avx512f,avx512vnni"))) float vnni_loop(std::int64_t rounds) {
  __m512i sums[kChains];
  for (int i = 0; i < kChains; ++i) sums[i] = _mm512_set1_epi32(i);
  const __m512i a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(5);
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (auto& sum : sums) sum = _mm512_dpbusd_epi32(sum, a, b);
  }
  int total = 0;
  for (const auto& sum : sums) total += _mm512_cvtsi512_si32(sum);
  return static_cast<float>(total);
}
#endif

struct Row {
  std::string_view isa;
  Loop loop;
  int lanes;
};
constexpr Row kRows[] = {
#if defined(__x86_64__)
    {"avx512", avx512_loop, 16}, {"avx512_vnni", vnni_loop, 64}, {"avx2", avx2_loop, 8},
#endif
    {"neon", generic_loop, 4},   {"baseline", generic_loop, 4},
};

// Every thread times itself, many times and briefly, and its best counts: what else runs on the
// machine leaves some of the rounds alone.
double measure(const Row& row) {
  using Clock = std::chrono::steady_clock;
  constexpr std::int64_t kRounds = 100'000;
  constexpr int kRepetitions = 200;
  std::vector<double> best(static_cast<std::size_t>(thread_count()), 0.0);
  parallel_for(thread_count(), [&](Index thread) {
    for (int repetition = 0; repetition < kRepetitions; ++repetition) {
      const auto start = Clock::now();
      benchmark::DoNotOptimize(row.loop(kRounds));
      const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
      double& mine = best[static_cast<std::size_t>(thread)];
      mine = std::max(mine, 2.0 * kChains * row.lanes * static_cast<double>(kRounds) / seconds);
    }
  });
  return std::accumulate(best.begin(), best.end(), 0.0);
}

}  // namespace

bool has_vnni() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx512vnni") > 0;
#else
  return false;
#endif
}

double measure_fma_peak(std::string_view isa) {
  const auto row = std::find_if(std::begin(kRows), std::end(kRows),
                                [&](const Row& candidate) { return candidate.isa == isa; });
  return row == std::end(kRows) ? 0.0 : measure(*row);
}

double fma_peak(std::string_view isa) {
  static std::map<std::string, double, std::less<>> known;
  if (const auto found = known.find(isa); found != known.end()) return found->second;
  return known.emplace(isa, measure_fma_peak(isa)).first->second;
}

}  // namespace ferplus::bench
