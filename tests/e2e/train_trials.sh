#!/usr/bin/env bash
# train in trouble: numbers that are none, hangs, pipes for images, little memory, few descriptors,
# storms of signals. It ends with the code that is documented and goes on to the same bits.
# usage: train_trials.sh TRAIN_WITH_FAULTS INFER
# MRCNN_STORMS: how many storms of signals (3; outside CI 100). MRCNN_SEED: of what is random (1).
train=$1 infer=$2
. "$(dirname "$0")/harness.sh"

storms=${MRCNN_STORMS:-3}
RANDOM=${MRCNN_SEED:-1}
cd "$scratch" || exit 1
# As many threads as there are cores must not wait for one another in the other tests' time.
export OMP_WAIT_POLICY=passive

small=(--device cpu --model maskrcnn_resnet18_fpn --batch 1 --set min_size=64 --set max_size=64
  --set rpn_samples=16 --set roi_samples=8 --set proposals=10 --set freeze_stages=5
  --set warmup_steps=0 --set log_every=1 --set val_split= --threads 1 --save-every 1 --seed 7)
quick=("${small[@]}" --data shapes --set shapes_images=4 --set shapes_val_images=1
  --set shapes_size=32 --steps 4)

# go_on WHAT DIR: resumes and compares.
go_on() {
  run "$train" "${quick[@]}" --out "$2" --resume
  check_code 0
  same_bits "$1" "$2"
}

echo "== with 32 descriptors"
run prlimit --nofile=32 "$train" "${quick[@]}" --out base
check_code 0
wanted=$(sha base)
run prlimit --nofile=32 "$infer" --weights base/final.safetensors base/shapes/train --json found.json
check_code 0
check_text found.json '"'

echo "== numbers that are none"
run env MRCNN_FAULT=nan@image:3 "$train" "${quick[@]}" --out nan
check_code 6
check_text stderr '^train: step 3: a loss or a gradient is not finite.*; images [0-9]+;'
again=$(sed -n 's/^train: the step is kept; to do it again: train //p' stderr)
problem=$(tail -n 1 stderr)
check "the way to do the step again is told" [ -n "$again" ]
run env MRCNN_FAULT=nan@image:3 "$train" $again
check_code 6
check "it is the same step" [ "$(tail -n 1 stderr)" = "$problem" ]
run "$train" $again
check_code 0
check_text stderr '^train: stop_at is reached'
go_on "after a NaN that does not come again" nan
for place in loss gradient; do
  run env "MRCNN_FAULT=nan@$place:3" "$train" "${quick[@]}" --on-nonfinite skip --out skip
  check_code 0
  check_text stderr '^train: step 3: a loss or a gradient is not finite'
  check_text stderr '^train: saved .*-000000004'
  rm -rf skip
done
run env MRCNN_FAULT=nan@loss:3 "$train" "${quick[@]}" --on-nonfinite rollback --out back
check_code 6
check_text stderr '^train: went back to step 2; the learning rate is 0\.5 of the schedule'
check_text stderr 'going back 10 times with a lower lr has not helped$'
go_on "after going back in vain" back

echo "== hangs"
run env MRCNN_FAULT=hang@step:3 "$train" "${quick[@]}" --watchdog-step 10s \
  --set watchdog_setup=10s --out hang
check_code 7
check_text stderr '^train: step 3: no progress for [0-9]+ s; above is what its threads do$'
check_text stderr '^thread [0-9]+, the main one$'
check_text stderr '^  mrcnn::Run::train_step'
check_text stderr '^  .*mrcnn::Loader'
go_on "after a hang" hang
# Every thread that reads stays in the system, as on a network drive that is gone.
run env MRCNN_FAULT=hang@read:1+ "$train" "${quick[@]}" --watchdog-step 10s \
  --set watchdog_setup=10s --out hang
check_code 7
check_text stderr '^  mrcnn::file_calls::read'
rm -rf hang

echo "== pipes in the place of images"
cp -r base/shapes data
rm data/train/000002.png && mkfifo data/train/000002.png
run timeout 60 "$train" "${small[@]}" --data data --epochs 1 --out pipe
check_code 0
check_text stderr '^train: skipped: data/train/000002\.png: is not a regular file$'
rm -rf pipe
run timeout 60 "$train" "${small[@]}" --data data --epochs 1 --set bad_images=fail --out pipe
check_code 3
rm -rf pipe

echo "== little memory"
for mebibytes in 240 300; do
  cp -r base little && rm -f little/final.safetensors little/checkpoint-000000004.safetensors
  run prlimit --as=$((mebibytes << 20)) "$train" "${quick[@]}" --out little --resume
  [ "$code" = 0 ] || check_code 5
  go_on "after $mebibytes MiB" little
done
run env MRCNN_FAULT=fail@alloc:1500 "$train" "${quick[@]}" --out little
check_code 5
check_text stderr '^train: \[allocate_host\] no memory for [0-9]+ bytes; .*; of the most: weights [0-9.]+ MiB, gradients .*, momenta .*, activations'
go_on "after no memory" little

echo "== a flood of signals: none may hit a thread that computes"
"$train" "${quick[@]}" --out flood >/dev/null 2>first &
victim=$!
while kill -0 $victim 2>/dev/null && [ ! -s first ]; do sleep 0.01; done
while kill -USR1 $victim 2>/dev/null; do :; done
wait $victim
code=$?
check_code 0
same_bits "a flood of SIGUSR1" flood

echo "== storms of signals"
signals=(TERM INT USR1 HUP PIPE USR1 HUP)
for ((k = 0; k < storms; ++k)); do
  rm -f first
  env --default-signal=TERM,INT,USR1,HUP,PIPE "$train" "${quick[@]}" --out storm >/dev/null 2>first &
  victim=$!
  # A storm before the run has begun would only end it.
  while kill -0 $victim 2>/dev/null && [ ! -s first ]; do sleep 0.01; done
  sent=
  for ((n = RANDOM % 12; n >= 0; --n)); do
    signal=${signals[RANDOM % ${#signals[@]}]}
    kill -$signal $victim 2>/dev/null && sent+=" $signal"
    sleep "0.$(printf '%03d' $((RANDOM % 120)))"
  done
  { wait $victim; } 2>/dev/null
  code=$?
  last_command="storm $k:$sent"
  num_checks=$((num_checks + 1))
  case $code in 0 | 130 | 143) ;; *) fail "code 0, 130 or 143 wanted, got $code" ;; esac
  echo "storm $k:$sent: $code"
  [ -d storm ] && go_on "storm $k" storm
done
finish
