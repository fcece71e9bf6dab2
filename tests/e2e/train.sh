#!/usr/bin/env bash
# train as a user runs it: same bits whatever the threads and whatever ends the process, clear
# refusals, and weights that infer takes.
# usage: train.sh TRAIN INFER
# MRCNN_KILLS: how often a run is killed and resumed (3).
train=$1 infer=$2
. "$(dirname "$0")/harness.sh"

kills=${MRCNN_KILLS:-3}
steps=4
cd "$scratch" || exit 1

small=(--device cpu --model maskrcnn_resnet18_fpn --batch 2 --set min_size=64 --set max_size=128
  --set rpn_samples=32 --set roi_samples=16 --set proposals=50 --set freeze_stages=0
  --set warmup_steps=2 --lr 0.01 --set ema_decay=0.8 --set log_every=1)
shapes=(--data shapes --set shapes_images=6 --set shapes_val_images=2 --set shapes_size=64)
quick=("${small[@]}" "${shapes[@]}" --set val_split= --steps $steps --save-every 1 --seed 7)

# wait_for FILE REGEX PROCESS: waits until a line appears or the process is gone.
wait_for() {
  while kill -0 "$3" 2>/dev/null && ! grep -Eq -e "$2" "$1" 2>/dev/null; do sleep 0.05; done
}

echo "== a run that nothing disturbs"
run "$train" "${quick[@]}" --out base --threads 1 --loader-threads 1
check_code 0
check_text stderr "^step $steps/$steps  epoch 1\.33  loss "
check_text stderr '^train: .*: 6 images; not evaluated'
wanted=$(sha base)
kept=(checkpoint-000000003.safetensors checkpoint-000000004.safetensors)
for name in "${kept[@]}" config.txt log.csv log.jsonl report.html curves.svg; do
  check "$name is written" [ -s "base/$name" ]
done
check_missing base/checkpoint-000000002.safetensors
check "a row of log.csv for each step" [ "$(wc -l <base/log.csv)" = $((steps + 1)) ]
run "$infer" --weights base/final.safetensors base/shapes/val/000001.png --json found.json
check_code 0
check_text found.json '"'

echo "== the same bits with other threads, others with another seed"
for threads in "2 2" "1 8"; do
  set -- $threads
  run "$train" "${quick[@]}" --out again --threads "$1" --loader-threads "$2"
  check_code 0
  same_bits "$1 threads, $2 loader threads" again
done
run "$train" "${small[@]}" "${shapes[@]}" --set val_split= --steps $steps --seed 8 --out other
check_code 0
check "another seed gives other bits" [ "$(sha other)" != "$wanted" ]
rm -rf other

echo "== killed at any instant"
started=$(date +%s%N)
run "$train" "${quick[@]}" --out killed
took_ms=$((($(date +%s%N) - started) / 1000000))
same_bits "as many threads as there are" killed

# Starts a run and kills it at a random instant. Fails if the run was faster than that.
start_and_kill() {
  "$train" "${quick[@]}" --out killed >/dev/null 2>first &
  local victim=$!
  sleep "$(awk -v ms=$took_ms -v r=$RANDOM 'BEGIN { printf "%.3f", ms * r / 32768000 }')"
  kill -9 $victim 2>/dev/null
  { wait $victim; } 2>/dev/null
  [ $? = 137 ]
}

for ((k = 0; k < kills; ++k)); do
  until start_and_kill; do rm -rf killed; done
  leftovers=$(find killed -name '.checkpoint*.tmp.*' 2>/dev/null | wc -l)
  echo "killed after '$(tail -n 1 first | cut -c1-60)', $leftovers unfinished checkpoints"
  run "$train" "${quick[@]}" --out killed --resume
  check_code 0
  check "no unfinished checkpoint stays" [ -z "$(find killed -name '.checkpoint*.tmp.*')" ]
  same_bits "kill $((k + 1))" killed
done

echo "== stopped by signals"
rm -f first  # of a run before: its lines would be taken for this one's
env --default-signal=TERM "$train" "${quick[@]}" --out stopped >/dev/null 2>first &
victim=$!
wait_for first 'saved .*-000000001' $victim
kill -STOP $victim  # so that it is not done before the signal
run "$train" "${quick[@]}" --out stopped
check_code 2
check_text stderr "stopped is in use by process $victim on "
kill -TERM $victim
kill -CONT $victim
wait $victim
code=$?
check_code 143
check_text first '^train: saved '
check_missing stopped/final.safetensors
check_text stopped/report.html "stopped by a signal at step [1-9][0-9]* of $steps"
run "$train" "${quick[@]}" --out stopped
check_code 2
check_text stderr 'holds the checkpoints of a run: --resume '
run "$train" "${quick[@]}" --set clip_norm=3 --out stopped --resume
check_code 2
check_text stderr 'cannot change what its weights depend on: clip_norm: 3, was 0$'
cp -r stopped damaged
rm -f first
env --default-signal=INT "$train" "${quick[@]}" --out stopped --resume >/dev/null 2>first &
victim=$!
wait_for first '^train: resumed at step ' $victim
kill -INT $victim
wait $victim
code=$?
check_code 130
run "$train" "${quick[@]}" --set auto_resume=true --out stopped
check_code 0
check_text stderr '^train: resumed at step [1-9]'
same_bits "stopped by SIGTERM, then by SIGINT" stopped

echo "== a damaged checkpoint"
newest=$(ls damaged/checkpoint-* | tail -n 1)
printf 'X' | dd of="$newest" bs=1 seek=100000000 conv=notrunc status=none
run "$train" "${quick[@]}" --out damaged --resume
check_code 0
check_text stderr "^train: passed over: $newest"
check_text stderr '^train: resumed at step '
same_bits "from the checkpoint before a damaged one" damaged

echo "== wrong settings"
run "$train" "${quick[@]}" --out new --set weight_decai=0
check_code 2
check_text stderr "unknown key 'weight_decai'; did you mean 'weight_decay'"
run "$train" "${small[@]}" "${shapes[@]}" --out new --steps 0
check_code 2
check_text stderr "steps: '0' is not a whole number from 1 up, or none"
run "$train" "${small[@]}" "${shapes[@]}" --out new --steps 1 --set best_metric=mask_apx
check_code 2
check_text stderr "best_metric: there is no 'mask_apx'; did you mean 'mask_ap"
run "$train" "${small[@]}" --out new --data nowhere
check_code 3
check_text stderr nowhere
rm -rf new

echo "== a damaged image"
cp -r base/shapes data
head -c 200 data/train/000002.png >cut.png
mv cut.png data/train/000002.png
run "$train" "${small[@]}" --data data --epochs 1 --set val_split= --out skip
check_code 0
check_text stderr '^train: skipped: .*data/train/000002\.png'
check_text stderr '^train: 1 images could not be used'
run "$train" "${small[@]}" --data data --epochs 1 --set val_split= --out failed --set bad_images=fail
check_code 3
check_text stderr '^train: data/train/000002\.png'
check_missing failed/final.safetensors
rm -rf skip failed

echo "== PASCAL VOC, and fine-tuning with another number of classes"
voc=voc/VOCdevkit/VOC2012
mkdir -p "$voc"/{Annotations,JPEGImages,SegmentationObject,ImageSets/Segmentation}
base64 -d >"$voc/SegmentationObject/2007_1.png" <<END
iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAMAAACdt4HsAAAACVBMVEUAAACAAAAAgACmUGVTAAAAL0lEQVR42u3MQREA
IAgAMLB/aL94JwTQLcAioMgLgUBwBqshEAgErwYTgUAg4BsbvssJQZpbkawAAAAASUVORK5CYII=
END
cp base/shapes/train/000001.png "$voc/JPEGImages/2007_1.png"
for part in train val; do echo 2007_1 >"$voc/ImageSets/Segmentation/$part.txt"; done
object() {
  echo "<object><name>$1</name><difficult>0</difficult><bndbox><xmin>$2</xmin><ymin>$3</ymin>
    <xmax>$4</xmax><ymax>$5</ymax></bndbox></object>"
}
cat >"$voc/Annotations/2007_1.xml" <<END
<annotation><size><width>64</width><height>64</height><depth>3</depth></size>
$(object cat 9 9 28 40) $(object dog 37 21 60 56)</annotation>
END
run "$train" "${small[@]}" --preset default --data voc --steps 2 --init base/final.safetensors \
  --out fine
check_code 0
check_text stderr '^train: random values: .*mask_fcn_logits'
check_text stderr '^train: random values: .*cls_score'
check_no_text stderr '^train: random values: .*backbone'
check_text stderr '^train: step 2: box AP'
run "$infer" --weights fine/final.safetensors base/shapes/val/000001.png --json found.json
check_code 0

echo "== the original's lines"
run "$train" "${small[@]}" --preset original --data voc --steps 2 --out original
check_code 0
check_text stdout '^already trained: 0 epochs; to 2 epochs$'
check_text stdout '^lr_epoch: 0\.01000, factor: 1\.00000$'
check_text stdout $'^1\t [0-9]+\\.[0-9]{3}(\t[0-9]+\\.[0-9]{3}){4}$'
check_text stdout '^iter: [0-9.]+, total: [0-9.]+, model: [0-9.]+, backward: [0-9.]+$'
check_text stdout '^training: [0-9.]+ s, evaluation: [0-9.]+ s$'
check_text stdout '^already trained: [1-9] epochs$'
check_no_text stderr '^step '
check_missing original/gpu_info.json
finish
