#!/usr/bin/env bash
# The CUDA tests once more, with every launch running what nvcc made of the kernel: each .cu file is
# compiled to PTX, which the emulator interprets (cuda/emulator/ptx.h).
#   tests/cuda/ptx.sh TESTS [doctest options…]   TESTS: the program of the CUDA tests
#   ARCHS="75 90"   the architectures to compile for (default: 75; "all": all that nvcc knows)
# Says "skipped" where there is no nvcc.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
[[ $# -ge 1 && -x $1 ]] || { echo "usage: tests/cuda/ptx.sh TESTS [doctest options…]" >&2; exit 2; }
nvcc=${NVCC:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
[[ -x $nvcc ]] || { echo "skipped: no nvcc (the CUDA toolkit's compiler) on this machine"; exit 77; }
archs=${ARCHS:-75}
[[ $archs != all ]] || archs=$("$nvcc" --list-gpu-arch | sed -n 's/^compute_//p' | sort -n | paste -sd ' ')

# Left out: kernels that break rules, and are there for g++ only; intrinsics that NVIDIA's headers write
# as inline PTX, in blocks with registers of their own; those with a half or a bfloat16 in their name, which is another name in NVIDIA's headers; what needs sm_80; and the gradients by finite
# differences: minutes of the same kernels whose values and gradients are compared with the CPU's.
leave_out=(-sfe='*test_emulator_reports.cu,*test_emulator_refusals.cu,*test_emulator_intrinsics.cu'
  -tce='*by differences*,emulator: arithmetic in half*,emulator: vector types*,emulator: reductions of a warp*')

# What the tests launch: the library's kernels, and those that the tests bring along.
mapfile -t sources < <(printf '%s\n' cuda/*.cu tests/cuda/test_*.cu | grep -vE 'test_emulator_(refusals|intrinsics)')
# shellcheck disable=SC2317  # xargs calls it
compile() { # architecture, source: prints the file's name
  local out
  out=${BUILD:-build}/ptx/$1/$(basename "$2" .cu).ptx
  mkdir -p "$(dirname "$out")"
  if [[ ! -e $out || -n $(find "$2" cuda tests/cuda tensor -newer "$out" \( -name '*.h' -o -path "$2" \)) ]]; then
    nice -n 10 "$nvcc" -std=c++20 -I. --expt-relaxed-constexpr -arch="compute_$1" -ptx "$2" -o "$out" ||
      { rm -f "$out"; return 1; }
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
  # The program must know GRADUS_CUDA_PTX, or it would pass without having run any PTX: the planted
  # kernel of test_ptx_kernels.cu gives another result there, and a file that is missing is an error.
  if { GRADUS_CUDA_PTX=/nowhere.ptx "$1" -tc='ptx: code that g++ does not see'; } >/dev/null 2>&1; then
    echo "FAIL  $1 does not interpret PTX: it passes with a file that is not there"
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
