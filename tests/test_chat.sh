#!/usr/bin/env bash
# The chat as a user meets it: from a pipe, and on a terminal with Ctrl-C and Ctrl-D. The model is
# trained for two steps only: what it says does not matter here.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
source tests/findings.sh
program=$PWD/${BUILD:-build}/bin/17_chatbot
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
options=(--layers 1 --channels 16 --heads 2 --out "$place/out")
"$program" "${options[@]}" --fast --steps 2 --ask "Hello" >"$place/train.log" 2>&1 ||
  { cat "$place/train.log"; complain "training and --ask failed"; }

# ---- A finished chatbot is the one that was asked for, and training anew does not lose it ------
ask() { "$program" --out "$place/out" --ask "Hello" "$@" 2>&1 | grep -v '^done in'; }
before=$(ask)
[[ $(ask --steps 300) == *"--steps 300: the earlier run has --steps 2"* ]] ||
  complain "--steps of another run is not an error"
timeout -s INT 1 "$program" "${options[@]}" --train --steps 100000 >"$place/train.log" 2>&1
[[ $(ask) == "$before" ]] || complain "training anew, interrupted, lost the chatbot that was there"

# ---- A pipe: one line of answer for each question, and no prompt -------------------------------
says() { # pattern, what was typed
  printf '%b' "$2" | "$program" "${options[@]}" >"$place/pipe.log" 2>&1 ||
    complain "the chat failed on $2"
  grep -qF -- "$1" "$place/pipe.log" || { cat "$place/pipe.log"; complain "no \"$1\" after $2"; }
}
says "/save FILE" "/help\n"
says "/nonsense is not a command" "/nonsense\n"
says "/temp: \"warm\" is not a number" "/temp warm\n"
says "nothing has been said yet" "/why\n"
says " % " "你好\n/why\n"
says "2 exchanges written" "Hello\n你好\n/save $place/talk.json\n"
says "2 exchanges read" "/load $place/talk.json\n"
says "not a conversation" "/load $place/train.log\n"
says "forgotten" "Hello\n/reset\n"
says "not UTF-8" "\xff\xfe\n"
says "make it shorter" "$(printf 'long %.0s' {1..400})\n"
printf '/no\x1b[31m\n/load \x1b[31m\n' | "$program" "${options[@]}" | grep -q $'\x1b' &&
  complain "errors echo control codes"
mkdir "$place/elsewhere"
(cd "$place/elsewhere" &&
  "$program" "${options[@]:0:6}" --fast --steps 2 --ask Hello >other.log 2>&1 &&
  grep -q "no chatbot in $place/elsewhere/out/17_chatbot-fast yet" other.log) ||
  complain "a chatbot trained elsewhere is not said to be missing here"
grep -q '"user": "你好"' "$place/talk.json" || complain "/save lost a Chinese question"
answer() { # seed
  printf '/temp 1\n/topk 5\n/seed %s\nHello\n' "$1" |
    "$program" "${options[@]}" | grep -v '^done in'
}
[[ $(answer 3) == "$(answer 3)" ]] || complain "the same seed gave two answers"
[[ $(answer 3) != "$(answer 4)" ]] || complain "two seeds gave the same answer"

# ---- A terminal: Ctrl-C at the prompt starts a new line, Ctrl-D ends the chat -----------------
screen=$place/screen
await() { # how many prompts must be on the screen
  for _ in {1..100}; do
    [[ $(tr '\r' '\n' <"$screen" 2>/dev/null | grep -c '^> ') -ge $1 ]] && return
    sleep 0.1
  done
  complain "the terminal shows fewer than $1 prompts"
}
type_on_terminal() {
  await 1
  printf 'half a line\003'
  await 2
  printf '/why\n'
  await 3
  printf '\004'
}
: >"$screen"
# exec, because a shell that waits for the chat would get the Ctrl-C too, and might end by it.
type_on_terminal |
  timeout 60 script -qefc "exec $program ${options[*]}" "$screen" >/dev/null 2>&1
status=$?
[[ $status -eq 0 ]] || complain "on a terminal the chat ended with status $status"
grep -q "Ask me something" "$screen" || complain "the terminal shows no invitation"
grep -q "nothing has been said yet" "$screen" || complain "after Ctrl-C the chat did not continue"

conclude || { cat "$screen"; exit 1; }
