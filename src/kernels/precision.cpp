#include <ferplus/core/error.h>
#include <ferplus/core/names.h>
#include <ferplus/kernels/precision.h>

namespace ferplus {

Precision precision_from_name(std::string_view name) {
  for (Precision precision : {Precision::fp32, Precision::bf16}) {
    if (name == precision_name(precision)) return precision;
  }
  throw UsageError(unknown_name("precision", name, {"fp32", "bf16"}));
}

std::string_view precision_name(Precision precision) {
  return precision == Precision::fp32 ? "fp32" : "bf16";
}

}  // namespace ferplus
