// The kernels in use.
#pragma once

#include "kernels/kernel_table.h"

namespace ferplus {

// The table of isa_name() (ferplus/kernels/cpu.h). Throws as isa_name() at first use.
const KernelTable& kernels();

}  // namespace ferplus
