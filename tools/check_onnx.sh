#!/usr/bin/env bash
# Checks ONNX and safetensors against the programs that others use: ONNX Runtime, the onnx checker,
# PyTorch, Python's safetensors. Installs them from PyPI into a folder of its own, or takes PYTHON.
#   tools/check_onnx.sh [BUILD]      BUILD: a build with tests (default: build/dev)
#   FERPLUS_FER_CSV=fer2013.csv FERPLUS_VOTES_CSV=fer2013new.csv   faces; default: synthetic ones
#   FERPLUS_MODEL=best.safetensors   the model to export; default: one trained for a moment
#   PYTHON=python3                   one that has numpy, onnx, onnxruntime, safetensors, maybe torch
#                                    (a newer torch needs onnxscript too)
# Without torch its graphs and load_state_dict are left out, which is said.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$(realpath "${1:-build/dev}")
ferplus=$build/bin/ferplus
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

if [ -z "${PYTHON:-}" ]; then
  python3 -m venv --system-site-packages "$out/venv"
  "$out/venv/bin/pip" install -q 'numpy<2' onnx onnxruntime safetensors
  PYTHON=$out/venv/bin/python
fi

if [ -n "${FERPLUS_FER_CSV:-}" ]; then
  data=("$FERPLUS_FER_CSV" "$FERPLUS_VOTES_CSV")
else
  "$ferplus" synth -o "$out/data" --count 300 --seed 1 --quiet
  data=("$out/data/fer2013.csv" "$out/data/fer2013new.csv")
fi
train() {  # NAME PREPROCESSING NETWORK: a model of a few steps
  "$ferplus" train --fer "${data[0]}" --ferplus "${data[1]}" -m majority --network "$3" \
    --recipe one_cycle --epochs 1 --limit 640 --preprocessing "$2" -o "$out/$1" --quiet
  cp "$out/$1/best.safetensors" "$out/$1.safetensors"
}
faces=200
logits() {  # NAME: of $out/NAME.safetensors
  "$build/tests/face_logits" "$out/$1.safetensors" "${data[@]}" $faces "$out/$1"
}
compare() { "$PYTHON" tools/check_onnx.py "$@"; }

echo "== exports"
if [ -n "${FERPLUS_MODEL:-}" ]; then cp "$FERPLUS_MODEL" "$out/given.safetensors"; else train given ferplus vgg13_bn; fi
train raw raw vgg13_bn
for name in given raw; do
  logits $name
  "$ferplus" export --model "$out/$name.safetensors" -o "$out/$name.onnx" --quiet --force
  compare logits "$out/$name.onnx" "$out/$name" --batch 1 --batch 32
done
"$ferplus" export --model "$out/raw.safetensors" -o "$out/zoo.onnx" --layout zoo --quiet --force
compare logits "$out/zoo.onnx" "$out/raw" --batch 1

echo "== imports"
"$PYTHON" tools/make_onnx_graphs.py "$out/foreign"
for graph in "$out"/foreign/*.onnx; do
  name=$(basename "$graph" .onnx)
  "$ferplus" import "$graph" -o "$out/$name.safetensors" --preprocessing raw --quiet
  logits "$name"
  # ONNX Runtime has no broadcast attributes: the graph of opset 8 has the same weights.
  if [ "$name" = zoo_opset2 ]; then
    graph=$out/foreign/zoo_opset8.onnx
    echo "zoo_opset2, against its twin of opset 8:"
  fi
  compare logits "$graph" "$out/$name" --batch 1
done

echo "== safetensors"
compare safetensors "$out/raw.safetensors" "$out/back.safetensors"
if [ -e "$out/back.safetensors" ]; then
  logits back
  cmp "$out/back.logits" "$out/raw.logits"
  echo "written by Python, read here: the same logits"
fi
echo "all within bounds"
