#!/usr/bin/env bash
# What `ferplus predict` asks of a machine: it opens no socket, its memory does not grow with the
# number of images, and how long a single answer takes from a cold start.
#   tools/check_predict.sh [BUILD]   BUILD: a build (default: build/release)
#   FERPLUS_MODEL=m.safetensors      the model (default: vgg_mini, trained for a moment)
#   IMAGES=100000                    how many images for the memory
# Fails on a socket, and if the memory in use grows by more than 2 MB from a tenth of the images to
# all of them.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/install_packages.sh strace
ferplus=$(realpath "${1:-build/release}")/bin/ferplus
images=${IMAGES:-100000}
most_growth_kb=2048
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

"$ferplus" synth -o "$out/data" --count 1000 --seed 1 --quiet
data=(--fer "$out/data/fer2013.csv" --ferplus "$out/data/fer2013new.csv")
"$ferplus" prepare "${data[@]}" -d "$out/faces" --quiet
find "$out/faces/FER2013Test" -name '*.png' | sort | head -n 100 >"$out/faces.txt"
if [ -z "${FERPLUS_MODEL:-}" ]; then
  "$ferplus" train "${data[@]}" -m majority --network vgg_mini --recipe one_cycle --epochs 1 \
    --limit 64 -o "$out/run" --quiet
  export FERPLUS_MODEL=$out/run/best.safetensors
fi
face=$(head -n 1 "$out/faces.txt")
echo "model: $("$ferplus" info --quiet | head -n 1)"

echo "== sockets"
strace -f -qq -e trace=network -o "$out/calls" "$ferplus" predict "$face" --quiet >/dev/null
if [ -s "$out/calls" ]; then
  echo "predict used the network:" >&2
  cat "$out/calls" >&2
  exit 1
fi
echo "none opened"

echo "== cold start"
for _ in {1..11}; do
  from=$(date +%s%N)
  "$ferplus" predict "$face" --quiet >/dev/null
  echo $((($(date +%s%N) - from) / 1000))
done | sort -n | awk '{ t[NR] = $1 / 1e6 }
  END { printf "%.3f s, median of %d (%.3f to %.3f)\n", t[(NR + 1) / 2], NR, t[1], t[NR] }'

echo "== memory over $images images"
# Some more, so that it still runs when the last of those that count has been answered.
mkfifo "$out/answers"
awk -v images=$((images + 1000)) '{ path[NR - 1] = $0 }
  END { for (i = 0; i < images; ++i) print path[i % NR] }' "$out/faces.txt" >"$out/list"
from=$SECONDS
"$ferplus" predict - --jsonl "$out/answers" --quiet <"$out/list" &
awk -v status="/proc/$!/status" -v images="$images" -v most="$most_growth_kb" '
  NR == int(images / 10) || NR == images {
    while ((getline line < status) > 0) {
      if (split(line, word) > 1 && word[1] == "VmRSS:") { resident = word[2] }
    }
    close(status)
    printf "%d kB after %d\n", resident, NR
    if (NR < images) { early = resident } else { late = resident }
  }
  END {
    if (!early || !late) { print "predict ended early" > "/dev/stderr"; exit 1 }
    if (late - early > most) { print "it grows" > "/dev/stderr"; exit 1 }
  }' "$out/answers"
wait $!
echo "$((images / (SECONDS - from + 1))) images/s"
