#!/usr/bin/env bash
# Installs what building and testing ferplus needs from Debian's or Ubuntu's packages; does nothing
# where all of it is there. Sourced or run by quickstart.sh and test.sh.
#   tools/install_packages.sh [PACKAGE…]   also these
set -euo pipefail

packages=(
  g++ cmake ninja-build        # build
  libeigen3-dev                # tensors
  nlohmann-json3-dev           # JSON
  libpng-dev                   # PNG
  libonnx-dev libprotobuf-dev  # ONNX
  protobuf-compiler            # files for TensorBoard
  libjpeg-dev                  # JPEG
  libdlib-dev liblapack-dev libblas-dev  # face detection
  libmicrohttpd-dev libzip-dev # serving over HTTP
  libcli11-dev                 # command lines
  libspdlog-dev libfmt-dev     # logging
  libgtest-dev libgmock-dev pkgconf  # tests
  libbenchmark-dev             # benchmarks
  "$@"
)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
    missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
  echo "these packages are needed, but there is no apt-get here: ${missing[*]}" >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "root or sudo is needed to install: ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
