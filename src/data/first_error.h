// Work in parallel, errors as if it had been done one after another.
#pragma once

#include <atomic>
#include <exception>
#include <limits>
#include <mutex>

#include <ferplus/core/parallel.h>

namespace ferplus {

// As parallel_for, but the exception rethrown is that of the lowest i whose body throws, whatever
// the threads do. Bodies above a known failure may be left out.
template <typename Body>
void parallel_for_first_error(Index count, const Body& body) {
  std::atomic<Index> lowest{std::numeric_limits<Index>::max()};
  std::exception_ptr failure;
  std::mutex mutex;
  parallel_for(count, [&](Index i) {
    if (i > lowest.load(std::memory_order_relaxed)) return;
    try {
      body(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (i < lowest.load(std::memory_order_relaxed)) {
        lowest.store(i, std::memory_order_relaxed);
        failure = std::current_exception();
      }
    }
  });
  if (failure) std::rethrow_exception(failure);
}

}  // namespace ferplus
