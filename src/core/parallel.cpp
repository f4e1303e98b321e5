#include <omp.h>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#include <atomic>
#include <exception>

#include <ferplus/core/parallel.h>

namespace ferplus {
namespace {
int g_threads = omp_get_num_procs();
// Of the parallel_for that this thread works in.
thread_local int t_index = 0;
}  // namespace

int thread_count() { return g_threads; }
void set_thread_count(int count) { g_threads = count < 1 ? 1 : count; }
int thread_index() { return t_index; }

FlushDenormals::FlushDenormals() {
#if defined(__SSE__)
  saved_ = _mm_getcsr();
  _mm_setcsr(static_cast<unsigned>(saved_) | 0x8040);  // flush to zero, denormals are zero
#elif defined(__aarch64__)
  __asm__ volatile("mrs %0, fpcr" : "=r"(saved_));
  __asm__ volatile("msr fpcr, %0" : : "r"(saved_ | (1ULL << 24)));
#else
  saved_ = 0;
#endif
}

FlushDenormals::~FlushDenormals() {
#if defined(__SSE__)
  _mm_setcsr(static_cast<unsigned>(saved_));
#elif defined(__aarch64__)
  __asm__ volatile("msr fpcr, %0" : : "r"(saved_));
#endif
}

namespace detail {

void run_parallel(Index count, void (*body)(void*, Index), void* context) {
  if (count <= 0) return;
  if (count == 1 || g_threads == 1 || omp_in_parallel()) {
    const FlushDenormals flush;
    for (Index i = 0; i < count; ++i) body(context, i);
    return;
  }
  std::exception_ptr failure;
  std::atomic<bool> failed{false};
#pragma omp parallel num_threads(g_threads)
  {
    const FlushDenormals flush;
    t_index = omp_get_thread_num();
#pragma omp for schedule(dynamic, 1)
    for (Index i = 0; i < count; ++i) {
      if (failed.load(std::memory_order_relaxed)) continue;
      try {
        body(context, i);
      } catch (...) {
        if (!failed.exchange(true)) failure = std::current_exception();
      }
    }
    t_index = 0;  // this thread may next serve a region of the caller's
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace detail
}  // namespace ferplus
