#!/usr/bin/env bash
# A program that is killed at any moment continues with --resume and ends as if nothing had
# happened: the same bits, on one thread and on two. 13_mini_gpt in its --fast size takes seconds.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
source tests/findings.sh
program=${BUILD:-build}/bin/13_mini_gpt
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
train() { # folder, options…, which come before those of this list
  local folder=$out/$1 usual
  shift
  for usual in "--steps 60" "--every 5" "--channels 32" "--batch 4" \
    "--text tests/test_resume.sh"; do
    [[ " $* " == *" ${usual% *} "* ]] || set -- "$@" "${usual% *}" "${usual#* }"
  done
  "$program" --fast --out "$folder" "$@" >"$folder.log" 2>&1
}
await_lock() { # folder: a run has begun there
  for _ in {1..500}; do
    [[ -e $out/$1/.training ]] && return
    sleep 0.02
  done
  cat "$out/$1.log"
  complain "no run has begun in $1"
}
same() { # what, folder, that of an unbroken run
  cmp -s "$out/${3:-whole}/mini_gpt.safetensors" "$out/$2/mini_gpt.safetensors" ||
    complain "$1: the model differs from that of an unbroken run"
}

train whole --threads 2 || { cat "$out/whole.log"; complain "the unbroken run failed"; }
train one --threads 1
same "one thread instead of two" one

train stopped --stop-after 30 && train stopped --resume
same "stopped after 60 steps and resumed" stopped

# Killed again and again, soon after it has written its first checkpoint; then left to finish.
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

# ---- Stopped politely: it saves first, at whatever step, and says how it ended -------------------
interrupt() { # signal, status
  local status
  for _ in {1..20}; do
    rm -rf "$out/polite" "$out/polite.log" && mkdir "$out/polite"
    train polite --every 30 &
    until grep -q "^training" "$out/polite.log" 2>/dev/null || ! kill -0 $! 2>/dev/null; do
      sleep 0.01
    done
    pkill "-$1" -P $!
    wait $!
    status=$?
    # On a busy machine all steps may be done before the signal comes: then once more.
    grep -q "^training 100 %" "$out/polite.log" || break
  done
  [[ $status -eq $2 ]] ||
    { cat "$out/polite.log"; complain "after SIG$1 the status is $status, not $2"; }
  grep -q "stopped and saved at step" "$out/polite.log" || complain "after SIG$1 nothing was saved"
  [[ ! -e $out/polite/.training ]] || complain "after SIG$1 the lock is still there"
  eval "$(sed -n 's/.*to go on: //p' "$out/polite.log")" >"$out/again.log" 2>&1 ||
    { cat "$out/polite.log" "$out/again.log"; complain "its command to go on after SIG$1 fails"; }
}
train sparse --every 30
for signal in INT:130 TERM:143; do
  interrupt "${signal%:*}" "${signal#*:}"
  same "stopped by SIG${signal%:*} and resumed" polite sparse
done

# ---- A model that begins to overfit: training ends, and the best weights are what is left --------
by_heart=(--rate 2e-2 --steps 400 --every 20)
writes() { # folder
  "$program" --fast --out "$out/$1" --write train | sed -n '/^train/,/^done/{/^done/!p}'
}
train heart "${by_heart[@]}"
best=$(sed -n 's/.* Kept: the model of step \(.*\)\.$/\1/p' "$out/heart.log")
[[ -n $best ]] || { cat "$out/heart.log"; complain "it overfits and does not notice"; }
grep -q "learning the text by heart" "$out/heart.log" || complain "it does not say what helps"
[[ $(<"$out/heart.log") != *"step 400:"* ]] || complain "it overfits and goes on"
train best "${by_heart[@]}" --stop-after "$best"
[[ -n $(writes heart) && $(writes heart) == $(writes best) ]] ||
  complain "what it leaves does not write what the best model writes"
train parted "${by_heart[@]}" --stop-after $((best + 20)) && train parted "${by_heart[@]}" --resume
same "stopped after its best step and resumed" parted heart
train parted "${by_heart[@]}" --resume
same "resumed when it was over" parted heart

# ---- A finished model writes, and training leaves no trace ---------------------------------------
cp -r "$out/heart" "$out/kept"
writes heart >/dev/null
diff -r "$out/heart" "$out/kept" >/dev/null || complain "--write changes the folder"
"$program" --fast --out "$out/nowhere" --write train >"$out/nowhere.log" 2>&1 &&
  complain "--write without a model is no error"
grep -q "nowhere/mini_gpt.safetensors.*--write takes a trained model" "$out/nowhere.log" ||
  { cat "$out/nowhere.log"; complain "--write does not say that there is no model"; }

# ---- One folder, one run at a time; and an earlier run's model is kept ---------------------------
fails() { # pattern, folder, options…
  train "${@:2}" && complain "no error: ${*:2}"
  grep -q -- "$1" "$out/$2.log" || { cat "$out/$2.log"; complain "no '$1' after ${*:2}"; }
}
mkdir "$out/busy" && echo "somebody's own" >"$out/busy/lock"
train busy --steps 100000 &
await_lock busy
holder=$(pgrep -P $!)
"$program" --fast --text tests/test_resume.sh --out "$out/busy" >"$out/second.log" 2>&1 &&
  complain "a second run in the same folder"
grep -q "process $holder is training there" "$out/second.log" ||
  { cat "$out/second.log"; complain "the second run does not name the first"; }
disown $! && kill -KILL "$holder"
while kill -0 "$holder" 2>/dev/null; do sleep 0.01; done # until it is gone, it holds the lock
train busy --steps 5 || complain "a lock that was left behind locks others out"
[[ $(<"$out/busy/lock") == "somebody's own" ]] ||
  complain "a file called lock was taken for the lock"
cp "$out/whole/mini_gpt.safetensors" "$out/before"
train whole --steps 10 --seed 3
cmp -s "$out/before" "$out/whole/mini_gpt-1.safetensors" ||
  complain "a new run overwrote the earlier one's model"

# ---- Another text is another run, which may begin with this one's model --------------------------
fails "learned from another text" whole --resume --text tests/test_chat.sh
fails "leave one of them out" whole --resume --from "$out/before"
fails "a model keeps its size" tuned --from "$out/before" --channels 16
train tuned --from "$out/before" --text tests/test_chat.sh --channels 32 --rate 1e-3 --steps 10 ||
  { cat "$out/tuned.log"; complain "--from failed"; }
train tuned --resume --text tests/test_chat.sh --rate 1e-3 --steps 20 ||
  { cat "$out/tuned.log"; complain "it does not resume after --from"; }

# ---- A user's settings stay out of the pictures, and what cannot be drawn stops nothing ----------
mkdir "$out/home" && echo 'no such command' >"$out/home/.gnuplot"
HOME=$out/home train pictures ||
  { cat "$out/pictures.log"; complain "the user's .gnuplot ended the run"; }
[[ -s $out/pictures/loss.svg ]] || complain "the user's .gnuplot cost a picture"
mkdir -p "$out/bin" "$out/drawn"
printf '#!/bin/sh\nexit 3\n' >"$out/bin/gnuplot"
chmod +x "$out/bin/gnuplot"
PATH=$out/bin:$PATH train drawn ||
  { cat "$out/drawn.log"; complain "a gnuplot that fails ended the run"; }
grep -q "no picture: gnuplot: stopped with status 3" "$out/drawn.log" ||
  complain "a gnuplot that fails is not named"

# ---- Texts from elsewhere: byte order marks, CR, UTF-16, control codes ---------------------------
{ printf '\xEF\xBB\xBF' && sed 's/$/\r/' tests/test_resume.sh; } >"$out/windows.txt"
train windows --text "$out/windows.txt" --steps 5
grep -q "left out: a byte order mark; its CR" "$out/windows.log" ||
  complain "nothing is said of a byte order mark and CR"
iconv -t UTF-16 tests/test_resume.sh >"$out/utf16.txt"
fails "is UTF-16" utf16 --text "$out/utf16.txt"
sed 's/e/\x1b[31m/g' tests/test_resume.sh >"$out/codes.txt"
train codes --text "$out/codes.txt"
grep -q $'\x1b' "$out/codes.log" && complain "control codes of a generated text reach the terminal"

conclude
