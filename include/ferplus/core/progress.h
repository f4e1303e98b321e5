// How long-running functions say how far they are.
#pragma once

#include <cstddef>
#include <functional>

namespace ferplus {

// Called with rising `done` as work proceeds, from one thread at a time; may be empty.
using Progress = std::function<void(std::size_t done, std::size_t total)>;

}  // namespace ferplus
