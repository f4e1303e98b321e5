#!/usr/bin/env bash
# Fuzzes the readers of files from elsewhere under AddressSanitizer and UndefinedBehaviorSanitizer, and
# says what share of each reader's lines the inputs reached.
#   tools/fuzz.sh [RUNS [TARGET…]]   RUNS of each target (default 1000000); targets: tests/fuzz
#                                    (default: fuzz_onnx, fuzz_safetensors, fuzz_png, fuzz_jpeg)
# Corpora, logs and coverage are kept in out/fuzz: a later call starts from what an earlier one found.
# An allocation of more than 256 MB, a leak or an input that takes 25 s ends a target, as a crash does.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-1000000}
shift || true
targets=("$@")

# The sources that a target is there for.
declare -A sources=(
  [fuzz_onnx]="src/interop/chain.cpp src/interop/onnx_activation.cpp src/interop/onnx_constant.cpp
    src/interop/onnx_elementwise.cpp src/interop/onnx_graph.cpp src/interop/onnx_import.cpp
    src/interop/onnx_node.cpp src/interop/onnx_operators.cpp src/interop/onnx_tensor.cpp
    src/interop/onnx_windows.cpp"
  [fuzz_safetensors]="src/io/safetensors_read.cpp src/io/safetensors_header.cpp"
  [fuzz_png]="src/io/png_read.cpp"
  [fuzz_jpeg]="src/io/jpeg_read.cpp src/io/exif.cpp"
  [fuzz_fer_csv]="src/data/fer_csv.cpp"
  [fuzz_folder_label]="src/data/folder_read.cpp"
)
[ ${#targets[@]} -gt 0 ] || targets=(fuzz_onnx fuzz_safetensors fuzz_png fuzz_jpeg)
for target in "${targets[@]}"; do
  [ -n "${sources[$target]:-}" ] || { echo "no target $target; there are: ${!sources[*]}" >&2; exit 2; }
done

tools/install_packages.sh clang libclang-rt-14-dev libomp-14-dev llvm python3
coverage="-fprofile-instr-generate -fcoverage-mapping"
cmake --preset fuzz -DCMAKE_CXX_FLAGS="$coverage" >/dev/null
cmake --build build/fuzz --target "${targets[@]}"

out=out/fuzz
mkdir -p "$out"
python3 tools/make_fuzz_seeds.py "$out/seeds"
run() {
  local target=$1 runs=$2 out=$3
  mkdir -p "$out/$target"
  LLVM_PROFILE_FILE=$out/$target.profraw "$(find build/fuzz -name "$target" -type f)" \
    "$out/$target" "$out/seeds/$target" -runs="$runs" -timeout=25 -malloc_limit_mb=256 -print_final_stats=1 \
    -artifact_prefix="$out/$target-" >"$out/$target.log" 2>&1 ||
    { tail -40 "$out/$target.log"; echo "$target: failed, see $out/$target.log" >&2; return 255; }
}
export -f run
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I{} bash -c "run {} $runs $out"

for target in "${targets[@]}"; do
  program=$(find build/fuzz -name "$target" -type f)
  llvm-profdata merge -o "$out/$target.profdata" "$out/$target.profraw"
  echo "== $target: $(grep -o 'stat::number_of_executed_units: *[0-9]*' "$out/$target.log" | tr -s ' ' | cut -d' ' -f2) runs," \
    "peak $(grep -o 'stat::peak_rss_mb: *[0-9]*' "$out/$target.log" | tr -s ' ' | cut -d' ' -f2) MB"
  # All files, of which those are picked by name: how paths were recorded depends on the compiler's cache.
  llvm-cov report "$program" -instr-profile="$out/$target.profdata" |
    awk -v sources="${sources[$target]}" '
      BEGIN { split(sources, list, /[ \n]+/); for (i in list) { sub(/.*\//, "", list[i]); wanted[list[i]] = 1 } }
      { sub(/.*\//, "", $1) }
      wanted[$1] { printf "%-40s %s lines, %s reached\n", $1, $8, $10; lines += $8; missed += $9 }
      END { printf "%-40s %d lines, %.2f%% reached\n", "together", lines, 100 * (1 - missed / lines) }'
done
