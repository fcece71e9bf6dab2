#!/usr/bin/env bash
# Installs what is missing, builds, and runs the tests.
#   tests/run.sh                  every test but those labelled slow, Release build
#   tests/run.sh unit golden      only tests with one of these labels
#   tests/run.sh asan [label...]  under AddressSanitizer and UBSan (tsan: ThreadSanitizer)
#   tests/run.sh cuda [label...]  built with the CUDA toolkit, on the GPU there is
#   tests/run.sh emulated-asan [label...]  as asan, and the GPU kernels on the emulated device in
#                                 20 orders of threads (MRCNN_EMU_SEEDS); without labels only these
#   tests/run.sh emulated-check   they alone, every memory access checked for races, 4 orders
# With labels only what tests with these need is built.
# Exit code: 0 all passed; 3 packages are missing and this user may not install them; else a
# failure of the build or of a test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/dependencies.sh
source tools/dependencies.sh

usage() { sed -n '2,12s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

preset=cpu
case ${1:-} in
  -h | --help) usage && exit 0 ;;
  cpu | cuda | asan | tsan | emulated-asan | emulated-check) preset=$1 && shift ;;
esac
for label in "$@"; do
  if [[ ! $label =~ ^[a-z0-9_]+$ ]]; then
    echo "tests/run.sh: '$label' is not a label" >&2
    usage >&2
    exit 2
  fi
done

install_dependencies
build_dir=build/$preset
log=$build_dir/configure.log
mkdir -p "$build_dir"
if ! cmake --preset "$preset" >"$log" 2>&1; then
  cat "$log" >&2
  exit 1
fi
if [[ $preset == emulated-* ]] && (($# == 0)); then
  set -- cuda emulation
fi

targets=()
known=$(cmake --build --preset "$preset" --target help)
for label in "$@"; do
  if ! grep -q "^tests\.$label:" <<<"$known"; then
    echo "tests/run.sh: no test has the label '$label' in this build" >&2
    exit 2
  fi
  targets+=("tests.$label")
done
cmake --build --preset "$preset" --target "${targets[@]:-all}"

selection=(-LE '^slow$')
if (($#)); then
  selection+=(-L "^($(IFS='|' && echo "$*"))$")
fi

# How much there is, per label: CTest entries, and the doctest cases inside them.
count_tests() {
  local line command labels cases label
  declare -A entries=() inside=()
  while IFS= read -r line; do
    case $line in
      *'Test command: '*)
        command=${line#*Test command: }
        command=${command%% *}
        command=${command//\"/}
        ;;
      *'Labels: '*)
        labels=${line#*Labels: }
        cases=1
        if [[ $command == *_test && -x $command ]]; then
          cases=$("$command" --count 2>/dev/null | awk '/test cases/ {n = $NF} END {print n + 0}')
        fi
        for label in $labels; do
          ((entries[$label] += 1, inside[$label] += cases)) || true
        done
        ;;
    esac
  done < <(ctest --preset "$preset" "${selection[@]}" -N -V)
  echo "Tests per label (one may have several labels):"
  for label in "${!entries[@]}"; do
    printf '  %-10s %4d files %5d cases\n' "$label" "${entries[$label]}" "${inside[$label]}"
  done | sort
}
count_tests

export MRCNN_CACHE_DIR=${MRCNN_CACHE_DIR:-$PWD/$build_dir/plans} # not the user's own
case $preset in
  emulated-asan) export MRCNN_EMU_SEEDS=${MRCNN_EMU_SEEDS:-20} ;;
  emulated-check) export MRCNN_EMU_SEEDS=${MRCNN_EMU_SEEDS:-4} ;;
esac
# Tests run two at a time, with as many threads each as there are cores: those that wait must not spin.
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive}
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
exec ctest --preset "$preset" "${selection[@]}"
