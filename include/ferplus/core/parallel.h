// Loops over independent work on OpenMP threads, and sums whose bits do not depend on how many
// threads there are.
//
// The rule that keeps results equal: work is cut by the size of the problem, never by the number of
// threads, and what is summed over a batch is summed per micro-batch of kMicroBatch images, in
// order, and the micro-batches in a fixed binary tree (tree_combine).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <ferplus/core/tensor.h>

namespace ferplus {

// Threads that parallel_for uses. Starts as the number of processors this process may run on.
int thread_count();
// REQUIRES: count >= 1. Not to be called while a parallel_for runs.
void set_thread_count(int count);

// Index of the calling thread in the running parallel_for, 0 … thread_count()-1; 0 outside one,
// also on the threads of an OpenMP region of the caller. For scratch memory only: results must not
// depend on it.
int thread_index();

// While it lives, the calling thread treats denormal numbers as zero; then its old mode returns.
// parallel_for holds one on every thread that runs its body.
class FlushDenormals {
 public:
  FlushDenormals();
  ~FlushDenormals();
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
  std::uint64_t saved_;
};

namespace detail {
void run_parallel(Index count, void (*body)(void* context, Index i), void* context);
}

// Calls body(i) for i in [0, count), on several threads, in any order, each i once. An exception
// thrown by body is caught and the first one rethrown here after all threads have finished.
// Within an OpenMP parallel region (its own or the caller's) it runs serially on the calling
// thread. Allocates nothing.
template <typename Body>
void parallel_for(Index count, Body&& body) {
  using Plain = std::remove_reference_t<Body>;
  detail::run_parallel(
      count, [](void* context, Index i) { (*static_cast<Plain*>(context))(i); },
      const_cast<void*>(static_cast<const void*>(&body)));
}

inline constexpr Index kMicroBatch = 8;

inline Index micro_batches(Index batch) { return (batch + kMicroBatch - 1) / kMicroBatch; }

// Adds parts 1 … count-1 to part 0 in the fixed tree: neighbours at distance 1, then 2, 4, ….
// combine(to, from) adds part `from` to part `to`. A power-of-two group of neighbouring parts is
// always summed by itself first, so a rank that owns such a group can sum it alone.
template <typename Combine>
void tree_combine(Index count, Combine&& combine) {
  for (Index distance = 1; distance < count; distance *= 2) {
    for (Index to = 0; to + distance < count; to += 2 * distance) combine(to, to + distance);
  }
}

// Sum of value(i) for i in [0, count), per micro-batch in order and the micro-batches in the tree
// of tree_combine, serially and without memory: the partial sums are a stack of groups of 1, 2, 4,
// … micro-batches.
template <typename Value>
auto tree_sum(Index count, Value&& value) {
  using Sum = decltype(value(Index{0}));
  Sum stack[64] = {};
  int depth = 0;
  for (Index part = 0; part < micro_batches(count); ++part) {
    Sum sum{};
    const Index end = std::min(count, (part + 1) * kMicroBatch);
    for (Index i = part * kMicroBatch; i < end; ++i) sum += value(i);
    for (Index group = part + 1; group % 2 == 0; group /= 2) sum = stack[--depth] + sum;
    stack[depth++] = sum;
  }
  for (; depth > 1; --depth) stack[depth - 2] += stack[depth - 1];
  return stack[0];
}

}  // namespace ferplus
