// How many threads a part of a test runs on.
#pragma once

#include <ferplus/core/parallel.h>

namespace ferplus {

// So many threads while it lives.
class Threads {
 public:
  explicit Threads(int count) { set_thread_count(count); }
  ~Threads() { set_thread_count(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_ = thread_count();
};

}  // namespace ferplus
