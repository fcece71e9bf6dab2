#!/usr/bin/env bash
# Makes cuDNN's plan of every convolution of the models, in every precision and pass, for GPUs that
# are described only (tests/support/cuda_plans), and writes the table of engines. Needs a CUDA
# toolkit and cuDNN, no GPU and no driver; takes some ten minutes.
#   tests/plans.sh [OUTPUT.md [BUILD]]   docs/measurements/<date>-cudnn-plans.md and build/cuda,
#                                        unless given; BUILD was configured with MRCNN_CUDA=ON
# Exit code: 0 every convolution has an engine; 1 some have none; else a failure of the build.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

output=${1:-docs/measurements/$(date +%Y-%m-%d)-cudnn-plans.md}
build=$(realpath -m "${2:-build/cuda}")
if (($# < 2)); then
  cmake --preset cuda -DMRCNN_CUDA=ON >/dev/null
fi
cmake --build "$build" --target plan_table

table=$(mktemp)
trap 'rm -f "$table"' EXIT
status=0
LD_LIBRARY_PATH=$build/tests/kernels/driver_stub${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} \
  "$build/tests/kernels/plan_table" "$table" tests/support/cuda_plans/{a100,h100}.json || status=$?
if ((status > 1)); then
  exit "$status"
fi

mkdir -p "$(dirname "$output")"
{
  cat <<'TEXT'
# cuDNN plans of the models' convolutions

Made without a GPU by `tests/plans.sh`: plans are compiled for a description of the device, through
the code that a GPU runs with. What they compute, and how fast, is not shown by this.

Rows are the convolutions of `maskrcnn_resnet50_fpn`, `_fpn_v2` and `_c5` at 800x1344 and 1344x800,
batch 1, with 1000 proposals and 100 detections; "rows" are products, which run as convolutions
where `kernels/linalg/gemm_plan.h` says so. Forward is the convolution with bias and, where the row
names them, residual and ReLU, as one fused graph; data and weight are the gradients. A cell is the
number of engines that may be used, in the worse of the two orientations: deterministic ones,
without Winograd or FFT, and for fp32 without tensor cores. The plan of the first was made.

TEXT
  echo "Command: \`tests/plans.sh\`, commit $(git rev-parse --short HEAD), $(nproc) CPU cores," \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)."
  echo
  cat "$table"
} >"$output"
echo "wrote $output"
exit "$status"
