#!/usr/bin/env bash
# Is every kernel tested, and every line of every kernel? This compiles the .cu files once more with
# counters (gcov), runs the CUDA tests on the emulator, and then checks that
#   - the kernels that ran are those that the .cu files launch, and those that nvcc finds in them;
#   - every line of cuda/*.cu and of its headers was executed.
# It names whatever is missing. Exceptions are listed below, with their reasons.
#   tests/cuda/coverage.sh   after `make build/bin/cuda_tests_plain`, whose objects it links
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
build=${BUILD:-build}
cxx=${CXX:-g++}
out=$build/coverage
command -v gcov >/dev/null || { echo "skipped: no gcov on this machine"; exit 77; }
rm -rf "$out"
mkdir -p "$out"

# One per line: a part of the line's text, then # and why no test executes it.
exceptions='
fail(doing, cublasGetStatusName(status), cublasGetStatusString(status));  # cuBLAS never fails here
'

# ---- Build: the .cu files with counters, everything else as in the tests -------------------------
flags="-std=c++20 -O1 -g1 -fno-inline --coverage -Wno-unknown-pragmas"
flags+=" -I. -Icuda/emulator/include $(pkg-config --cflags openblas fmt)"
compile() { # source
  # shellcheck disable=SC2086  # several flags, and CXX may be two words: ccache g++
  nice -n 10 $cxx $flags -x c++ -c "$1" -o "$out/$(basename "$1").o"
}
for source in cuda/*.cu; do compile "$source" || exit 1; done
objects=("$out"/*.o)
for source in cuda/*.cpp cuda/emulator/*.cpp tests/cuda/test_*; do
  case $source in cuda/emulator/check* | cuda/emulator/profile*) continue ;; esac
  objects+=("$build/obj/plain/$source.o")
done
for source in tests/main.cpp tests/op_table*.cpp; do objects+=("$build/obj/${source%.cpp}.o"); done
# shellcheck disable=SC2046,SC2086
$cxx --coverage -rdynamic -fopenmp "${objects[@]}" "$build/libsupport.a" "$build/libgradus.a" \
  $(pkg-config --libs openblas fmt) -lz -lpcre2-8 -o "$out/tests" || exit 1

# ---- Run, without the finite differences, which launch the same kernels for minutes --------------
GRADUS_CUDA_LOG=$out/ran "$out/tests" -tce='*by differences*' >"$out/log" 2>&1 || {
  tail -n 30 "$out/log"
  echo "FAIL  the tests fail"
  exit 1
}
sort -u "$out/ran" | grep '^_ZN6gradus4cuda' >"$out/kernels_run"
failed=0

# ---- Kernels ------------------------------------------------------------------------------------
indent() { while read -r line; do echo "        $line"; done <<<"$1"; }
missing() { # name of the set that should have run, its file
  local names
  names=$(comm -23 "$2" "$out/kernels_run" | c++filt)
  [[ -z $names ]] && return
  echo "FAIL  no test runs these kernels that $1:"
  indent "$names"
  failed=1
}
# launch<kernel> instantiates KernelOf<&(kernel), …>::call.
paste <(nm "$out"/*.cu.o) <(nm -C "$out"/*.cu.o) | awk -F'\t' '
  { split($1, symbol, " "); name = $2; sub(/^[0-9a-f]* *[A-Za-z] /, "", name) }
  name ~ /^simt::KernelOf<.*::call\(void const\*\)$/ { calls = calls "\n" name }
  symbol[3] ~ /^_ZN6gradus4cuda/ { demangled[symbol[3]] = name }
  END { for (s in demangled) if (index(calls, "<&(" demangled[s] ")")) print s }' |
  sort >"$out/kernels_launched"
missing "cuda/*.cu launches" "$out/kernels_launched"
if [[ ! -s $out/kernels_launched ]]; then echo "FAIL  found no kernel in the objects"; failed=1; fi
nvcc=${NVCC:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
if [[ -x $nvcc ]]; then
  for source in cuda/*.cu; do
    ptx=$build/ptx/75/$(basename "$source" .cu).ptx # left by ptx.sh
    if [[ ! -e $ptx || $source -nt $ptx ]]; then
      mkdir -p "$(dirname "$ptx")"
      nice -n 10 "$nvcc" -std=c++20 -I. --expt-relaxed-constexpr -arch=compute_75 -ptx "$source" \
        -o "$ptx" || exit 1
    fi
    sed -nE 's/^\.visible \.entry ([^(]*).*/\1/p' "$ptx"
  done | sort -u >"$out/entries"
  missing "nvcc compiles" "$out/entries"
  ran=$(grep -Fxf "$out/kernels_launched" "$out/kernels_run")
  unknown=$(comm -13 "$out/entries" - <<<"$ran" | c++filt)
  if [[ -n $unknown ]]; then
    echo "FAIL  nvcc has no entry for these kernels that ran:"
    indent "$unknown"
    failed=1
  fi
  [[ $failed -ne 0 ]] ||
    echo "ok    the $(wc -l <"$out/entries") kernels that nvcc compiles are those that ran"
else
  [[ $failed -ne 0 ]] ||
    echo "ok    all $(wc -l <"$out/kernels_launched") kernels ran (nvcc's list: skipped, no nvcc)"
fi

# ---- Lines. A template is counted for each instantiation: a line is executed if it is in one. ----
gcov -t -r -o "$out" "$out"/*.gcda 2>/dev/null | awk -F: -v exceptions="$exceptions" '
  BEGIN { n = split(exceptions, allowed, "\n") }
  $2 + 0 == 0 { if ($3 == "Source") file = $4; next }
  file !~ /^cuda\/[a-z_]+\.(cu|h)$/ { next }
  $1 ~ /-$/ { next }
  {
    key = file ":" $2 + 0
    if (!(key in text)) { order[++lines] = key; text[key] = substr($0, index($0, $3)) }
    if ($1 ~ /[0-9]/) executed[key] = 1
  }
  END {
    for (k = 1; k <= lines; ++k) {
      if (order[k] in executed) { ++count; continue }
      excused = 0
      for (e = 1; e <= n; ++e) {
        line = allowed[e]; sub(/ *# .*/, "", line)
        if (line != "" && index(text[order[k]], line)) excused = 1
      }
      if (excused) { ++exceptional; continue }
      print "        " order[k] ": " text[order[k]]; bad = 1
    }
    if (lines == 0) { print "FAIL  gcov counted nothing"; exit 1 }
    printf "%s  %d of %d lines of cuda/*.cu and their headers executed, %d exceptions\n", \
      bad ? "FAIL" : "ok  ", count, lines, exceptional
    exit bad
  }' || failed=1
exit $failed
