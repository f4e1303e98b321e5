// What the machine could do at most.
#pragma once

#include <string_view>

namespace ferplus::bench {

// Multiply-adds in registers only, on thread_count() threads, with the instructions of an ISA:
// floating-point operations a second, 0 for an ISA without such a loop. Takes some 50 ms.
double measure_fma_peak(std::string_view isa);
// "avx512_vnni" is the one with operands of 8 bits; REQUIRES: has_vnni().
bool has_vnni();
// The same, measured once per ISA and process.
double fma_peak(std::string_view isa);

}  // namespace ferplus::bench
