#!/usr/bin/env bash
# On a machine with an NVIDIA GPU: builds, runs every device test on it, times the models, compares
# with torch and torchvision where they are, lets compute-sanitizer watch the kernels' tests, and
# writes docs/measurements/<date>-<gpu>.md. The report grows part by part, so the run may be stopped
# at any time; what was not run is in it too.
#   MRCNN_DEPS_PREFIX  a tree with the libraries (unpacked Debian packages), where none are installed
#   CUDNN_ROOT         where cuDNN is, if not in the toolkit, the system or Python's packages
#   MRCNN_ARCHITECTURES  what to compile for (default: this GPU)
#   MRCNN_GPU_MINUTES  time for all of it (default 10)
# Exit code: 0 all that ran passed; 1 something failed; 5 there is no GPU.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ ${1:-} == -h || ${1:-} == --help ]]; then
  sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
  exit 0
fi
if ! command -v nvidia-smi >/dev/null || ! gpu=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -n 1); then
  echo "tests/gpu.sh: no NVIDIA GPU here (nvidia-smi finds none)" >&2
  exit 5
fi

readonly limit=$((${MRCNN_GPU_MINUTES:-10} * 60))
readonly build=build/gpu
mkdir -p "$build" docs/measurements
slug=$(tr '[:upper:] ' '[:lower:]-' <<<"$gpu" | tr -cd 'a-z0-9-')
report=docs/measurements/$(date +%Y-%m-%d)-$slug.md
failures=0
left_out=()
export MRCNN_CACHE_DIR=$PWD/$build/plans

say() { printf '%s\n' "$@" >>"$report"; }
finish() {
  say "" "## Not run" "" "${left_out[@]:-Nothing was left out.}"
  echo "wrote $report"
}
trap 'left_out+=("- stopped after $SECONDS s; what is missing above was not run"); finish; exit 1' INT TERM

# part SECONDS TITLE COMMAND...: runs a command with its own time limit; its output goes into the
# report as it is. Left out when there is less time than that.
part() {
  local seconds=$1 title=$2 status=0
  shift 2
  if ((SECONDS + seconds > limit)); then
    left_out+=("- $title: no time left")
    return
  fi
  echo "== $title (after $SECONDS s)"
  say "" "## $title" "" "\`$*\`" "" '```'
  timeout "$seconds" "$@" >"$build/part.log" 2>&1 || status=$?
  tail -n 60 "$build/part.log" >>"$report"
  say '```'
  if ((status == 124)); then
    say "" "Stopped after $seconds s."
    failures=$((failures + 1))
  elif ((status != 0)); then
    say "" "FAILED with code $status."
    failures=$((failures + 1))
    cat "$build/part.log" >&2
  fi
}

configure_options=(-DMRCNN_CUDA=ON "-DCMAKE_CUDA_ARCHITECTURES=${MRCNN_ARCHITECTURES:-native}")
if [[ -n ${MRCNN_DEPS_PREFIX:-} ]]; then
  configure_options+=("-DCMAKE_PREFIX_PATH=$MRCNN_DEPS_PREFIX/usr;$MRCNN_DEPS_PREFIX")
  libraries=$MRCNN_DEPS_PREFIX/usr/lib/x86_64-linux-gnu
  export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
  export LIBRARY_PATH=$libraries${LIBRARY_PATH:+:$LIBRARY_PATH}
else
  # shellcheck source=tools/dependencies.sh
  source tools/dependencies.sh
  install_dependencies
fi

{
  echo "# $gpu"
  echo
  echo "Command: \`tests/gpu.sh\`, commit $(git rev-parse --short HEAD 2>/dev/null || echo unknown)."
  echo
  nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.sm,clocks.max.sm --format=csv | sed 's/^/    /'
} >"$report"

build_all() {
  cmake --preset cuda -B "$build" "${configure_options[@]}" && cmake --build "$build" -j "$(nproc)"
}
# A test that is skipped did not see the GPU that is here.
device_tests() {
  ctest --test-dir "$build" --output-on-failure --no-tests=error "$@" | tee "$build/tests.log"
  ! grep -q '(Skipped)' "$build/tests.log"
}
kernel_tests() {
  local checker=$1 test
  for test in "$build"/tests/kernels/kernels.*_test; do
    "$test" --test-case='CUDA*' --count 2>/dev/null | grep -q 'filters: 0$' && continue
    echo "-- $(basename "$test")"
    compute-sanitizer --tool "$checker" --error-exitcode 9 "$test" --test-case='CUDA*' |
      grep -E 'ERROR SUMMARY|=========.*(Invalid|Race|hazard|Barrier)|FAILURE' || true
    ((PIPESTATUS[0] == 0)) || return 1
  done
}
export -f build_all device_tests kernel_tests
export build

# Functions do not pass `timeout`, so the build runs here.
echo "== build"
if ! build_all >"$build/build.log" 2>&1; then
  tail -n 40 "$build/build.log" >&2
  left_out+=("- everything: the build failed")
  finish
  exit 1
fi
say "" "Built in $SECONDS s."

part 240 "Device tests" bash -c 'set -euo pipefail; device_tests -L cuda -LE slow'
part 120 "Whole models against the CPU" bash -c 'set -euo pipefail; device_tests -R device_parity'
for model in maskrcnn_resnet50_fpn maskrcnn_resnet50_fpn_v2 maskrcnn_resnet50_c5; do
  for precision in bf16 tf32 fp32; do
    part 60 "$model, $precision" "$build/tools/bench" infer --device cuda --model "$model" \
      --precision "$precision" --autotune --repeat 50 --warmup 5
  done
  part 60 "$model, bf16, batch 8" "$build/tools/bench" infer --device cuda --model "$model" \
    --precision bf16 --batch 8 --no-stages --repeat 20 --warmup 4
done
part 60 "Ops" "$build/tools/bench" ops --device cuda --repeat 50 --warmup 5
if python3 -c 'import torch, torchvision, safetensors; assert torch.cuda.is_available()' 2>/dev/null; then
  part 200 "Beside torch and torchvision" python3 tools/compare_torchvision_gpu.py \
    --bench "$build/tools/bench" --models v1 c5
else
  left_out+=("- torch and torchvision: not there")
fi
if command -v compute-sanitizer >/dev/null; then
  for checker in memcheck racecheck synccheck; do
    part 120 "compute-sanitizer $checker" bash -c "set -euo pipefail; kernel_tests $checker"
  done
else
  left_out+=("- compute-sanitizer: not there")
fi
finish
((failures == 0))
