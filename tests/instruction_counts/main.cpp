// Counts the instructions of the main kernels under Valgrind's callgrind and compares them with the
// committed counts: AVX2, one thread, kernels only. No clock: counts do not change with what else
// the machine does, so that 3 % more are a change of the code.
//   instruction_counts             compare with counts.json; exit 1 if a kernel needs more
//   instruction_counts --record    write what this build needs into counts.json
// Exit 77 with the reason where nothing can be compared.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <unistd.h>
#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#define FERPLUS_HAS_CALLGRIND
#endif

#include <ferplus/core/error.h>
#include <ferplus/core/parallel.h>
#include <ferplus/kernels/cpu.h>

#include "cases.h"

namespace ferplus::instruction_counts {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr double kMargin = 0.03;
constexpr int kSkipped = 77;
const char* const kIsa = "avx2";

// What valgrind runs: a dump for each case, named by it.
int run_under_callgrind() {
#ifdef FERPLUS_HAS_CALLGRIND
  set_isa(kIsa);
  set_thread_count(1);
  run_cases([](const std::string& name, const std::function<void()>& kernel) {
    CALLGRIND_START_INSTRUMENTATION;
    CALLGRIND_ZERO_STATS;
    kernel();
    CALLGRIND_DUMP_STATS_AT(name.c_str());
    CALLGRIND_STOP_INSTRUMENTATION;
  });
#endif
  return 0;
}

// Why this build on this machine has nothing to compare; empty if it has.
std::string reason_to_skip() {
#ifndef FERPLUS_HAS_CALLGRIND
  return "valgrind's headers were missing at compile time: install valgrind and build again";
#endif
  if (FERPLUS_INSTRUMENTED) return "a debug, sanitizer or coverage build has other instructions";
  for (std::string_view isa : supported_isas()) {
    if (isa == kIsa) {
      const bool installed = std::system("command -v valgrind >/dev/null") == 0;
      return installed ? "" : "there is no valgrind here: install it";
    }
  }
  return concat("this machine cannot run ", kIsa);
}

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / concat("ferplus-counts-", getpid())) {
    fs::create_directory(path_);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// The name and count of one of callgrind's dumps; an empty name if it is the one at exit.
std::pair<std::string, std::int64_t> read_dump(const fs::path& path) {
  const std::string name_key = "desc: Trigger: Client Request: ", count_key = "totals: ";
  std::pair<std::string, std::int64_t> result;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(name_key)) result.first = line.substr(name_key.size());
    if (line.starts_with(count_key)) result.second = std::stoll(line.substr(count_key.size()));
  }
  return result;
}

// Counts by case, in the order of the cases.
Json count_instructions() {
  const Folder folder;
  const fs::path dumps = folder.path() / "dump", log = folder.path() / "log";
  const std::string command = concat(
      "valgrind --tool=callgrind --instr-atstart=no --callgrind-out-file='", dumps.string(), "' '",
      fs::read_symlink("/proc/self/exe").string(), "' --run >'", log.string(), "' 2>&1");
  if (std::system(command.c_str()) != 0) {
    std::ifstream in(log);
    throw Error(
        concat("failed: ", command, "\n", std::string(std::istreambuf_iterator<char>(in), {})));
  }
  Json counts = Json::object();
  for (int number = 1; fs::exists(concat(dumps.string(), ".", number)); ++number) {
    const auto [name, count] = read_dump(concat(dumps.string(), ".", number));
    if (!name.empty()) counts[name] = count;
  }
  if (counts.empty()) throw Error("callgrind wrote no counts");
  return counts;
}

Json read_json(const fs::path& path) {
  std::ifstream in(path);
  return in ? Json::parse(in) : Json::object();
}

int record(const fs::path& path) {
  Json recorded = read_json(path);
  recorded[FERPLUS_BUILD] = count_instructions();
  std::ofstream(path) << recorded.dump(2) << '\n';
  std::printf("recorded for %s in %s\n", FERPLUS_BUILD, path.c_str());
  return 0;
}

int compare(const fs::path& path) {
  const Json recorded = read_json(path);
  if (!recorded.contains(FERPLUS_BUILD)) {
    std::printf("skipped: no counts are recorded for %s\n", FERPLUS_BUILD);
    return kSkipped;
  }
  Json before = recorded[FERPLUS_BUILD];
  bool failed = false, outdated = false;
  const Json counts = count_instructions();
  for (const auto& [name, value] : counts.items()) {
    const auto now = value.get<double>();
    if (!before.contains(name)) {
      std::printf("%-40s %11s %11.0f  NOT RECORDED\n", name.c_str(), "", now);
      failed = true;
      continue;
    }
    const double was = before[name].get<double>(), change = now / was - 1;
    before.erase(name);
    const bool more = change > kMargin, fewer = change < -kMargin;
    failed = failed || more;
    outdated = outdated || fewer;
    std::printf("%-40s %11.0f %11.0f %+7.2f %%%s\n", name.c_str(), was, now, 100 * change,
                more ? "  MORE" : (fewer ? "  fewer" : ""));
  }
  for (const auto& [name, value] : before.items()) {
    std::printf("%-40s %11.0f %11s  NO LONGER COUNTED\n", name.c_str(), value.get<double>(), "");
    failed = true;
  }
  if (failed || outdated) {
    std::printf("\n%s; if that is meant, record the counts of this build: %s --record\n",
                failed ? "FAILED: kernels need over 3 % more instructions, or are others"
                       : "Kernels need over 3 % fewer instructions",
                fs::read_symlink("/proc/self/exe").c_str());
  }
  return failed ? 1 : 0;
}

int run(int argc, char** argv) {
  const std::string_view option = argc == 2 ? argv[1] : "";
  if (argc > 2 || (argc == 2 && option != "--record" && option != "--run")) {
    throw UsageError(concat("usage: ", argv[0], " [--record]"));
  }
  if (option == "--run") return run_under_callgrind();
  if (const std::string reason = reason_to_skip(); !reason.empty()) {
    std::printf("skipped: %s\n", reason.c_str());
    return kSkipped;
  }
  return option == "--record" ? record(FERPLUS_COUNTS) : compare(FERPLUS_COUNTS);
}

}  // namespace
}  // namespace ferplus::instruction_counts

int main(int argc, char** argv) {
  try {
    return ferplus::instruction_counts::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
