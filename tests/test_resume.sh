#!/usr/bin/env bash
# A program that is killed at any moment goes on with --resume and ends as if nothing had happened: the
# same bits, on one thread and on two. 13_mini_gpt in its --fast size, so that this takes seconds.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
source tests/findings.sh
program=${BUILD:-build}/bin/13_mini_gpt
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
train() { # folder, options…
  local folder=$out/$1
  shift
  "$program" --fast --steps 60 --every 5 --channels 32 --batch 4 --text tests/test_resume.sh --out "$folder" "$@" >"$folder.log" 2>&1
}
same() { # what, folder
  cmp -s "$out/whole/mini_gpt.safetensors" "$out/$2/mini_gpt.safetensors" || complain "$1: the model differs from that of an unbroken run"
}

train whole --threads 2 || { cat "$out/whole.log"; complain "the unbroken run failed"; }
train one --threads 1
same "one thread instead of two" one

train stopped --stop-after 30 && train stopped --resume
same "stopped after 60 steps and resumed" stopped

# Killed again and again, soon after it has written its first checkpoint; then let go on to its end.
resumed() {
  if [[ -e $out/killed/mini_gpt.safetensors ]]; then train killed --resume; else train killed; fi
}
for delay in 0.02 0.05 0.1 0.2; do
  resumed &
  until [[ -e $out/killed/mini_gpt.safetensors ]] || ! kill -0 $! 2>/dev/null; do sleep 0.02; done
  sleep "$delay"
  pkill -KILL -P $!
  wait $!
done 2>/dev/null
resumed || { cat "$out/killed.log"; complain "the resumed run failed"; }
same "killed and resumed" killed

conclude
