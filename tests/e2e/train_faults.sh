#!/usr/bin/env bash
# train on a disk that fails or is full: it goes on without the checkpoint and tries again, gives up
# at the third failure in a row, and what was saved before is resumed from to the same bits.
# usage: train_faults.sh TRAIN_WITH_FAULTS
train=$1
. "$(dirname "$0")/harness.sh"

steps=6
cd "$scratch" || exit 1
small=(--device cpu --model maskrcnn_resnet18_fpn --batch 1 --set min_size=64 --set max_size=64
  --set rpn_samples=16 --set roi_samples=8 --set proposals=10 --set freeze_stages=5
  --set warmup_steps=0 --set log_every=1 --data shapes --set shapes_images=2
  --set shapes_val_images=1 --set shapes_size=32 --set val_split= --threads 1 --loader-threads 1
  --steps $steps --save-every 1 --seed 7)

# with ORDERS DIR OPTION...
with() { run env MRCNN_FAULT="$1" "$train" "${small[@]}" --out "$2" "${@:3}"; }

run "$train" "${small[@]}" --out base
check_code 0
wanted=$(sha base)

echo "== one checkpoint that finds no room"
with ENOSPC@fallocate:2 once
check_code 0
check_text stderr '^train: not saved \(1 of 3 times in a row end the run\): .*-000000002\.safetensors: no room for [0-9]+ bytes: No space left on device$'
check_no_text stderr '^train: saved .*-000000002'
check_text stderr '^train: saved .*-000000003'
same_bits "a run that missed a checkpoint" once

echo "== a disk that stays full"
with ENOSPC@fallocate:3+ full
check_code 5
check_text stderr '^train: not saved \(2 of 3'
check_text stderr '^train: full/checkpoint-000000005\.safetensors: no room for'
check "the checkpoints before it are all there is" \
  [ "$(cd full && echo .*.tmp.* *.safetensors)" = ".*.tmp.* checkpoint-000000001.safetensors checkpoint-000000002.safetensors" ]
run "$train" "${small[@]}" --out full --resume
check_code 0
check_text stderr '^train: resumed at step 2 from '
same_bits "a run that a full disk ended" full

echo "== files that may not be as long as a checkpoint: the system itself refuses"
run bash -c 'ulimit -f 50000 && exec "$@"' limited "$train" "${small[@]}" --out limited
check_code 5
check_text stderr '^train: limited/checkpoint-000000003\.safetensors: no room for [0-9]+ bytes: File too large$'
run "$train" "${small[@]}" --out limited --resume
check_code 0
same_bits "a run that found no room at all" limited

echo "== no memory"
with fail@alloc:40 no_memory
check_code 5
check_text stderr '^train: .*no memory for [0-9]+ bytes'

echo "== killed in a save, and twice in the next one"
with kill@fallocate:3 killed
check_code 137
with kill@rename:1 killed --resume # of config.txt
check_code 137
with kill@fsync:5 killed --resume
check_code 137
run "$train" "${small[@]}" --out killed --resume
check_code 0
same_bits "a run that was killed three times" killed
finish
