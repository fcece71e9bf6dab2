#!/usr/bin/env bash
# Kills a small training run again and again, resumes it each time, and compares its weights in the end
# with those of a run that nothing disturbed. Half of the kills come at a random instant, half at a
# random call of the file system; with --system-calls one comes at each of the system calls that make a
# checkpoint safe (this wants strace). Writes a report. CI runs a small version of this
# (tests/e2e/train.sh, train_faults.sh); this one takes minutes.
# usage: kill_and_resume.sh [--system-calls] [--kills N (200)] [--minutes N (120)] [--seed N (1)]
#                           [--report FILE (standard output)]
# Wants train_with_faults built: cmake --build --preset cpu --target train_with_faults
# Ends with 1 when a checkpoint that was reported as saved is lost, or bits differ.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
train=$PWD/build/cpu/tests/e2e/train_with_faults
kills=200 minutes=120 seed=1 report=/dev/stdout system_calls=
usage() { sed -n '2,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }
while (($#)); do
  case $1 in
    --kills | --minutes | --seed) [[ ${2:-} =~ ^[0-9]{1,6}$ ]] || { usage >&2 && exit 2; } ;;&
    --kills) kills=$2 && shift 2 ;;
    --minutes) minutes=$2 && shift 2 ;;
    --seed) seed=$2 && shift 2 ;;
    --report) report=$(realpath -m "${2:?}") && shift 2 ;;
    --system-calls) system_calls=1 && shift ;;
    -h | --help) usage && exit 0 ;;
    *) usage >&2 && exit 2 ;;
  esac
done
[[ -x $train ]] || { echo "$train is not built" >&2 && exit 2; }
[[ -z $system_calls ]] || command -v strace >/dev/null || { echo "strace is missing" >&2 && exit 2; }
commit=$(git describe --always --dirty 2>/dev/null || echo unknown)
RANDOM=$seed
scratch=$(mktemp -d "${TMPDIR:-/tmp}/mrcnn_kills_XXXXXX")
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 2
cp "$train" train && train=$scratch/train # whatever is built meanwhile

steps=10 every=2
most_calls=1200 # of the file system: about as many as a run makes
args=(--device cpu --model maskrcnn_resnet18_fpn --batch 1 --set min_size=64 --set max_size=64
  --set rpn_samples=16 --set roi_samples=8 --set proposals=10 --set freeze_stages=5
  --set warmup_steps=2 --set log_every=1 --data shapes --set shapes_images=7
  --set shapes_val_images=1 --set shapes_size=64 --set val_split= --threads 1 --loader-threads 2
  --steps $steps --save-every $every --seed 7)
sha() { sha256sum <"$1/final.safetensors" 2>/dev/null | cut -d' ' -f1; }
# The last number that a line of the file holds in the place of %.
last_step() { sed -n "s/^$2\$/\1/p" "$1" | tail -n 1; }

num_kills=0 in_saves=0 lost=0 runs=0 differing=0 reported=0
declare -A by_kind=()
began=$SECONDS
in_time() { ((SECONDS - began < 60 * minutes)); }

# After each start of the run in `killed`: its lines are in `lines`.
check_resumed() {
  local resumed
  resumed=$(last_step lines 'train: resumed at step \([0-9]*\) from .*')
  # A process that was killed before it looked has not resumed yet.
  if [[ -n $resumed ]] && ((resumed < reported)) || grep -q '^train: passed over' lines; then
    lost=$((lost + 1))
    echo "LOST: step $reported was reported, ${resumed:-none} resumed" >&2
  fi
  local step
  step=$(last_step lines 'train: saved .*checkpoint-0*\([0-9]*\)\.safetensors')
  reported=${step:-$reported}
}

note_kill() {
  num_kills=$((num_kills + 1))
  by_kind[$1]=$((${by_kind[$1]:-0} + 1))
  [[ -z $(find killed -name '.checkpoint*.tmp.*' 2>/dev/null) ]] || in_saves=$((in_saves + 1))
}

# Lets the run end, and compares it.
finish_run() {
  if [[ ! -e killed/final.safetensors ]]; then
    "$train" "${args[@]}" --out killed --resume >/dev/null 2>lines
    check_resumed
  fi
  runs=$((runs + 1))
  if [[ $(sha killed) != "$wanted" ]]; then
    differing=$((differing + 1))
    echo "OTHER BITS: $(tail -n 1 lines)" >&2
  fi
  rm -rf killed
  reported=0
}

started=$(date +%s%N)
"$train" "${args[@]}" --out base >/dev/null 2>&1 || { echo "the undisturbed run failed" >&2 && exit 2; }
took_ms=$((($(date +%s%N) - started) / 1000000))
wanted=$(sha base)

# One process that is killed, or comes to the end of the run first.
kill_at_random() {
  local victim kind
  if ((RANDOM % 2)); then
    kind="at a random call of the file system"
    MRCNN_FAULT=kill@file:$((1 + RANDOM % most_calls)) \
      "$train" "${args[@]}" --out killed --resume >/dev/null 2>lines &
    victim=$!
  else
    kind="at a random instant"
    "$train" "${args[@]}" --out killed --resume >/dev/null 2>lines &
    victim=$!
    sleep "$(awk -v ms=$took_ms -v r=$RANDOM 'BEGIN { printf "%.3f", ms * r / 32768000 }')"
    kill -9 $victim 2>/dev/null
  fi
  { wait $victim; } 2>/dev/null
  (($? != 137)) || note_kill "$kind"
  check_resumed
}

if [[ -z $system_calls ]]; then
  while ((num_kills < kills)) && in_time; do
    kill_at_random
    ((num_kills % 20)) || echo "$num_kills kills, $runs runs, $((SECONDS - began)) s" >&2
    [[ ! -e killed/final.safetensors ]] || finish_run
  done
  [[ ! -e killed ]] || finish_run
else
  for call in fallocate pwrite64 fsync rename unlink; do
    for ((n = 1; ; ++n)); do
      in_time || break 2
      strace -f -qq -o /dev/null -e trace=$call -e "inject=$call:signal=SIGKILL:when=$n" \
        "$train" "${args[@]}" --out killed >/dev/null 2>lines &
      { wait $!; } 2>/dev/null
      check_resumed
      [[ ! -e killed/final.safetensors ]] || { finish_run && break; }
      note_kill "at each $call"
      finish_run
    done
  done
fi

{
  echo "# Kill and resume"
  echo
  echo "Written by \`tests/campaigns/kill_and_resume.sh ${system_calls:+--system-calls }--kills $kills" \
    "--minutes $minutes --seed $seed\` at $commit, $(date +%F), in $((SECONDS - began)) s."
  echo "$(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs), $(nproc) cores, load" \
    "$(cut -d' ' -f1 /proc/loadavg) at the end; files on $(stat -f -c %T "$scratch")."
  echo "A run is $steps steps of a small model with a checkpoint after every $every," \
    "$(stat -c %s base/checkpoint-*"$steps".safetensors) bytes each; undisturbed it took $took_ms ms." \
    "A killed run is resumed, and killed again, until it comes to its end."
  echo
  echo "| | |"
  echo "|---|---|"
  for kind in "${!by_kind[@]}"; do echo "| kills $kind | ${by_kind[$kind]} |"; done | sort
  echo "| all kills | $num_kills |"
  echo "| of them with a checkpoint half written | $in_saves |"
  echo "| checkpoints lost that were reported as saved | $lost |"
  echo "| runs that came to their end | $runs |"
  echo "| of them with other bits than the undisturbed one | $differing |"
} >"$report"
((lost == 0 && differing == 0 && num_kills > 0))
