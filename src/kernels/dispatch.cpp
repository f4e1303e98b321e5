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
  bool (*runs_here)();
};

#if defined(__x86_64__)
bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
constexpr const KernelTable* kAvx512 = &kAvx512Kernels;
constexpr const KernelTable* kAvx2 = &kAvx2Kernels;
#else
bool has_avx512() { return false; }
bool has_avx2() { return false; }
constexpr const KernelTable* kAvx512 = nullptr;
constexpr const KernelTable* kAvx2 = nullptr;
#endif
#if defined(__aarch64__)
constexpr const KernelTable* kNeon = &kNeonKernels;
#else
constexpr const KernelTable* kNeon = nullptr;
#endif

// Best first; the last one runs everywhere.
constexpr std::array<Isa, 4> kIsas{{
    {"avx512", kAvx512, has_avx512},
    {"avx2", kAvx2, has_avx2},
    {"neon", kNeon, [] { return kNeon != nullptr; }},
    {"baseline", &kBaselineKernels, [] { return true; }},
}};

const KernelTable& find(std::string_view name, std::string_view asked_by) {
  for (const Isa& isa : kIsas) {
    if (isa.name != name) continue;
    if (isa.table != nullptr && isa.runs_here()) return *isa.table;
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

std::atomic<const KernelTable*> table_in_use{nullptr};

}  // namespace

const KernelTable& kernels() {
  if (const KernelTable* table = table_in_use.load(std::memory_order_acquire)) return *table;
  const char* wanted = std::getenv("FERPLUS_ISA");
  const bool is_set = wanted != nullptr && *wanted != '\0';
  const KernelTable& table =
      find(is_set ? wanted : supported_isas().front(), is_set ? "FERPLUS_ISA" : "isa_name()");
  table_in_use.store(&table, std::memory_order_release);
  return table;
}

std::string_view isa_name() { return kernels().isa; }

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
  table_in_use.store(&find(name, "set_isa()"), std::memory_order_release);
}

}  // namespace ferplus
