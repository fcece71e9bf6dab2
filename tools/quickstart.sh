#!/usr/bin/env bash
# Installs what is missing, builds the programs, trains a small model on generated pictures,
# evaluates it and draws what it finds. Minutes on two cores; started again, it goes on where it was.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=tools/dependencies.sh
source tools/dependencies.sh

readonly out=runs/quickstart
readonly programs=build/cpu/tools
readonly num_pictures=12

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
"$programs/train" --config tools/quickstart_config.txt --out "$out" --resume

# The same model untrained, for comparison: one step at rate 0.
if [[ ! -f $out/untrained/final.safetensors ]]; then
  rm -rf "$out/untrained"
  "$programs/train" --config tools/quickstart_config.txt --out "$out/untrained" --quiet \
    --data "$out/shapes" --steps 1 --set val_split= --set lr=0 --set schedule=constant \
    --set warmup_steps=0
fi
pictures=("$out"/shapes/val/*.png)
pictures=("${pictures[@]:0:num_pictures}")
for stage in untrained trained; do
  weights=$out/untrained/final.safetensors
  [[ $stage == trained ]] && weights=$out/final.safetensors
  mkdir -p "$out/$stage"
  "$programs/infer" --weights "$weights" --overlay "$out/$stage" --score 0.5 --quiet \
    "${pictures[@]}"
done

cat <<END

The model was trained from random values. What it is worth stands above ("box AP ..., mask AP ...").
  what it finds in pictures it never saw   $out/trained/
  before training                          $out/untrained/
  the weights                              $out/final.safetensors
  curves                                   $out/log.csv, or tensorboard --logdir $out

Your own data, in COCO's or PASCAL VOC's layout (docs/training.md):
  $programs/train --data FOLDER --model maskrcnn_resnet50_fpn --init WEIGHTS.pth --out runs/mine
torchvision's published weights find everyday objects at once:
  $programs/infer --weights maskrcnn_resnet50_fpn_coco-bf2d0c1e.pth --overlay out photo.jpg
The tests: ./tests/run.sh
END
