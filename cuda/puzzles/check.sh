#!/usr/bin/env bash
# make puzzles-check: proves that the puzzles are fair and that the runner tells the truth.
#
#   solved     every solution compiles without a warning and passes its tests
#   blank      every file that a student gets compiles without a warning and fails them
#   mistakes   the checker stops a solution with a barrier left out, or with a bound one too far,
#              although a GPU often gives the right numbers all the same
#   runner     what `make puzzles` does with a student's folder
#
# Environment: BUILD, CXX, CHECKED, KERNEL_FLAGS, CHECKED_FLAGS as for run.sh. `check.sh nvcc` only
# compiles the solutions with nvcc, for sm_75.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
here=cuda/puzzles
: "${BUILD:=build}"
export work=$BUILD/puzzles-check
export CXX=${CXX:-g++} NVCC=${NVCC:-nvcc} CHECKED=${CHECKED:-$BUILD/libpuzzles.a}
trap 'exit 130' INT
rm -rf "$work"
mkdir -p "$work" || exit 2
failed=0
fail() {
  echo "puzzles-check: $*"
  failed=$((failed + 1))
}

regions() {
  local mode=$1
  shift
  awk -f $here/regions.awk -v mode="$mode" "$@"
}

# Makes one program out of many puzzles, each in a namespace of its own, so that the headers are
# compiled only once. GRADUS_PUZZLE chooses the puzzle when the program runs.
unite() { # program file…
  local out=$work/$1.cu i=0 file calls=''
  shift
  printf '#include <cfloat>\n#include <cstdlib>\n\n#include "cuda/puzzles/puzzle.h"\n' >"$out"
  for file in "$@"; do
    printf '\nnamespace p%d {\n#include "%s"\n}\n' $i "$file"
    calls+="  if (chosen == $i) p$i::tests(t);"$'\n'
    i=$((i + 1))
  done >>"$out"
  {
    printf '\nvoid tests(puzzle::Tests& t) {\n'
    printf '  const int chosen = std::atoi(std::getenv("GRADUS_PUZZLE"));\n%s}\n' "$calls"
  } >>"$out"
}

# Solutions are compiled with all warnings. A blank file need not use all its variables.
# shellcheck disable=SC2317  # xargs calls it
compile() { # program
  local warnings='-Wshadow -Wconversion -Wno-sign-conversion'
  [[ $1 != blank ]] || warnings='-Wno-unused -Wno-unused-parameter'
  # shellcheck disable=SC2086  # several words
  $CXX $KERNEL_FLAGS $CHECKED_FLAGS -g1 -I"$work" -Wall -Wextra $warnings -Werror \
    -c -x c++ "$work/$1.cu" -o "$work/$1.o" &&
    $CXX "$work/$1.o" $CHECKED -lopenblas -o "$work/$1"
}
export -f compile

passes() { # program number
  GRADUS_PUZZLE=$2 GRADUS_PUZZLE_SECONDS=5 "$work/$1" >"$work/out.txt" 2>&1 &&
    grep -q 'All tests passed' "$work/out.txt"
}

solutions=("$here"/[0-9][0-9]_*.cu)
blanks=()
mistakes=()
for source in "${solutions[@]}"; do
  name=$(basename "$source" .cu)
  regions blank "$source" >"$work/$name.cu"
  blanks+=("$name.cu")
  [[ $(regions points "$source") -gt 0 ]] || fail "$source: no region with points"
  hints=$(regions hints -v upto=3 "$source" | grep -c '^  [123] ')
  [[ $hints -eq $((3 * $(grep -c 'exercise\[' "$source"))) ]] ||
    fail "$source: not three hints for each region"
  ! grep -E '//[?=]' "$work/$name.cu" || fail "$source: marks are left in the student's file"
  for ((k = 1; ; ++k)); do
    mutant=${name}_mistake_$k.cu
    awk -v nth=$k -f $here/mutant.awk "$source" >"$work/$mutant"
    [[ -s $work/$mutant ]] || { rm "$work/$mutant"; break; }
    mistakes+=("$mutant")
  done
done

unite solved "${solutions[@]}"
if [[ ${1:-} == nvcc ]]; then
  "$NVCC" -std=c++20 -I. --expt-relaxed-constexpr -Werror all-warnings \
    -Xptxas -Werror,-warn-spills -arch=sm_75 -c "$work/solved.cu" -o "$work/solved.o" || exit 1
  echo "puzzles-check: ${#solutions[@]} solutions compile with nvcc"
  exit
fi
: "${CHECKED_FLAGS:?make puzzles-check calls this}"
unite blank "${blanks[@]}"
unite mistakes "${mistakes[@]}"
# shellcheck disable=SC2016  # $1 is for the inner shell
printf '%s\n' mistakes solved blank |
  xargs -n 1 -P "$(nproc 2>/dev/null || echo 2)" bash -c 'compile "$1"' compile ||
  { echo "puzzles-check: does not compile"; exit 1; }

for i in "${!solutions[@]}"; do
  passes solved "$i" || { cat "$work/out.txt"; fail "${solutions[i]}: its solution does not pass"; }
  ! passes blank "$i" || fail "${solutions[i]}: passes with an empty hole"
done
for i in "${!mistakes[@]}"; do
  if passes mistakes "$i" || ! grep -q 'the kernel was stopped' "$work/out.txt"; then
    source=$here/${mistakes[i]%_mistake_*}.cu
    diff "$source" "$work/${mistakes[i]}"
    cat "$work/out.txt"
    fail "$source: the checker does not see this mistake"
  fi
done
[[ $failed -gt 0 ]] || echo "puzzles-check: ${#solutions[@]} solutions pass;" \
  "as many blank files fail; the checker stops ${#mistakes[@]} planted mistakes"

# ---- The runner, as a student meets it -----------------------------------------------------------

student=$work/student
run() { # VARIABLE=value…; sets said to its output and status to its exit status
  said=$(env P= HINT= RESET= UPDATE= FROM= CUDA= PUZZLES="$student" BUILD="$work" \
    GRADUS_PUZZLE_SECONDS=1 "$@" $here/run.sh 2>&1)
  status=$?
}
expect() { # status, a pattern in the output, what it is about
  if [[ $status -ne $1 ]] || ! grep -qE -- "$2" <<<"$said"; then
    fail "the runner, $3: exit status $status (should be $1), or no '$2' in:"$'\n'"$said"
  fi
}
fill() { # puzzle, text for its hole
  awk -v text="$2" '/exercise\[/ { print; print text; skip = 1 } /exercise\]/ { skip = 0 } !skip' \
    "$student/$1.cu" >"$work/filled" && mv "$work/filled" "$student/$1.cu"
}

run
expect 0 "^0 of ${#solutions[@]} solved.*; ${#solutions[@]} open" "untouched"
run P=1
expect 1 "no thread has written it" "an open puzzle by number"

fill 01_map 'out[threadIdx.x] = a[threadIdx.x] * a[threadIdx.x];'
fill 02_zip 'out[threadIdx.x] = alpha * x[threadIdx.x] - y[threadIdx.x];'
fill 03_guard 'out[threadIdx.x] = fmaxf(a[threadIdx.x], 0);'
fill 04_map_2d 'int i = 0; while (i < rows);'
fill 05_broadcast 'out[0] = nonsense;'
fill 06_blocks '_Exit(0);'
fill 07_blocks_2d '__shared__ float tile[4]; out[0] = tile[0];'
fill 08_shared 'bead[threadIdx.x] = 1; if (threadIdx.x) __syncthreads(); out[threadIdx.x] = 1;'
fill 10_dot 'for (int i = 0; i < n && threadIdx.x == 0; ++i)
    out[0] = x[i] * y[i] + (i > 0 ? out[0] : 0);'
fill 14_matmul 'const int r = blockIdx.y * kTile + threadIdx.y;
  const int j = blockIdx.x * kTile + threadIdx.x;
  float sum = 0;
  for (int k = 0; k < inner && r < rows && j < columns; ++k)
    sum += a[r * inner + k] * b[k * columns + j];
  if (r < rows && j < columns) c[r * columns + j] = sum;'
cp "$student/02_zip.cu" "$work/before"
run
expect 1 '^1 of .*; 9 not right yet; 7 open' "ten puzzles tried"
expect 1 '^  01 map +solved' "a solution"
expect 1 'out\[0\] should be .*, but thread 0 wrote' "a wrong result"
expect 1 'thread 0 reads x\[0\] = .*, y\[0\] = .*; writes out\[0\] = ' "what a thread did"
expect 1 '03_guard.cu:[0-9]+' "the line of a finding"
expect 1 'out of bounds: element 5' "a missing guard"
expect 1 'did not end within 1 seconds' "a loop without end"
expect 1 "05_broadcast.cu:[0-9:]+ error: .*nonsense" "an error of the compiler"
expect 1 'instead of  __shared__ float tile\[4\]  write  SHARED\(float, tile, \[4\]\);' \
  "what is CUDA and not C++"
expect 1 'ended before its tests did' "an exit in the kernel"
expect 1 'wait in __syncthreads' "a barrier that some do not reach"
expect 1 'thread 0 alone loaded [0-9]+ numbers from global memory' "work that is not shared"
expect 1 'the kernel made [0-9]+ loads from a in global memory' "a product without tiles"
cmp -s "$work/before" "$student/02_zip.cu" || fail "the runner changed a student's file"
run P=map
expect 0 'solved' "one puzzle by name"
run P=18
expect 2 'no puzzle 18' "a number that does not exist"
run P=10 HINT=2
expect 0 '^  2 ' "hints"
! grep -q '^  3 ' <<<"$said" || fail "the runner shows the third hint when asked for two"
run RESET=2
expect 0 '02_zip.cu.old' "RESET"
cmp -s "$work/before" "$student/02_zip.cu.old" || fail "RESET did not keep the old file"
echo "// an old text" >>"$student/01_map.cu"
run UPDATE=1 P=1
expect 0 'solved' "UPDATE"
! grep -q 'an old text' "$student/01_map.cu" || fail "UPDATE left the old text"
run FROM="$student" P=1
expect 0 '01 map +solved' "FROM a student"
run FROM=$here P=3
expect 0 '03 guard +solved' "FROM the solutions"
run P=3
expect 1 'out of bounds' "the student's own file, after somebody else's"
[[ $failed -eq 0 ]] && echo "puzzles-check: the runner does what it should"
exit $((failed > 0))
