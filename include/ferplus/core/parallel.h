// Loops over independent work on OpenMP threads, and sums whose bits do not depend on how many
// threads there are.
//
// The rule that keeps results equal: work is cut by the size of the problem, never by the number of
// threads, and what is summed over a batch is summed per micro-batch of kMicroBatch images, in
// order, and the micro-batches in a fixed binary tree (tree_combine, tree_reduce).
#pragma once

#include <algorithm>
#include <bit>
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

// Adds parts 1 … count-1 to part 0: within groups of `group` neighbours in order (kMicroBatch
// images, or 1), and the groups in the fixed tree, neighbours at distance 1, then 2, 4, ….
// combine(to, from) adds part `from` to part `to`. A power-of-two number of neighbouring groups is
// always summed by itself first, so a rank that owns them can sum them alone.
template <typename Combine>
void tree_combine(Index count, Index group, Combine&& combine) {
  for (Index i = 0; i < count; ++i) {
    if (i % group != 0) combine(i / group * group, i);
  }
  for (Index distance = group; distance < count; distance *= 2) {
    for (Index to = 0; to + distance < count; to += 2 * distance) combine(to, to + distance);
  }
}

// Slots that tree_reduce works in.
inline Index tree_slots(Index count) { return std::bit_width(static_cast<std::size_t>(count)); }

// The same tree over parts that are made one after another, in few slots: a sum waits until its
// equal sibling is there. make(part, slot) puts part `part` into slot `slot`, combine(to, from)
// adds slot `from` to slot `to`; slot 0 holds the sum in the end.
template <typename Make, typename Combine>
void tree_reduce(Index count, Make&& make, Combine&& combine) {
  Index waiting = 0;
  const auto join = [&] {
    --waiting;
    combine(waiting - 1, waiting);
  };
  for (Index part = 0; part < count; ++part) {
    make(part, waiting++);
    for (Index rest = part; rest % 2 != 0; rest /= 2) join();
  }
  while (waiting > 1) join();
}

// Sum of value(i) for i in [0, count), per micro-batch in order and the micro-batches in the tree,
// serially and without memory.
template <typename Value>
auto tree_sum(Index count, Value&& value) {
  using Sum = decltype(value(Index{0}));
  Sum slots[64] = {};
  tree_reduce(
      micro_batches(count),
      [&](Index part, Index slot) {
        Sum sum{};
        const Index end = std::min(count, (part + 1) * kMicroBatch);
        for (Index i = part * kMicroBatch; i < end; ++i) sum += value(i);
        slots[slot] = sum;
      },
      [&](Index to, Index from) { slots[to] += slots[from]; });
  return slots[0];
}

}  // namespace ferplus
