#include "kernels/dispatch.h"

#include <array>
#include <atomic>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>

#include <ferplus/core/error.h>
#include <ferplus/kernels/cpu.h>

namespace ferplus {
namespace {

// One instruction set. `runs_here` asks the CPU and the operating system.
struct Isa {
  std::string_view name;
  const KernelTable* table;  // null where this build has no code for it
  const ElementwiseKernels* elementwise;
  const Bf16Kernels* (*bf16)();
  bool (*runs_here)();  // asked where there is code
};

#if defined(__x86_64__)
bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
const Bf16Kernels* avx512_bf16() {
  return __builtin_cpu_supports("avx512bf16") ? &kAvx512NativeBf16Kernels : &kAvx512Bf16Kernels;
}
const Bf16Kernels* avx2_bf16() { return &kAvx2Bf16Kernels; }
constexpr const KernelTable* kAvx512 = &kAvx512Kernels;
constexpr const ElementwiseKernels* kAvx512Rows = &kAvx512Elementwise;
constexpr const KernelTable* kAvx2 = &kAvx2Kernels;
constexpr const ElementwiseKernels* kAvx2Rows = &kAvx2Elementwise;
#else
bool has_avx512() { return false; }
bool has_avx2() { return false; }
const Bf16Kernels* avx512_bf16() { return nullptr; }
const Bf16Kernels* avx2_bf16() { return nullptr; }
constexpr const KernelTable* kAvx512 = nullptr;
constexpr const ElementwiseKernels* kAvx512Rows = nullptr;
constexpr const KernelTable* kAvx2 = nullptr;
constexpr const ElementwiseKernels* kAvx2Rows = nullptr;
#endif
#if defined(__aarch64__)
const Bf16Kernels* neon_bf16() { return &kNeonBf16Kernels; }
constexpr const KernelTable* kNeon = &kNeonKernels;
constexpr const ElementwiseKernels* kNeonRows = &kNeonElementwise;
#else
const Bf16Kernels* neon_bf16() { return nullptr; }
constexpr const KernelTable* kNeon = nullptr;
constexpr const ElementwiseKernels* kNeonRows = nullptr;
#endif

// Best first; the last one runs everywhere.
constexpr std::array<Isa, 4> kIsas{{
    {"avx512", kAvx512, kAvx512Rows, avx512_bf16, has_avx512},
    {"avx2", kAvx2, kAvx2Rows, avx2_bf16, has_avx2},
    {"neon", kNeon, kNeonRows, neon_bf16, [] { return true; }},
    {"baseline", &kBaselineKernels, &kBaselineElementwise, [] { return &kBaselineBf16Kernels; },
     [] { return true; }},
}};

const Isa& find(std::string_view name, std::string_view asked_by) {
  for (const Isa& isa : kIsas) {
    if (isa.name != name) continue;
    if (isa.table != nullptr && isa.runs_here()) return isa;
    break;
  }
  std::string choices;
  for (std::string_view isa : supported_isas()) {
    choices += choices.empty() ? "" : ", ";
    choices += isa;
  }
  bool known = false;
  for (const Isa& isa : kIsas) known = known || isa.name == name;
  throw UsageError(concat(asked_by, " asks for the instruction set '", name, "', which ",
                          known ? "this machine cannot run" : "is unknown", "; choose one of ",
                          choices));
}

std::atomic<const Isa*> isa_in_use{nullptr};

const Isa& isa_used() {
  if (const Isa* isa = isa_in_use.load(std::memory_order_acquire)) return *isa;
  const char* wanted = std::getenv("FERPLUS_ISA");
  const bool is_set = wanted != nullptr && *wanted != '\0';
  const Isa& isa =
      find(is_set ? wanted : supported_isas().front(), is_set ? "FERPLUS_ISA" : "isa_name()");
  isa_in_use.store(&isa, std::memory_order_release);
  return isa;
}

}  // namespace

const KernelTable& kernels() { return *isa_used().table; }
const ElementwiseKernels& elementwise() { return *isa_used().elementwise; }
const Bf16Kernels& bf16_kernels() { return *isa_used().bf16(); }

bool has_native_bf16() { return bf16_kernels().native; }

std::string_view isa_name() { return isa_used().name; }

std::span<const std::string_view> supported_isas() {
  struct Names {
    std::array<std::string_view, kIsas.size()> names;
    std::size_t count = 0;
    Names() {
      for (const Isa& isa : kIsas) {
        if (isa.table != nullptr && isa.runs_here()) names[count++] = isa.name;
      }
    }
  };
  static const Names supported;
  return std::span(supported.names).first(supported.count);
}

void set_isa(std::string_view name) {
  isa_in_use.store(&find(name, "set_isa()"), std::memory_order_release);
}

}  // namespace ferplus
