#!/usr/bin/env bash
# What `make test` runs: the test program; the CUDA tests, on the emulator or, with CUDA=1, on a GPU;
# then every tests/test_*.sh; at the end, what became of each. Arguments go to the test programs
# (-tc=… chooses cases) and leave the scripts out. Under SANITIZE the scripts are left out too: they
# test the installation and the linter.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
export BUILD=${BUILD:-build}
bin=$BUILD/bin
summary=
failed=0

run() { # name, command…
  local name=$1 begin=$SECONDS verdict=passed status
  shift
  echo "== $name"
  "$@"
  status=$?
  case $status in
    0) ;;
    77) verdict=skipped ;;
    *) verdict=FAILED failed=$((failed + 1)) ;;
  esac
  summary+=$(printf '  %-28s %s  (%d s)' "$name" "$verdict" $((SECONDS - begin)))$'\n'
}

# A machine without a GPU, or a build without its driver, is no failure and no success.
on_gpu() {
  if ! nvidia-smi -L >/dev/null 2>&1; then
    echo "skipped: no GPU"
    return 77
  fi
  "$@"
}

run "unit tests" "$bin/tests" "$@"
if [[ -n ${CUDA:-} ]]; then
  run "CUDA, on the GPU" on_gpu "$bin/cuda_tests_nvcc" "$@"
elif [[ -z ${SANITIZE:-} ]]; then
  run "CUDA, emulated" "$bin/cuda_tests_plain" "$@"
  run "CUDA, emulated and checked" "$bin/cuda_tests_checked" "$@"
fi
if [[ $# -eq 0 && -z ${SANITIZE:-} ]]; then
  if [[ -z ${CUDA:-} ]]; then
    run "CUDA, planted bugs" "$bin/bugs_checked" --table "$bin/bugs_plain"
    run "CUDA, puzzles" cuda/puzzles/check.sh
    for script in tests/cuda/*.sh; do
      [[ ! -e $script ]] || run "CUDA, $(basename "$script" .sh)" "$script"
    done
  fi
  for script in tests/test_*.sh; do
    [[ ! -e $script ]] || run "$(basename "$script" .sh)" "$script"
  done
fi

printf '\n%s' "$summary"
[[ $failed -eq 0 ]] || { echo "$failed of these failed"; exit 1; }
