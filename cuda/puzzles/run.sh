#!/usr/bin/env bash
# make puzzles: gives the student a copy of every puzzle, with a hole in it. Builds and runs those
# whose hole has been filled, and prints a verdict for each. Exit status 1 if one is wrong.
# Environment:
#
#   P=05          only that puzzle, even if its hole is empty
#   HINT=2        with P: the first two of its three hints
#   RESET=05      starts that file afresh; the old file is kept beside it
#   UPDATE=1      fresh copies with the student's lines; old files are kept beside them
#   FROM=dir      somebody's files: takes only the student's lines, and the rest from here
#   CUDA=1        uses nvcc and a GPU
#   PUZZLES=dir   where the copies are (default: puzzles)
#   CHECKED=…     what to link: the puzzles' harness and the checked emulator
#   BUILD, CXX, NVCC, KERNEL_FLAGS, CHECKED_FLAGS: set by the Makefile
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
here=cuda/puzzles
mine=${PUZZLES:-puzzles}
[[ ${CUDA:-} != emulator ]] || CUDA='' # without CUDA, this runs on the emulator anyway
: "${P:=}" "${HINT:=}" "${RESET:=}" "${UPDATE:=}" "${FROM:=}" "${BUILD:=build}"
export CXX=${CXX:-g++} NVCC=${NVCC:-nvcc} CUDA=${CUDA:-} CHECKED=${CHECKED:-$BUILD/libpuzzles.a}
export KERNEL_FLAGS=${KERNEL_FLAGS:-} CHECKED_FLAGS=${CHECKED_FLAGS:-}
[[ -n $CUDA || -n $CHECKED_FLAGS ]] || { echo "make puzzles calls this" >&2; exit 2; }
export work=$BUILD/puzzles${CUDA:+/gpu}
trap 'exit 130' INT

bold='' red='' green='' dim='' plain=''
export diagnostics=never
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' dim=$'\e[2m' plain=$'\e[0m'
  diagnostics=always
fi

regions() { # mode, options, file
  local mode=$1
  shift
  awk -f $here/regions.awk -v mode="$mode" "$@"
}

sources=("$here"/[0-9][0-9]_*.cu)
find_puzzle() { # a number or a name; prints the file of its solution
  local number=$1 source
  [[ ! $number =~ ^[0-9]$ ]] || number=0$number
  for source in "${sources[@]}"; do
    case $(basename "$source" .cu) in
      "$number" | "$number"_* | [0-9][0-9]_"$number") echo "$source"; return ;;
    esac
  done
  echo "There is no puzzle $1. They are numbered from 01 to ${#sources[@]}." >&2
  return 1
}

# A half-filled hole may leave a parameter unused, so there is no warning about that.
compile() { # name file
  local out=$work/$1
  if [[ -n $CUDA ]]; then
    "$NVCC" -std=c++20 -lineinfo -arch=sm_75 -I. -x cu -c "$2" -o "$out.o" &&
      "$NVCC" -arch=sm_75 "$out.o" "$work"/*.harness.o -o "$out"
  else
    few_errors=-fmax-errors=3
    [[ $($CXX --version) != *clang* ]] || few_errors=-ferror-limit=3
    # shellcheck disable=SC2086  # CXX may be "ccache g++", CHECKED several files
    $CXX $KERNEL_FLAGS $CHECKED_FLAGS -g $few_errors -fdiagnostics-color=$diagnostics \
      -Wall -Wextra -Wno-unused -Wno-unused-parameter -Wno-sign-compare \
      -c -x c++ "$2" -o "$out.o" &&
      $CXX "$out.o" $CHECKED -lopenblas -o "$out" || {
      awk -f cuda/emulator/explain.awk "$2"
      false
    }
  fi >"$out.log" 2>&1 && rm -f "$out.o" && echo "$2" >"$out.of"
}
export -f compile

is_fresh() { # program source
  local dependency needs=$CHECKED
  [[ -e $1.of && $(<"$1.of") == "$2" ]] || return 1
  [[ -z $CUDA ]] || needs=$(echo "$here"/*.cpp)
  for dependency in "$2" $here/run.sh $here/puzzle.h cuda/gpu.h $needs; do
    [[ $1 -nt $dependency ]] || return 1
  done
}

# A student's text is never lost: the old file is kept beside the new one.
replace() { # file; the new text comes on standard input
  local old=$1.old i
  for ((i = 2; ; ++i)); do
    [[ -e $old ]] || break
    old=$1.old$i
  done
  [[ ! -e $1 ]] || { mv "$1" "$old" && echo "Your old $1 is now $old."; }
  cat >"$1"
}

reset() {
  local source file
  source=$(find_puzzle "$RESET") || exit 2
  file=$mine/$(basename "$source")
  mkdir -p "$mine" && regions blank "$source" | replace "$file" && echo "$file starts afresh."
}

hint() {
  local source
  source=$(find_puzzle "$P") || exit 2
  echo "Puzzle $(title "$source"), hints up to $HINT:"
  regions hints -v upto="$HINT" "$source"
}

title() { basename "$1" .cu | tr _ ' '; }

# Runs a puzzle's program and prints "solved", "wrong" or "skipped". Its output goes to a .txt file.
run_puzzle() { # program
  "$1" >"$1.txt" 2>&1
  local status=$?
  case $status in
    0) if grep -q 'All tests passed' "$1.txt"; then echo solved; else
         echo "     The program ended before its tests did." >>"$1.txt"
         echo wrong
       fi ;;
    77) echo skipped ;;
    1) echo wrong ;;
    *) echo "     The program crashed: $(kill -l $status 2>/dev/null || echo $status)." >>"$1.txt"
       echo wrong ;;
  esac
}

[[ -z $RESET ]] || { reset; exit; }
[[ -z $HINT ]] || {
  [[ -n $P ]] || { echo "Which puzzle? make puzzles P=05 HINT=$HINT" >&2; exit 2; }
  hint
  exit
}
chosen=("${sources[@]}")
if [[ -n $P ]]; then
  chosen=("$(find_puzzle "$P")") || exit 2
fi
if [[ -n $FROM ]]; then
  [[ -d $FROM ]] || { echo "FROM=$FROM is not a folder" >&2; exit 2; }
  mine=$work/from
  rm -rf "$mine"
fi
mkdir -p "$mine" "$work" || exit 2

# Make the copies, and find those whose hole has been filled.
declare -A is_open
made=0
stale=()
for source in "${chosen[@]}"; do
  name=$(basename "$source" .cu)
  file=$mine/$name.cu
  if [[ -n $FROM ]]; then
    regions transplant -v from="$FROM/$name.cu" "$source" >"$file"
  elif [[ ! -e $file ]]; then
    regions blank "$source" >"$file"
    made=$((made + 1))
  elif [[ -n $UPDATE ]]; then
    updated=$(regions transplant -v from="$file" "$source")
    [[ $updated == "$(<"$file")" ]] || echo "$updated" | replace "$file"
  fi
  blank=$(regions blank "$source" | regions bodies)
  [[ $(regions bodies "$file") != "$blank" ]] || is_open[$name]=1
  if [[ -n $P || -z ${is_open[$name]:-} ]] && ! is_fresh "$work/$name" "$file"; then
    rm -f "$work/$name"
    stale+=("$name" "$file")
  fi
done
[[ $made -eq 0 ]] || echo "Your copies are in $mine/; edit them there. ($made new)"
if [[ -n $CUDA && ${#stale[@]} -gt 0 ]]; then
  command -v "$NVCC" >/dev/null || { echo "CUDA=1 needs nvcc in PATH" >&2; exit 2; }
  for file in "$here"/*.cpp; do
    object=$work/$(basename "$file" .cpp).harness.o
    [[ $object -nt $file && $object -nt $here/puzzle.h ]] ||
      "$NVCC" -std=c++20 -I. -x cu -c "$file" -o "$object" || exit 2
  done
fi
[[ ${#stale[@]} -eq 0 ]] ||
  printf '%s\0' "${stale[@]}" |
  xargs -0 -n 2 -P "$(nproc 2>/dev/null || echo 2)" bash -c 'compile "$@" || true' compile

solved=0 wrong=0 open=0 skipped=0 points=0 all_points=0
next=
for source in "${chosen[@]}"; do
  name=$(basename "$source" .cu)
  file=$mine/$name.cu
  worth=$(regions points "$source")
  all_points=$((all_points + worth))
  if [[ -n ${is_open[$name]:-} ]]; then
    verdict=open
  elif [[ ! -x $work/$name ]]; then
    verdict="does not compile"
  else
    verdict=$(run_puzzle "$work/$name")
  fi
  colour=$red
  case $verdict in
    solved) colour=$green solved=$((solved + 1)) points=$((points + worth)) ;;
    open) colour=$dim open=$((open + 1)) ;;
    skipped) colour=$dim skipped=$((skipped + 1)) ;;
    *) wrong=$((wrong + 1)) ;;
  esac
  [[ $verdict == solved || -n $next ]] || next=$file
  printf '  %-18s %s%s%s\n' "$(title "$source")" "$colour" "$verdict" "$plain"
  [[ $verdict != open || -z $P ]] || run_puzzle "$work/$name" >/dev/null # shows what is expected
  case $verdict in
    "does not compile") cat "$work/$name.log" ;;
    wrong) cat "$work/$name.log" "$work/$name.txt" ;;
    skipped) cat "$work/$name.txt" ;;
    *) [[ -z $P ]] || cat "$work/$name.txt" ;;
  esac
done

if [[ -z $P ]]; then
  echo
  summary="${bold}$solved of ${#chosen[@]} solved${plain}, $points of $all_points points"
  [[ $wrong -eq 0 ]] || summary+="; $wrong not right yet"
  [[ $open -eq 0 ]] || summary+="; $open open"
  [[ $skipped -eq 0 ]] || summary+="; $skipped skipped: no GPU"
  echo "$summary."
fi
if [[ -n $next && -z $FROM && $skipped -eq 0 ]]; then
  number=$(basename "$next")
  number=${number%%_*}
  echo "Next: $next. Alone: make puzzles P=$number. With a hint: make puzzles P=$number HINT=1"
fi
[[ $wrong -eq 0 && (-z $P || $open -eq 0) ]]
