#!/usr/bin/env bash
# `make run FILE=…`, as a student meets it: a correct program, one with a race, one that does not
# end, one written for nvcc, and settings that are refused. The Makefile's variables are in the
# environment.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
: "${BUILD:?make test calls this}"
work=$BUILD/run-test
rm -rf "$work"
mkdir -p "$work"
failed=0
run() { # FILE, VARIABLE=value…; sets said to its output and status to its exit status
  local file=$work/$1
  shift
  said=$(env FILE="$file" PLAIN= CUDA= ARGS= "$@" cuda/emulator/run.sh 2>&1)
  status=$?
}
expect() { # status, a pattern in the output, what it is about
  if [[ $status -ne $1 ]] || ! grep -qE -- "$2" <<<"$said"; then
    echo "make run, $3: exit status $status (should be $1), or no '$2' in:"$'\n'"$said"
    failed=1
  fi
}

cat >"$work/shift.cu" <<'CU'
#include <cstdio>
#include <cstdlib>

#include "cuda/gpu.h"

__global__ void shift(const float* x, float* y, int barrier) {
  SHARED(float, tile, [8]);
  const int i = int(threadIdx.x);
  tile[i] = x[i];
  if (barrier) __syncthreads();
  if (i > 0) y[i] = tile[i - 1];
}

int main(int, char** arguments) {
  float x[8] = {0, 10, 20, 30, 40, 50, 60, 70}, *dx, *dy;
  cudaMalloc(&dx, sizeof x);
  cudaMalloc(&dy, sizeof x);
  cudaMemset(dy, 0, sizeof x);
  cudaMemcpy(dx, x, sizeof x, cudaMemcpyHostToDevice);
  launch<shift>({1, 8}, dx, dy, std::atoi(arguments[1]));
  const cudaError_t error = cudaMemcpy(x, dy, sizeof x, cudaMemcpyDeviceToHost);
  for (const float f : x) std::printf("%g ", f);
  return error == cudaSuccess ? 0 : 3;
}
CU
run shift.cu ARGS=1
expect 0 '^0 0 10 20 30 40 50 60 $' "a correct program"
run shift.cu ARGS=0
expect 3 'shift.cu:11, thread \(0,0,0\) wrote them at shift.cu:9.*data race' "a race"
run shift.cu ARGS=0 PLAIN=1
expect 0 '^0 0 10 20 30 40 50 60 $' "a race that the plain emulator does not see"
run shift.cu ARGS=1 PLAIN=1 GRADUS_CUDA_PROFILE=1
expect 0 'GRADUS_CUDA_PROFILE counts only in the checked build' "a profile of the plain build"
run shift.cu ARGS=1 GRADUS_CUDA_PROFILE=1
expect 0 'shift$' "a profile"
run shift.cu ARGS=1 GRADUS_CUDA_ARCH=33
expect 134 "GRADUS_CUDA_ARCH: '33' is not one of 75, 80" "an unknown architecture"
run shift.cu ARGS=1 GRADUS_CUDA_PROFILE=yes
expect 134 "GRADUS_CUDA_PROFILE: .*yes" "a profile that is neither 0 nor 1"
run shift.cu ARGS=1 GRADUS_CUDA_SEED=-1
expect 134 "GRADUS_CUDA_SEED: '-1' is not a whole number" "a negative seed"
run shift.cu ARGS=1 GRADUS_CUDA_LOG="$work/absent/log"
expect 0 'GRADUS_CUDA_LOG: cannot write .*absent/log' "a log that cannot be written"
run shift.cu ARGS=1 GRADUS_CUDA_PTX="$work/absent.ptx"
expect 134 'GRADUS_CUDA_PTX: the checker sees .*PLAIN=1' "PTX under the checker"

cat >"$work/loop.cu" <<'CU'
#include <assert.h>
#include "cuda/gpu.h"
__global__ void wait(int* flag, int n) {
  const int i = 0;
  while (i < n);
  *flag = 1;
}
int main() {
  int* flag;
  cudaMalloc(&flag, 4);
  launch<wait>({1, 32}, flag, 5);
  assert(cudaDeviceSynchronize() != cudaSuccess);
}
CU
said=$(FILE=$work/loop.cu PLAIN='' timeout 8 cuda/emulator/run.sh 2>&1)
status=$?
expect 124 '^$' "a loop without end, which the compiler may not leave out"

cat >"$work/native.cu" <<'CU'
#include "cuda/gpu.h"
__global__ void k(float* y) {
  extern __shared__ float all[];
  __shared__ float tile[32][33];
  y[0] = all[0] + tile[0][0];
}
int main() {
  float* y;
  cudaMalloc(&y, 4);
  k<<<1, 32, 128>>>(y);
}
CU
run native.cu
expect 1 'native.cu:3: instead of  extern .* all\[\]  write  DYN_SHARED\(float, all\);' \
  "dynamic shared memory of nvcc"
expect 1 'native.cu:4: instead of  .*  write  SHARED\(float, tile, \[32\]\[33\]\);' \
  "shared memory of nvcc"
expect 1 'native.cu:10: instead of  k<<<...>>>  write  launch<k>\(\{1, 32, 128\}, ...\)' \
  "a launch of nvcc"
# The program of the emulator's page, and what the page says that it prints.
page=cuda/emulator/README.md
mkdir "$work/page"
awk '/^```/ { on = /cpp/; next } on' "$page" >"$work/page/shift.cu"
shown=$(tr -s ' \n' ' ' <"$page") # as one line, however it is broken
for order in forward reverse random; do
  run page/shift.cu PLAIN=1 GRADUS_CUDA_SCHEDULE=$order
  expect 0 '^0 ' "the page's program, $order"
  [[ $shown == *"SCHEDULE=$order make run FILE=shift.cu PLAIN=1 ${said% } "* ]] ||
    { echo "$page: $order, its program prints $said"; failed=1; }
done
for checks in PLAIN=1 PLAIN=; do
  run page/shift.cu $checks GRADUS_CUDA_REPLAY=1
  expect 0 '^simt: ' "the page's program, replayed with $checks"
  [[ $shown == *"$(grep '^simt: ' <<<"$said" | head -n 1)"* ]] ||
    { echo "$page: with $checks and replay, its program prints $said"; failed=1; }
done

run nothing.cu
expect 2 'there is no file' "a file that is not there"

[[ $failed -eq 0 ]] && echo "make run does what it should"
exit $failed
