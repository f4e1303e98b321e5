#!/usr/bin/env bash
# From nothing to predictions: installs what is missing, builds a release, draws synthetic faces,
# trains a small network on them, evaluates it and predicts.
#   tools/quickstart.sh [DIR]   data and run go to DIR (default: out/quickstart)
set -euo pipefail
if [ $# -gt 0 ] && [ -e "$1" ]; then
  echo "$1 exists: name a folder that does not, so that nothing is overwritten" >&2
  exit 2
fi
out=$(realpath -m "${1:-$(dirname "$0")/../out/quickstart}")
cd "$(dirname "$0")/.."

say() { printf '\n\033[1m%s\033[0m\n' "== $*"; }
started=$SECONDS

say "1/6 packages"
tools/install_packages.sh
built_from=$SECONDS

say "2/6 build"
cmake -S . -B build/quickstart -G Ninja -DCMAKE_BUILD_TYPE=Release -DFERPLUS_BUILD_TESTS=OFF >/dev/null
cmake --build build/quickstart
ferplus=build/quickstart/bin/ferplus
"$ferplus" --version

say "3/6 synthetic faces"
[ $# -gt 0 ] || rm -rf "$out"  # this script's own
mkdir -p "$out"
"$ferplus" synth -o "$out/data" --count 3000 --seed 1
data=(--fer "$out/data/fer2013.csv" --ferplus "$out/data/fer2013new.csv")
"$ferplus" inspect "${data[@]}"

say "4/6 training"
"$ferplus" train "${data[@]}" -m majority --network vgg_mini --recipe quick -o "$out/run"

say "5/6 evaluation on faces that it has not seen"
"$ferplus" evaluate --model "$out/run/best.safetensors" "${data[@]}" --split private --json "$out/private.json"
accuracy=$(sed -n 's/^ *"accuracy": \([0-9.e-]*\),$/\1/p' "$out/private.json")
awk -v accuracy="$accuracy" 'BEGIN { exit !(accuracy >= 0.8) }' ||
  { echo "accuracy $accuracy is below 0.8" >&2; exit 1; }

say "6/6 prediction"
"$ferplus" prepare "${data[@]}" -d "$out/faces" --quiet
images=("$out"/faces/FER2013Test/*.png)
"$ferplus" predict --model "$out/run/best.safetensors" "${images[@]:0:5}"

say "done in $((SECONDS - started)) s, of which packages $((built_from - started)) s"
echo "next: $ferplus train --help"
