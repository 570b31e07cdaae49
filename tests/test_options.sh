#!/usr/bin/env bash
# The folder for results is checked before any work. One that cannot be made or written is an error
# that names --out. --help makes none, and --fast has its own. What is in a folder that can only be
# read can be read.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
source tests/findings.sh
program=$PWD/${BUILD:-build}/bin/13_mini_gpt
place=$(mktemp -d)
trap 'chmod -R u+w "$place"; rm -rf "$place"' EXIT
refuses() { # folder: in a second, not after the training
  timeout 10 "$program" --out "$1" >"$place/log" 2>&1
  local status=$?
  [[ $status -eq 1 ]] || complain "--out $1 ended with status $status, not 1"
  grep -qF -- "error: --out $1: " "$place/log" ||
    { cat "$place/log"; complain "no error names --out $1"; }
}

cd "$place" || exit 1
"$program" --help >help.log || complain "--help failed"
"$program" --no-such-option >wrong.log 2>&1
[[ $? -eq 2 ]] || complain "a wrong option did not end with status 2"
"$program" --help >/dev/full 2>full.log
[[ $? -eq 1 && $(<full.log) == *"error: standard output: "* ]] ||
  complain "output that is lost is not an error"
"$program" --help --out never >>help.log
[[ ! -e out && ! -e never ]] || complain "--help, or a wrong option, made a folder"

"$program" --fast --steps 1 --channels 8 --batch 1 --text wrong.log --context 8 >fast.log 2>&1 ||
  { cat fast.log; complain "--fast failed"; }
[[ -e out/13_mini_gpt-fast/mini_gpt.safetensors && ! -e out/13_mini_gpt ]] ||
  complain "--fast wrote where a long run writes"

# Numbers as people write them.
"$program" --fast --steps 2e0 --channels +8 --batch 1 --rate +1e-3 --text wrong.log --context 8 \
  --out numbers >fast.log 2>&1 ||
  { cat fast.log; complain "2e0, +8 or +1e-3 is not a number"; }
"$program" --steps 1.5 >whole.log 2>&1
[[ $? -eq 2 && $(<whole.log) == *"1.5 is not a whole number"* ]] ||
  { cat whole.log; complain "the error about --steps 1.5 is not clear"; }
"$program" --text $'no\x1b[31mfile' --out numbers >escape.log 2>&1
grep -qF 'no<1B>[31mfile' escape.log || complain "an error echoes control codes"

# A tree that was moved after it was built uses its own data, not that of the place where it was
# built.
mkdir -p moved/build/bin moved/examples/data
cp "${program%/*}/01_logistic_regression" moved/build/bin/
printf 'a\n1,2\n' >moved/examples/data/breast_cancer.csv
moved/build/bin/01_logistic_regression --fast >moved.log 2>&1
grep -qF "$place/moved/examples/data/breast_cancer.csv" moved.log ||
  { cat moved.log; complain "a tree that was moved does not find its own data"; }

# Ctrl-C in a program that saves nothing on the way.
timeout --preserve-status -s INT 2 "${program%/*}/01_logistic_regression" --steps 1e9 \
  --out stopped >stopped.log 2>&1
[[ $? -eq 130 && $(tail -n 1 stopped.log) == "stopped; nothing is saved but "* ]] ||
  { cat stopped.log; complain "after Ctrl-C it does not say that nothing is saved"; }

touch file
refuses file
refuses file/below
if [[ $(id -u) -ne 0 ]]; then # root may write everywhere
  mkdir empty used
  touch used/results
  chmod u-w empty used
  refuses empty
  timeout 10 "$program" --out used --resume >used.log 2>&1
  grep -q 'warning: --out used: ' used.log || complain "no warning that the results will be lost"
fi

conclude
