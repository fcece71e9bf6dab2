#!/usr/bin/env bash
# Where a CUDA toolkit is: builds the kernels, the programs and the tests of convolution plans with it,
# runs the latter (they need no GPU), and checks that the programs start on a machine without a
# driver. Elsewhere it says so and ends well.
#   MRCNN_ARCHITECTURES   what to compile for (default: 90-real, one is enough to see errors)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/dependencies.sh
source tools/dependencies.sh

build_dir=build/cuda-check
if [[ ! -x ${CUDACXX:-} ]] && ! command -v nvcc >/dev/null && [[ ! -x /usr/local/cuda/bin/nvcc ]]; then
  echo "NOT RUN: build with CUDA, because there is no nvcc."
  exit 0
fi
install_dependencies
cmake --preset cuda -B "$build_dir" -DMRCNN_CUDA=ON \
  -DCMAKE_CUDA_ARCHITECTURES="${MRCNN_ARCHITECTURES:-90-real}" >"/tmp/cuda_build.$$" 2>&1 || {
  cat "/tmp/cuda_build.$$" >&2
  rm -f "/tmp/cuda_build.$$"
  exit 1
}
rm -f "/tmp/cuda_build.$$"
cmake --build "$build_dir" --target programs kernels.conv.plan_test

# The toolkit's libraries are opened when a GPU is used, not when a program starts.
infer=$build_dir/tools/infer
if ldd "$infer" | grep -E 'libcuda|libcudart|libcudnn|libcublas'; then
  echo "cuda_build.sh: infer needs these libraries to start" >&2
  exit 1
fi
"$infer" --weights seeded --model maskrcnn_resnet18_fpn --device auto \
  tests/photos/000000184324.jpg
if [[ ! -e /dev/nvidiactl ]]; then
  if message=$("$infer" --weights seeded --device cuda tests/photos/000000184324.jpg 2>&1); then
    echo "cuda_build.sh: --device cuda did not fail without a GPU" >&2
    exit 1
  fi
  echo "$message"
  grep -q "cannot be used: no" <<<"$message"
fi
ctest --test-dir "$build_dir" -R '^kernels\.conv\.plan_test$' --output-on-failure --no-tests=error
