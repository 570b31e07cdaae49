#!/usr/bin/env bash
# make run FILE=shift.cu: builds a CUDA program that is one file with its main(), and runs it on the
# checked emulator. The Makefile sets the flags that g++ needs for that. Environment:
#
#   FILE=shift.cu   the program; it includes "cuda/gpu.h"
#   ARGS="1 2"      its arguments
#   PLAIN=1         uses the plain emulator, which is faster and finds less
#   CUDA=1          uses nvcc and a GPU
#   BUILD, CXX, NVCC, KERNEL_FLAGS, CHECKED_FLAGS
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 2
[[ -n ${FILE:-} ]] || { echo 'Which file? make run FILE=shift.cu' >&2; exit 2; }
[[ -r $FILE ]] || { echo "make run: there is no file $FILE" >&2; exit 2; }
program=$BUILD/run/$(basename "$FILE" .cu)
mkdir -p "$BUILD/run" || exit 2
if [[ -n ${CUDA:-} ]]; then
  "$NVCC" -std=c++20 -lineinfo --expt-relaxed-constexpr -arch=native -I. \
    -x cu "$FILE" -o "$program" || exit
else
  emulator=checked
  [[ -z ${PLAIN:-} ]] || emulator=plain CHECKED_FLAGS=
  few_errors=-fmax-errors=5
  [[ $($CXX --version) != *clang* ]] || few_errors=-ferror-limit=5
  # shellcheck disable=SC2086  # several flags, and CXX may be "ccache g++"
  if ! { $CXX $KERNEL_FLAGS $CHECKED_FLAGS -g $few_errors -Wall -Wextra -Wno-unused \
    -Wno-sign-compare -c -x c++ "$FILE" -o "$program.o" &&
    $CXX -rdynamic "$program.o" "$BUILD/libemulator_$emulator.a" -lopenblas -o "$program"; }; then
    awk -f cuda/emulator/explain.awk "$FILE"
    exit 1
  fi
fi
# shellcheck disable=SC2086  # several arguments
exec "$program" ${ARGS:-}
