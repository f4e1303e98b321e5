// What the operands of products are rounded to. Sums, activations and parameters are float.
#pragma once

#include <cstdint>
#include <string_view>

namespace ferplus {

enum class Precision : std::uint8_t {
  fp32,
  bf16,  // bfloat16, 8 bits of precision: convolutions, and dense layers forward
};

// "fp32", "bf16". Throws UsageError that lists the names.
Precision precision_from_name(std::string_view name);
std::string_view precision_name(Precision precision);

}  // namespace ferplus
