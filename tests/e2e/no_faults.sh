#!/usr/bin/env bash
# The programs that people install cannot be told to fail: what obeys MRCNN_FAULT is in the trainer
# of the tests only.
# usage: no_faults.sh TRAIN_WITH_FAULTS PROGRAM...
. "$(dirname "$0")/harness.sh"

knows() { grep -q MRCNN_FAULT "$1"; }
does_not_know() { ! knows "$1"; }

check "the trainer of the tests obeys" knows "$1"
run env MRCNN_FAULT=what@ever "$1" --version
check_code 2
check_text "$scratch/stderr" "^MRCNN_FAULT: fault 'what@ever': wanted: ACTION@PLACE:WHEN"
shift
for program in "$@"; do
  check "$program does not know MRCNN_FAULT" does_not_know "$program"
done
finish
