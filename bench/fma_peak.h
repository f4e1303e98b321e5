// What the machine could do at most.
#pragma once

#include <string_view>

namespace ferplus::bench {

// Multiply-adds in registers only, on thread_count() threads, with the instructions of an ISA:
// floating-point operations a second. Measured once per ISA and process, some 50 ms.
double fma_peak(std::string_view isa);

}  // namespace ferplus::bench
