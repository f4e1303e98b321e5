#!/usr/bin/env bash
# Installs what is missing, builds everything with warnings as errors, and runs all tests.
#   tools/test.sh [CTEST OPTION…]        e.g. tools/test.sh -L nn
#   FERPLUS_PRESET=asan-ubsan tools/test.sh   the same under AddressSanitizer and UBSan
set -euo pipefail
cd "$(dirname "$0")/.."

tools/install_packages.sh valgrind
preset=${FERPLUS_PRESET:-dev}
cmake --preset "$preset" >/dev/null
cmake --build "build/$preset"
cd "build/$preset"
exec ctest --output-on-failure --no-tests=error -j "$(nproc)" "$@"
