// Counts every allocation of the process by standing in front of glibc's malloc. Include it in one
// source of a test binary: it defines malloc and its relatives. Elsewhere than on glibc, and under
// sanitizers, which bring their own malloc, nothing is counted: kCountsAllocations. Nor with Clang,
// whose OpenMP runtime allocates in every loop with a dynamic schedule.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

namespace ferplus {
inline std::atomic<long> allocations{0};
}

#if defined(__GLIBC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
namespace ferplus {
inline constexpr bool kCountsAllocations = true;
}
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* pointer, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
  ++ferplus::allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
  ++ferplus::allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* pointer, std::size_t size) {
  ++ferplus::allocations;
  return __libc_realloc(pointer, size);
}
void* memalign(std::size_t alignment, std::size_t size) {
  ++ferplus::allocations;
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }
int posix_memalign(void** pointer, std::size_t alignment, std::size_t size) {
  *pointer = memalign(alignment, size);
  return *pointer == nullptr ? ENOMEM : 0;
}
}
#else
namespace ferplus {
inline constexpr bool kCountsAllocations = false;
}
#endif
