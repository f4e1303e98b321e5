#!/usr/bin/env bash
# Cross-builds for AArch64 and runs the tests of core, kernels and nn under qemu: what the NEON
# kernels compute, not how fast. Debian 12 on x86-64; installs the compiler and qemu where missing.
# Libraries for AArch64 are unpacked into the build folder: the system's architectures stay as they are.
#   tools/test_neon.sh [CTEST OPTION…]    e.g. tools/test_neon.sh -R Conv2d
#   BUILD=build/aarch64                   the build folder
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath -m "${BUILD:-build/aarch64}")
sysroot=$build/sysroot
libraries=(libpng-dev zlib1g-dev libgtest-dev libgmock-dev libeigen3-dev nlohmann-json3-dev)

tools/install_packages.sh g++-aarch64-linux-gnu qemu-user

if [ ! -d "$sysroot" ]; then
  apt=$(mktemp -d)
  trap 'rm -rf "$apt"' EXIT  # if anything fails
  mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$sysroot.part"
  options=(-qq -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o APT::Sandbox::User=
    -o Dir::State::lists="$apt/lists" -o Dir::State::status=/dev/null -o Dir::Cache="$apt")
  apt-get "${options[@]}" update
  (cd "$apt/archives" && apt-get "${options[@]}" download "${libraries[@]}")
  for package in "$apt"/archives/*.deb; do dpkg -x "$package" "$sysroot.part"; done
  mv "$sysroot.part" "$sysroot"
  rm -rf "$apt"
fi

# Static ones: shared ones would have to be found at run time.
static=$sysroot/usr/lib/aarch64-linux-gnu
cmake -S . -B "$build" -G Ninja --toolchain cmake/aarch64-linux-gnu.cmake \
  -DCMAKE_BUILD_TYPE=Release -DCMAKE_FIND_ROOT_PATH="$sysroot" -DPNG_LIBRARY="$static/libpng.a" \
  -DZLIB_LIBRARY="$static/libz.a" -DFERPLUS_BUILD_TOOL=OFF -DFERPLUS_WARNINGS_AS_ERRORS=ON >/dev/null
cmake --build "$build" --target test_core test_kernels test_nn
cd "$build"
# CpuEnvironmentDeathTest starts its program again, which the kernel takes for a foreign one.
exec ctest --output-on-failure --no-tests=error -j "$(nproc)" \
  -L '^(core|kernels|nn)$' -E CpuEnvironmentDeathTest "$@"
