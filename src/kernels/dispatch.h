// The kernels in use.
#pragma once

#include "kernels/bf16.h"
#include "kernels/kernel_table.h"

namespace ferplus {

// The table of isa_name() (ferplus/kernels/cpu.h). Throws as isa_name() at first use.
const KernelTable& kernels();
// The same ISA's, native where this CPU has the instructions.
const Bf16Kernels& bf16_kernels();

}  // namespace ferplus
