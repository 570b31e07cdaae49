#!/usr/bin/env bash
# The chat as a user meets it: from a pipe, and on a terminal, with its keys. The model is trained
# for two steps only: what it says does not matter here.
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

for question in "" "  "; do
  message=$("$program" --out "$place/out" --ask "$question" 2>&1)
  [[ $? -eq 2 && $message == *'--ask: give it a text, as in --ask "'* ]] ||
    complain "--ask \"$question\" ends with: $message"
done

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
says "the file is there already" "/save $place/talk.json\n"
says "0 exchanges written over" "/save! $place/talk.json\n"
says "2 exchanges written over" "Hello\n你好\n/save! $place/talk.json\n"
says "2 exchanges read" "/load $place/talk.json\n"
says "there is no folder $place/missing" "/save $place/missing/talk.json\n"
[[ ! -e $place/missing ]] || complain "/save makes folders"
says "is a folder" "/save! $place\n"
says "not a conversation" "/load $place/train.log\n"
says "forgotten" "Hello\n/reset\n"
says "not UTF-8" "\xff\xfe\n"
says "make it shorter" "$(printf 'long %.0s' {1..20000})\n"
says "forgotten" "\xef\xbb\xbf  /reset \r\n"
says "/ is not a command" "/\n"
said() { # what was typed -> what was said between the first line and the last
  printf '%b' "$1" | "$program" "${options[@]}" | sed '1d;$d'
}
[[ -z $(said '\n   \r\n\t\n\xef\xbb\xbf\n') ]] || complain "blank lines are answered"
[[ $(said '/quit\nHello\n')$(said '/exit\nHello\n') == "" ]] || complain "/quit or /exit goes on"
for question in quit exit '😀' '\x1b[31m' '\x00' 'no end of line'; do
  [[ -n $(said "$question") ]] || complain "no answer to $question"
done
[[ $(said 'Hello') == "$(said '  Hello\r\n')" ]] || complain "blanks around a question matter"
printf '/no\x1b[31m\n/load \x1b[31m\n' | "$program" "${options[@]}" | grep -q $'\x1b' &&
  complain "errors echo control codes"
mkdir "$place/elsewhere"
(cd "$place/elsewhere" &&
  "$program" "${options[@]:0:6}" --fast --steps 2 --ask Hello >other.log 2>&1 &&
  grep -q "no chatbot in $place/elsewhere/out/17_chatbot-fast yet" other.log) ||
  complain "a chatbot trained elsewhere is not said to be missing here"
grep -q '"user": "你好"' "$place/talk.json" || complain "/save lost a Chinese question"
answer() { # seed; /why has what it would have said, for it doubts all
  printf '/temp 1\n/topk 5\n/seed %s\nHello\n/why\n' "$1" |
    "$program" "${options[@]}" | grep -v '^done in'
}
[[ $(answer 3) == "$(answer 3)" ]] || complain "the same seed gave two answers"
[[ $(answer 3) != "$(answer 4)" ]] || complain "two seeds gave the same answer"

# ---- A terminal: lines are edited, dropped and called back, whatever the locale ----------------
screen=$place/screen
await() { # text: what must come onto the screen next
  for _ in {1..200}; do
    tail -c "+$seen" "$screen" | grep -qF -- "$1" && break
    sleep 0.05
  done
  tail -c "+$seen" "$screen" | grep -qF -- "$1" || echo "no \"$1\"" >>"$place/unseen"
  seen=$(($(wc -c <"$screen") + 1))
}
type_keys() { printf '%b' "$1" && await "$2"; } # keys, what they bring
on_terminal() { # function that types, options, variables for env; leaves the status in $status
  : >"$screen"
  rm -f "$place/unseen"
  # exec, because a shell that waits for the chat would get the Ctrl-C too, and might end by it.
  (seen=1; "$1") |
    timeout 60 script -qefc "exec env $3 $program $2" "$screen" >/dev/null 2>&1
  status=$?
  [[ ! -e $place/unseen ]] || { cat "$screen"; complain "on a terminal, $3: $(<"$place/unseen")"; }
}
left='\033[D' up='\033[A' back='\177' home='\001' end='\005' search='\022'
interrupt='\003' eof='\004'
edit() {
  await "> "
  type_keys "/load 你好吗$left$left${back}再\r" "'再好吗'" # /load echoes its line, as an error
  type_keys "a😀${back}b$home/load $end!\r" "'ab!'"
  type_keys "half a line$interrupt" "> "
  type_keys "$up$up$back\r" "'再好'"
  type_keys "${search}ab\r" "'ab!'"
  type_keys "/load \0377x\r" "'x'"
  type_keys "$(printf 'long %.0s' {1..20000})\r" "make it shorter"
  printf '%b' "$eof"
}
for locale in LC_ALL=C.UTF-8 LC_ALL=C "-u LC_ALL -u LC_CTYPE -u LANG -u TERM"; do
  on_terminal edit "--out $place/out" "$locale"
  [[ $status -eq 0 ]] || complain "on a terminal, $locale, the chat ended with status $status"
done

conclude
