// Ctrl-C and SIGTERM as a request to finish the step, save and leave.
#pragma once

#include <atomic>

namespace ferplus::tool {

// From now on the first SIGINT or SIGTERM sets interrupt_flag(); a second one ends the process at
// once, as if there were no handler. Call it where the work that can be interrupted begins;
// commands that do not call it end at the first signal.
void install_interrupt_handlers();

// Set once a signal has come. Lock-free; for loops to look at.
const std::atomic<bool>& interrupt_flag();

// 130 after SIGINT, 143 after SIGTERM; 0 if neither has come.
int interrupt_exit_code();

}  // namespace ferplus::tool
