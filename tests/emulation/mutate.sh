#!/bin/bash
# mutate.sh BUILD_DIR [file.cu...]: a test of the tests. Removes the barriers (__syncthreads,
# __syncwarp) of the real kernels one at a time, in a copy, and demands that the file's CUDA test
# fails in the emulated-check build. A barrier whose removal nobody notices is either not needed, and
# then goes, or its test is too small.
#
# BUILD_DIR is a configured and built emulated-check tree. Nothing in it or in the sources changes.
# MRCNN_EMU_SEEDS (4): schedules a mutant must survive to count as missed. JOBS (2).
set -euo pipefail

build=$(cd "$1" && pwd)
shift
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export MRCNN_EMU_SEEDS=${MRCNN_EMU_SEEDS:-4}
jobs=${JOBS:-2}
words='(race|uninitialised|divergent|out of bounds)[^(:]*'  # of reports
barrier='__sync(threads(_and|_or|_count)?|warp)[[:space:]]*\('

# The tests of a source: its own, by stem; without one, those of the sources that include its
# header, or of the stem without its last word. For a shared .cuh those of every source with it.
tests_of() {
  local file=$1 stem user
  case $file in *.cuh) users_of "$file" | while read -r user; do tests_of "$user"; done | sort -u
    return ;;
  esac
  stem=$(stem_of "$file")
  if own_test "$stem"; then return; fi
  (cd "$root" && grep -rlE "#include \"$stem\.(h|cuh)\"" core kernels tests || true) |
    while read -r user; do
      case $user in
        tests/*_test.cpp) own_test "$(sed -E 's#^tests/(.*)_test\.cpp$#\1#' <<<"$user")" || true ;;
        *) own_test "$(stem_of "$user")" || true ;;
      esac
    done | sort -u | grep . || own_test "${stem%_*}" || true
}
stem_of() { sed -E 's#(_cuda\.cu|_cpu\.cpp|\.cpp|\.cuh|\.h)$##' <<<"$1"; }
own_test() {
  [ -f "$root/tests/$1_test.cpp" ] && sed 's#/#.#g; s#$#_test#' <<<"$1"
}

# The .cu files that include a header, directly or through another header.
users_of() {
  (cd "$root" && grep -rlF "#include \"$1\"" core kernels --include='*.cu' --include='*.cuh') |
    while read -r user; do
      case $user in *.cu) echo "$user" ;; *) users_of "$user" ;; esac
    done | sort -u
}

# The recorded command that compiles a source, for a copy of the tree in $2 and an object in $3.
compile() {
  python3 - "$build/compile_commands.json" "$root" "$@" <<'PYTHON'
import json, shlex, subprocess, sys
database, root, source, copy, target = sys.argv[1:]
entry = next(e for e in json.load(open(database)) if e["file"] == f"{root}/{source}")
words = [w for w in shlex.split(entry["command"]) if not w.endswith("ccache")]
for option in ("-MF", "-MT", "-o"):
    if option in words:
        at = words.index(option)
        del words[at:at + 2]
words = [w for w in words if w not in ("-MD", "-c", entry["file"])]
# The mutant's copy of the sources comes first; everything else is found in the real tree.
words[1:1] = [f"-I{copy}"]
words += ["-c", f"{copy}/{source}", "-o", target]
sys.exit(subprocess.run(words, cwd=entry["directory"]).returncode)
PYTHON
}

# Links a test again with one object exchanged: the object comes before the library that has it.
link() {
  local test=$1 object=$2 program=$3 command
  command=$(ninja -C "$build" -t commands "$(find_program "$test")" | tail -1)
  command=${command#: && }
  command=${command% && :}
  command=$(sed -E "s# -o [^ ]+# -o $program $object#" <<<"$command")
  (cd "$build" && eval "$command")
}

find_program() {
  (cd "$build" && find . -type f -executable -name "$1" | sed 's#^\./##' | head -1)
}

# check_mutant FILE LINE: prints one row of the table, for the barrier on that line of FILE.
check_mutant() {
  local file=$1 line=$2 place="$1:$2" copy="$work/$1.$2" verdict=MISSED how="" sources test program
  mkdir -p "$copy/$(dirname "$file")"
  # What the barrier returns was also its vote: a mutant keeps the thread's own one.
  sed -E "${line}s/__sync(threads|warp)[[:space:]]*\([^()]*\)/static_cast<void>(0)/;
          ${line}s/__syncthreads_(and|or|count)[[:space:]]*\(/static_cast<int>(/" \
    "$root/$file" >"$copy/$file"
  case $file in *.cu) sources=$file ;; *) sources=$(users_of "$file") ;; esac
  for source in $sources; do
    [ -f "$copy/$source" ] || { mkdir -p "$copy/$(dirname "$source")"; cp "$root/$source" "$copy/$source"; }
    if ! compile "$source" "$copy" "$copy/mutant.o" 2>"$copy/log"; then
      verdict="DOES NOT BUILD" how=$(grep -m1 error "$copy/log" || true)
      break
    fi
    for test in $(tests_of "$source"); do
      program="$copy/$test"
      if ! link "$test" "$copy/mutant.o" "$program" >"$copy/log" 2>&1; then
        verdict="DOES NOT LINK" how=$(tail -1 "$copy/log")
      elif ! timeout 600 "$program" --test-case='CUDA*' >"$copy/log" 2>&1; then
        verdict=caught
        how=$(grep -m1 -oE "$words" "$copy/log" || echo "wrong result")
        how="$how ($test)"
      fi
      [ "$verdict" = MISSED ] || break 2
    done
  done
  rm -rf "$copy"
  printf '%-62s %-9s %s\n' "$place" "$verdict" "$how"
}

if [ $# -gt 0 ]; then files=$*; else
  files=$(cd "$root" && grep -rlE "$barrier" core kernels --include='*.cu' --include='*.cuh' | sort)
fi

# A test that fails anyway would seem to catch everything.
for test in $(for file in $files; do tests_of "$file"; done | sort -u); do
  : >"$work/log"
  program=$(find_program "$test")
  if [ -z "$program" ] || ! "$build/$program" --test-case='CUDA*' >"$work/log" 2>&1; then
    echo "$test is not built in $build, or fails without a mutation"
    tail -5 "$work/log" 2>/dev/null
    exit 1
  fi
done

export -f check_mutant tests_of stem_of own_test users_of compile link find_program
export build root work words
for file in $files; do
  if [ -z "$(tests_of "$file")" ]; then
    printf '%-62s %-9s %s\n' "$file" MISSED "no test"
    continue
  fi
  # Lines of code with a barrier, without those of comments.
  grep -nE "$barrier" "$root/$file" | grep -vE '^[0-9]+:[[:space:]]*//' | cut -d: -f1 |
    sed "s#^#$file #"
done >"$work/list"
grep MISSED "$work/list" >"$work/table" || true
grep -v MISSED "$work/list" |
  xargs -r -P "$jobs" -L 1 bash -c 'set -uo pipefail; check_mutant "$0" "$1"' | tee -a "$work/table"
total=$(wc -l <"$work/table")
caught=$(grep -c ' caught ' "$work/table" || true)
echo "$caught of $total removed barriers were caught"
[ "$caught" = "$total" ]
