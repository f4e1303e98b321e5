#!/usr/bin/env bash
# Installs a build, moves the prefix elsewhere, and there: the command finds its model, and README's
# example, built by find_package and by pkg-config, says the same as the command.
#   check.sh BUILD EXAMPLE.cpp CMAKE CXX FALLBACK
# FALLBACK: where the build looks for a model that is not beside the program.
set -euo pipefail
build=$1 example=$2 cmake=$3 cxx=$4 fallback=$5
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset FERPLUS_MODEL
cd "$work"

fail() { echo "FAILED: $*" >&2; exit 1; }

"$cmake" --install "$build" --prefix "$work/installed" >/dev/null
mv installed moved
prefix=$work/moved
ferplus=$prefix/bin/ferplus
model=$prefix/share/ferplus/models/ferplus.safetensors
for file in include/ferplus/nn/predictor.h share/doc/ferplus/LICENSE; do
  [ -f "$prefix/$file" ] || fail "$file is not installed"
done
if grep -rIl -e "$build" -e "$work/installed" "$prefix" >names; then
  fail "installed files name the build folder or the prefix: $(cat names)"
fi

rm -rf "$(dirname "$model")"
"$ferplus" synth -o data --count 60 --seed 1 --quiet
data=(--fer data/fer2013.csv --ferplus data/fer2013new.csv)
"$ferplus" prepare "${data[@]}" -d faces --quiet
cp "$(find faces/FER2013Test -name '*.png' | sort | head -n 1)" face.png
"$ferplus" train "${data[@]}" -m crossentropy --network vgg_mini --recipe one_cycle --epochs 1 \
  -o run --quiet

echo "== no bundled model"
if [ -e "$fallback" ]; then
  echo "skipped: there is $fallback"
else
  "$ferplus" predict face.png 2>message && fail "predict answered without a model"
  grep -q "no bundled model.*$model.*--model" message || fail "$(cat message)"
  "$ferplus" doctor face.png >/dev/null || fail "doctor needs a model"
fi

echo "== the command finds the model beside it"
mkdir -p "$(dirname "$model")"
cp run/best.safetensors "$model"
"$ferplus" predict face.png --csv table 2>message >/dev/null
[ "$(cat message)" = "ferplus: the model is $model" ] || fail "$(cat message)"
awk -F, 'NR == 1 { for (k = 7; k <= 14; ++k) name[k] = $k }
         NR == 2 { for (k = 7; k <= 14; ++k) printf "%s %.3f\n", name[k], $k }' table >expected
[ "$(wc -l <expected)" -eq 8 ] || fail "the table of predict has changed: $(cat table)"

# A shared library finds the model from where it lies itself.
if [ -z "$(find "$prefix" -name 'libferplus.so')" ]; then export FERPLUS_MODEL=$model; fi

echo "== find_package"
"$cmake" -S "$here/project" -B by_cmake -DCMAKE_PREFIX_PATH="$prefix" -DEXAMPLE="$example" \
  -DCMAKE_CXX_COMPILER="$cxx" >log 2>&1 || fail "$(cat log)"
"$cmake" --build by_cmake >log 2>&1 || fail "$(cat log)"
by_cmake/example >got || fail "the example failed"
diff expected got

echo "== pkg-config"
if ! command -v pkg-config >/dev/null; then
  echo "skipped: there is no pkg-config"
else
  pc=$(find "$prefix" -name ferplus.pc)
  export PKG_CONFIG_PATH=${pc%/*}
  read -ra flags <<<"$(pkg-config --cflags --libs ferplus)"
  "$cxx" -std=c++20 "$example" -o by_hand "${flags[@]}"
  LD_LIBRARY_PATH=${pc%/pkgconfig/*} ./by_hand >got || fail "the example failed"
  diff expected got
fi
