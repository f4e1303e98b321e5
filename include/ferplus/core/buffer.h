// Aligned memory that owns itself and is never resized.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <span>

namespace ferplus {

// Alignment of every buffer and of every tensor placed in an arena: one cache line, one widest
// vector.
inline constexpr std::size_t kAlignment = 64;

inline constexpr std::size_t align_up(std::size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// Memory aligned to kAlignment, for std::free; where it pays and the system lets programs ask, in
// huge pages. Throws std::bad_alloc.
void* allocate(std::size_t bytes);

// `count` values, zeroed, aligned to kAlignment. Move-only. Throws std::bad_alloc.
template <typename Value>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t count) : count_(count) {
    data_.reset(static_cast<Value*>(allocate(count * sizeof(Value))));
    std::fill_n(data_.get(), count, Value{});
  }

  Value* data() { return data_.get(); }
  const Value* data() const { return data_.get(); }
  std::size_t size() const { return count_; }
  std::span<Value> span() { return {data(), count_}; }
  std::span<const Value> span() const { return {data(), count_}; }

 private:
  struct Free {
    void operator()(Value* pointer) const { std::free(pointer); }
  };
  std::unique_ptr<Value, Free> data_;
  std::size_t count_ = 0;
};

}  // namespace ferplus
