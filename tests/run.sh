#!/usr/bin/env bash
# What `make test` runs: the test program; the CUDA tests, on the emulator or, with CUDA=1, on a
# GPU; then every tests/test_*.sh; at the end, what became of each. Arguments go to the test
# programs (-tc=… chooses cases) and leave the scripts out. SANITIZE leaves them out, too: they test
# the installation, the Makefile and the linter. The emulator uses one thread, so the two
# longest runs, the checked one and that on nvcc's PTX, go on beside the others.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
export BUILD=${BUILD:-build}
bin=$BUILD/bin
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-passive} # a thread that spins slows down its neighbours
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

# clang instruments other places: it reports the planted bugs, but in other words than these tests
# expect.
checked() {
  if [[ $(${CXX:-g++} --version) == *clang* ]]; then # CXX may be "ccache clang++"
    echo "skipped: the reports of the checker are tested with g++"
    return 77
  fi
  "$bin/cuda_tests_checked" "$@"
}

# Begins now, shows its output when it is waited for.
begin() {
  logs=$(mktemp -d)
  {
    checked "$@" >"$logs/checked" 2>&1
    echo $? >"$logs/checked.status"
    tests/cuda/ptx.sh "$bin/cuda_tests_plain" "$@" >"$logs/ptx" 2>&1
    echo $? >"$logs/ptx.status"
  } &
  beside=$!
  trap '{ pkill -P $beside; kill $beside; } 2>/dev/null; rm -rf "$logs"' EXIT
}
outcome() { # checked or ptx
  until [[ -s $logs/$1.status ]]; do
    kill -0 "$beside" 2>/dev/null || return 1
    sleep 0.2
  done
  cat "$logs/$1"
  return "$(<"$logs/$1.status")"
}

emulate=
[[ -n ${CUDA:-} || -n ${SANITIZE:-} ]] || emulate=yes
[[ -z $emulate ]] || begin "$@"
run "unit tests" "$bin/tests" "$@"
[[ ${CUDA:-} != 1 ]] || run "CUDA, on the GPU" on_gpu "$bin/cuda_tests_nvcc" "$@"
if [[ -n $emulate ]]; then
  run "CUDA, emulated" "$bin/cuda_tests_plain" "$@"
  for order in SCHEDULE=reverse SCHEDULE=random STREAMS=deferred; do
    run "CUDA, $order" env "GRADUS_CUDA_$order" "$bin/cuda_tests_plain" \
      -tce='*cuda ops*,*every length*' "$@"
  done
  run "CUDA, replayed" env GRADUS_CUDA_REPLAY=1 "$bin/cuda_tests_plain" -tc='*emulator*' "$@"
fi
if [[ $# -eq 0 && -z ${SANITIZE:-} ]]; then
  if [[ -n $emulate ]]; then
    run "CUDA, planted bugs" "$bin/bugs_checked" --table "$bin/bugs_plain"
    run "CUDA, puzzles" cuda/puzzles/check.sh
    run "CUDA, make run" tests/cuda/run_file.sh
  fi
  for script in tests/test_*.sh; do
    [[ ! -e $script ]] || run "$(basename "$script" .sh)" "$script"
  done
fi

if [[ -n $emulate ]]; then
  run "CUDA, emulated and checked" outcome checked
  run "CUDA, nvcc's PTX" outcome ptx
  wait "$beside"
  trap 'rm -rf "$logs"' EXIT
fi

printf '\n%s' "$summary"
[[ $failed -eq 0 ]] || { echo "$failed of these failed"; exit 1; }
