# What command-level tests share. Source it, then call `run` and the checks; end with `finish`.
# Every check says what it wanted and what it saw, and the script goes on, so that one run shows
# all that is wrong.
set -u
export LC_ALL=C TERM=dumb

scratch=$(mktemp -d "${TMPDIR:-/tmp}/mrcnn_e2e_XXXXXX")
trap 'rm -rf "$scratch"' EXIT
num_checks=0
num_failures=0
code=0
last_command=

# run COMMAND...: exit code in $code, output in $scratch/stdout and $scratch/stderr.
run() {
  last_command=$*
  "$@" >"$scratch/stdout" 2>"$scratch/stderr"
  code=$?
}

fail() {
  num_failures=$((num_failures + 1))
  echo "FAILED: $*"
  echo "  after: $last_command"
  echo "  stderr: $(head -c 1000 "$scratch/stderr")"
}

# check WHAT CONDITION...: the condition is a command that must succeed.
check() {
  local what=$1
  shift
  num_checks=$((num_checks + 1))
  "$@" >/dev/null || fail "$what"
}

check_code() {
  num_checks=$((num_checks + 1))
  [ "$code" = "$1" ] || fail "exit code $1 wanted, got $code"
}

# check_text FILE EXTENDED_REGEX: some line matches.
check_text() {
  num_checks=$((num_checks + 1))
  grep -Eq -e "$2" "$1" || fail "a line like '$2' wanted in $1"
}

check_no_text() {
  num_checks=$((num_checks + 1))
  ! grep -Eq -e "$2" "$1" || fail "no line like '$2' wanted in $1"
}

check_empty() {
  num_checks=$((num_checks + 1))
  [ ! -s "$1" ] || fail "$1 should be empty, holds: $(head -c 300 "$1")"
}

check_missing() {
  num_checks=$((num_checks + 1))
  [ ! -e "$1" ] || fail "$1 should not exist"
}

check_same() {
  num_checks=$((num_checks + 1))
  cmp -s "$1" "$2" || fail "$1 and $2 should be equal"
}

# check_files DIR NAME...: these files below DIR, and no other, hidden ones included.
check_files() {
  local directory=$1
  shift
  num_checks=$((num_checks + 1))
  local found wanted
  found=$(cd "$directory" && find . -type f | LC_ALL=C sort)
  wanted=$(for name in "$@"; do echo "./$name"; done | LC_ALL=C sort)
  [ "$found" = "$wanted" ] || fail "in $directory wanted: $wanted; found: $found"
}

# sha RUN: of the weights that a training run ended with.
sha() { sha256sum <"$1/final.safetensors" | cut -d' ' -f1; }

# same_bits WHAT RUN: it ended with the weights $wanted. The run is removed.
same_bits() {
  check "$1: final.safetensors" [ -f "$2/final.safetensors" ]
  check "$1 gives the same bits" [ "$(sha "$2")" = "$wanted" ]
  check "$1 leaves nothing unfinished" [ -z "$(find "$2" -name '.*.tmp.*')" ]
  rm -rf "$2"
}

finish() {
  echo "$num_checks checks, $num_failures failed"
  [ "$num_checks" -gt 0 ] && [ "$num_failures" = 0 ]
  exit
}
