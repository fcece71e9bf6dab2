#!/usr/bin/env bash
# Installs what is missing, builds the programs and finds objects in the photos of the repository.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/dependencies.sh
source tools/dependencies.sh

readonly out=runs/quickstart
readonly infer=build/cpu/tools/infer

install_dependencies
if [[ ! -f build/cpu/build.ninja ]]; then
  mkdir -p build/cpu
  if ! cmake --preset cpu >build/cpu/configure.log 2>&1; then
    cat build/cpu/configure.log >&2
    exit 1
  fi
fi
cmake --build --preset cpu --target programs

mkdir -p "$out"
"$infer" --weights seeded --model maskrcnn_resnet50_fpn \
  --overlay "$out" --json "$out/results.json" tests/photos

cat <<END

Every step worked: read the photos, ran the network, wrote what it found.
  pictures  $out/
  results   $out/results.json   (COCO result records)

These weights are seeded, that is made up from a fixed seed: they show that the program runs, and
what they find means nothing. With published weights the same program finds real objects:
  $infer --weights maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth --overlay out photo.jpg
torchvision's .pth files are read as they are; --json FILE writes the results. To keep a converted copy:
  build/cpu/tools/convert maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth maskrcnn.safetensors
The tests: ./tests/run.sh
END
