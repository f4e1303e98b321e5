#include <new>

#include <ferplus/core/buffer.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace ferplus {

void* allocate(std::size_t bytes) {
  // Layers walk over their operands in strides of many pages: with small ones, every other access
  // would miss the TLB.
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  const bool huge = bytes >= kHugePage;
  const std::size_t alignment = huge ? kHugePage : kAlignment;
  bytes = std::max((bytes + alignment - 1) / alignment * alignment, alignment);
  void* memory = std::aligned_alloc(alignment, bytes);
  if (memory == nullptr) throw std::bad_alloc();
#if defined(__linux__)
  if (huge) madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: refused, all still works
#endif
  return memory;
}

}  // namespace ferplus
