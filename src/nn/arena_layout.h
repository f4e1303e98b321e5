// Where the parts of one buffer lie.
#pragma once

#include <cstddef>

#include <ferplus/core/buffer.h>

namespace ferplus {

// Hands out ranges of one buffer.
class ArenaLayout {
 public:
  std::size_t add(std::size_t bytes) {
    const std::size_t offset = size_;
    size_ += align_up(bytes);
    return offset;
  }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};

}  // namespace ferplus
