#pragma once

#include <cstddef>

namespace ferplus {

// How often operator new has been called in this program.
std::size_t allocations();

}  // namespace ferplus
