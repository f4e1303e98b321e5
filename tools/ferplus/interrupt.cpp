#include "interrupt.h"

#include <csignal>

namespace ferplus::tool {
namespace {

std::atomic<bool> flag{false};
std::atomic<int> caught{0};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free,
              "a signal handler may touch lock-free atomics only");

extern "C" void on_signal(int signal_number) {
  int none = 0;
  if (caught.compare_exchange_strong(none, signal_number)) {
    flag = true;
    return;
  }
  std::signal(signal_number, SIG_DFL);
  std::raise(signal_number);
}

}  // namespace

void install_interrupt_handlers() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;  // a write to a log is not to fail because of it
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

const std::atomic<bool>& interrupt_flag() { return flag; }

int interrupt_exit_code() { return caught == 0 ? 0 : 128 + caught; }

}  // namespace ferplus::tool
