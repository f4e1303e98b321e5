#!/bin/sh
# Times ferplus against PyTorch, ONNX Runtime and OpenVINO on this machine, in turns, and writes a
# table of ratios: tools/bench_peers.sh [--rounds 12] [--threads 2] [-o FOLDER].
#
# Builds the benchmarks with the preset release. Peers are used where they are installed:
#   PyTorch of Debian       apt-get install python3-torch
#   the newest of the rest  python3 -m venv peers && peers/bin/pip install torch onnxruntime openvino onnx
# and PEERS=peers/bin/python names that interpreter (default: python3). Let nothing else run meanwhile.
set -eu
cd "$(dirname "$0")/.."
cmake --preset release >/dev/null
cmake --build --preset release --target ferplus_bench
exec python3 tools/peers/bench_peers.py --bench build/release/bench/ferplus_bench "$@"
