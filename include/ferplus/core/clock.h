// The time of day, and how much of it has passed.
#pragma once

#include <chrono>

namespace ferplus {

// Seconds since 1970-01-01 UTC.
inline double unix_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// For how long something took: another clock, which nobody sets.
using SteadyTime = std::chrono::steady_clock::time_point;
inline SteadyTime steady_now() { return std::chrono::steady_clock::now(); }
inline double seconds_since(SteadyTime start) {
  return std::chrono::duration<double>(steady_now() - start).count();
}

}  // namespace ferplus
