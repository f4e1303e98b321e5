// The one place that turns errors into exit codes: 0 success, 1 failure, 2 usage.
#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include <ferplus/core/error.h>
#include <ferplus/core/text.h>
#include <ferplus/kernels/cpu.h>

#include "command_line.h"
#include "terminal.h"

namespace {

int report(const std::string& reason, int exit_code) {
  ferplus::tool::Console::standard_error().clear_status();
  std::fprintf(stderr, "ferplus: error: %s\n", ferplus::harmless(reason).c_str());
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  using namespace ferplus::tool;
#ifdef M_MMAP_THRESHOLD
  // Else glibc keeps what the first large block to be freed needed: 24 MB more in training.
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
#endif
  try {
    ferplus::isa_name();  // a wrong FERPLUS_ISA is an error for every command
    const Run run = parse_command_line(std::vector<std::string>(argv + (argc > 0), argv + argc));
    const int exit_code = run();
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) {
      throw ferplus::Error(std::string("cannot write to standard output: ") + std::strerror(errno));
    }
    return exit_code;
  } catch (const ferplus::UsageError& error) {
    return report(error.what(), kExitUsage);
  } catch (const std::bad_alloc&) {
    return report("out of memory", kExitFailure);
  } catch (const std::exception& error) {
    return report(error.what(), kExitFailure);
  }
}
