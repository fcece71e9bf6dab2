#!/usr/bin/env bash
# A fuzzing campaign, outside CI: builds the targets with clang and runs each until its inputs have
# been executed often enough, one target at a time, at low priority.
#   tests/fuzz/campaign.sh --runs 10000000                all targets, each up to that total
#   tests/fuzz/campaign.sh --seconds 60 pth image         a while for these
# Options:
#   --runs N      executions of each target, counted over all campaigns in the work directory
#   --seconds N   no longer than that for each target
#   --work DIR    where inputs, logs and finds are kept (default: build/fuzzing)
#   --store       add to tests/fuzz/corpus what reaches code the stored inputs do not
# Prints a table for a report in docs/measurements; coverage.sh prints the other one.
# A find stops its target: its input lies in DIR/<target>/finds. Mend the reader, keep the input
# under tests/fuzz/regressions/<target>/ with a name that says what it is, and start again.
# Exit code: 0 nothing found, 1 something was, 2 usage.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tests/fuzz/targets.sh
source tests/fuzz/targets.sh
# shellcheck source=tools/dependencies.sh
source tools/dependencies.sh

usage() { sed -n '2,15s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }
wrong() { echo "campaign.sh: $1" >&2 && usage >&2 && exit 2; }

runs=0 seconds=0 work=build/fuzzing store=no chosen=()
while (($#)); do
  case $1 in
    -h | --help) usage && exit 0 ;;
    --runs | --seconds)
      [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || wrong "$1 needs a whole number"
      declare "${1#--}=$2" && shift
      ;;
    --work) [[ -n ${2:-} ]] || wrong "--work needs a directory" && work=$2 && shift ;;
    --store) store=yes ;;
    -*) wrong "unknown option $1" ;;
    *) [[ " ${fuzz_targets[*]} " == *" $1 "* ]] || wrong "no target is called $1" && chosen+=("$1") ;;
  esac
  shift
done
((runs || seconds)) || [[ $store == yes ]] || wrong "say how long: --runs or --seconds"
((${#chosen[@]})) || chosen=("${fuzz_targets[@]}")

needed_packages+=("${fuzz_packages[@]}")
install_dependencies
mkdir -p "$work"
cmake --preset fuzz -B "$work/build" >"$work/configure.log" || { cat "$work/configure.log" >&2 && exit 1; }
nice -n 15 cmake --build "$work/build" --target fuzz_targets >&2
export ASAN_OPTIONS=${ASAN_OPTIONS:-quarantine_size_mb=16:malloc_context_size=4}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export OMP_NUM_THREADS=1

# Executions of all earlier campaigns, from their logs.
executions_of() {
  { cat "$work/$1"/log-*.txt 2>/dev/null || true; } |
    awk '/^stat::number_of_executed_units/ {sum += $2} END {print sum + 0}'
}

fuzz() {
  local target=$1 folder=$work/$1 left seeds limits=()
  mkdir -p "$folder/corpus" "$folder/finds"
  mapfile -t seeds < <(seed_directories_of "$target")
  if ((runs)); then
    left=$((runs - $(executions_of "$target")))
    ((left > 0)) || return 0
    limits+=("-runs=$left")
  fi
  ((seconds)) && limits+=("-max_total_time=$seconds")
  # Weighing inputs by entropy takes half of the time with targets as fast as these.
  nice -n 15 "$work/build/tests/fuzz/fuzz.$target" "${limits[@]}" -entropic=0 -timeout=2 -rss_limit_mb=1024 \
    -max_len="$(max_length_of "$target")" -dict="tests/fuzz/dictionaries/$target.dict" \
    -print_final_stats=1 -artifact_prefix="$folder/finds/" "$folder/corpus" "${seeds[@]}" \
    >"$folder/log-$(date +%Y%m%dT%H%M%S).txt" 2>&1
}

# Adds the smallest inputs that together reach what all inputs reach.
store_corpus() {
  local target=$1 stored=tests/fuzz/corpus/$1
  mkdir -p "$stored"
  nice -n 15 "$work/build/tests/fuzz/fuzz.$target" -merge=1 -use_counters=0 -rss_limit_mb=1024 \
    -max_len="$(max_length_of "$target")" "$stored" "$work/$target/corpus" >"$work/$target/merge.txt" 2>&1
}

# The largest value of a statistic in all logs of a target.
largest_of() {
  cat "$work/$1"/log-*.txt | awk -v name="stat::$2:" '$1 == name && $2 > most {most = $2} END {print most + 0}'
}

count_files() { find "$1" -type f | wc -l; }

found=0
echo '| target | executions in all | a second, at last | slowest, s | memory, MiB | inputs kept | finds |'
echo '|---|---:|---:|---:|---:|---:|---:|'
for target in "${chosen[@]}"; do
  if ((runs || seconds)) && ! fuzz "$target"; then
    found=1
    echo "$target: a find, see the end of its log in $work/$target" >&2
  fi
  [[ $store == yes ]] && store_corpus "$target"
  log=$(find "$work/$target" -name 'log-*.txt' | sort | tail -n 1)
  printf '| %s | %d | %s | %s | %s | %d | %d |\n' "$target" "$(executions_of "$target")" \
    "$(awk '/average_exec_per_sec/ {print $2}' "$log")" "$(largest_of "$target" slowest_unit_time_sec)" \
    "$(largest_of "$target" peak_rss_mb)" "$(count_files "$work/$target/corpus")" \
    "$(count_files "$work/$target/finds")"
done
exit "$found"
