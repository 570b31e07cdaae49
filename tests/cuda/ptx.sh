#!/usr/bin/env bash
# Runs the CUDA tests on nvcc's PTX: each .cu file is compiled to PTX, which the emulator interprets
# (cuda/emulator/ptx.h) at every launch.
#   tests/cuda/ptx.sh TESTS [doctest options…]   TESTS: the program of the CUDA tests
#   ARCHS="75 90"   the architectures to compile for (default: 75; "all": all that nvcc knows)
# Prints "skipped" if there is no nvcc.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
[[ $# -ge 1 && -x $1 ]] || {
  echo "usage: tests/cuda/ptx.sh TESTS [doctest options…]" >&2
  exit 2
}
nvcc=${NVCC:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
[[ -x $nvcc ]] || {
  echo "skipped: no nvcc (the CUDA toolkit's compiler) on this machine"
  exit 77
}
archs=${ARCHS:-75}
[[ $archs != all ]] ||
  archs=$("$nvcc" --list-gpu-arch | sed -n 's/^compute_//p' | sort -n | paste -sd ' ')

# Left out are
#   - kernels that break rules, which are there for g++ only;
#   - intrinsics that NVIDIA's headers write as inline PTX, in blocks with registers of their own;
#   - kernels with a half or a bfloat16 in their name, which NVIDIA's headers name differently;
#   - what needs sm_80;
#   - gradients by finite differences, which run the same kernels for minutes. Their values and
#     gradients are compared with the CPU's anyway.
leave_out_files='*test_emulator_reports.cu,*test_emulator_refusals.cu,*test_emulator_intrinsics.cu'
leave_out_cases='*by differences*,emulator: arithmetic in half*,emulator: vector types*'
leave_out_cases+=',emulator: reductions of a warp*'
leave_out=(-sfe="$leave_out_files" -tce="$leave_out_cases")

# What the tests launch: the kernels of the library and of the tests themselves.
mapfile -t sources < <(printf '%s\n' cuda/*.cu tests/cuda/test_*.cu |
  grep -vE 'test_emulator_(refusals|intrinsics)')
# shellcheck disable=SC2317  # xargs calls it
compile() { # architecture, source; prints the name of the PTX file
  local out
  out=${BUILD:-build}/ptx/$1/$(basename "$2" .cu).ptx
  mkdir -p "$(dirname "$out")"
  if [[ ! -e $out ]] || [[ -n $(find "$2" cuda tests/cuda tensor -newer "$out" \
    \( -name '*.h' -o -path "$2" \)) ]]; then
    nice -n 10 "$nvcc" -std=c++20 -I. --expt-relaxed-constexpr -arch="compute_$1" -ptx "$2" \
      -o "$out" || { rm -f "$out"; return 1; }
  fi
  echo "$out"
}
export -f compile
export nvcc

status=0
for arch in $archs; do
  files=$(printf '%s\n' "${sources[@]}" | xargs -P 2 -I{} bash -c 'compile "$@"' _ "$arch" {}) ||
    { echo "FAIL  compute_$arch: nvcc does not compile every file to PTX"; status=1; continue; }
  list=$(sort <<<"$files" | paste -sd :)
  # A program that ignores GRADUS_CUDA_PTX would pass without running any PTX. But if it knows the
  # variable, a missing file is an error.
  if GRADUS_CUDA_PTX=/nowhere.ptx "$1" -tc='ptx: code that g++ does not see' >/dev/null 2>&1; then
    echo "FAIL  $1 does not interpret PTX: it passes although the file does not exist"
    exit 1
  fi
  if GRADUS_CUDA_PTX=$list "$@" "${leave_out[@]}"; then
    echo "ok    the tests pass on nvcc's PTX for compute_$arch"
  else
    echo "FAIL  the tests on nvcc's PTX for compute_$arch"
    status=1
  fi
done
exit $status
