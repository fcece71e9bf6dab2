#!/bin/bash
# device.sh INFER TESTS_DIR: `infer --device cuda` on the GPU there is, real or emulated, against
# `--device cpu`: the same objects.
infer=$1
photos=$2/photos
. "$2/e2e/harness.sh"

run "$infer" --weights seeded --device cuda missing.jpg
if [ "$code" = 5 ]; then
  echo "[SKIP] $(cat "$scratch/stderr")"
  exit 0
fi
arguments=(--weights seeded --model maskrcnn_resnet50_c5 "$photos/000000184324.jpg")

run "$infer" "${arguments[@]}" --device cpu --json "$scratch/cpu.json"
check_code 0
run "$infer" "${arguments[@]}" --device cuda --json "$scratch/cuda.json"
check_code 0
check_text "$scratch/stderr" '^infer: device cuda:0, fp32: '
# Sorted, because objects of nearly equal score may swap places.
labels() { grep -o '"category_id":[0-9]*' "$1" | sort; }
check "the same labels" \
  [ "$(labels "$scratch/cpu.json")" = "$(labels "$scratch/cuda.json")" ]
check "some objects were found" [ "$(labels "$scratch/cpu.json" | wc -l)" -ge 5 ]

run "$infer" "${arguments[@]}" --device cuda --precision bf16 --json "$scratch/bf16.json"
check_code 0
run "$infer" "${arguments[@]}" --device cpu --precision bf16
check_code 2
check_text "$scratch/stderr" 'precision bf16 needs a GPU'
run "$infer" "${arguments[@]}" --device cuda:1
check_code 5
check_text "$scratch/stderr" "'cuda:1' cannot be used: there is only cuda:0"
finish
