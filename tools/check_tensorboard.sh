#!/usr/bin/env bash
# Checks that TensorBoard's own reader sees in the event file of a run, stopped and resumed, what its
# metrics.jsonl says. Installs tensorboard from PyPI into a folder of its own, or takes PYTHON.
#   tools/check_tensorboard.sh [BUILD]   BUILD: a build with the command (default: build/dev)
#   PYTHON=python3                       one that has tensorboard
set -euo pipefail
cd "$(dirname "$0")/.."
ferplus=$(realpath "${1:-build/dev}")/bin/ferplus
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

if [ -z "${PYTHON:-}" ]; then
  python3 -m venv "$out/venv"
  "$out/venv/bin/pip" install -q tensorboard
  PYTHON=$out/venv/bin/python
fi

"$ferplus" synth -o "$out/faces" --count 160 --seed 1 --quiet
"$ferplus" train --fer "$out/faces/fer2013.csv" --ferplus "$out/faces/fer2013new.csv" -m majority \
  --network vgg_mini --recipe one_cycle --limit 64 --epochs 4 --stop-after 2 --tensorboard \
  -o "$out/run" --quiet
"$ferplus" train --resume --tensorboard -o "$out/run" --quiet
"$PYTHON" tools/check_tensorboard.py "$out/run"
