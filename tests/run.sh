#!/usr/bin/env bash
# What `make test` runs: the test program, then every tests/test_*.sh; at the end, what became of
# each. Arguments go to the test program (-tc=… chooses cases) and leave the scripts out.
# Under SANITIZE the scripts are left out too: they test the installation and the linter.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
build=${BUILD:-build}
summary=
failed=0

run() { # name, command…
  local name=$1 begin=$SECONDS verdict=passed
  shift
  echo "== $name"
  "$@" || { verdict=FAILED; failed=$((failed + 1)); }
  summary+=$(printf '  %-18s %s  (%d s)' "$name" "$verdict" $((SECONDS - begin)))$'\n'
}

run "unit tests" "$build/bin/tests" "$@"
if [[ $# -eq 0 && -z ${SANITIZE:-} ]]; then
  for script in tests/test_*.sh; do
    [[ ! -e $script ]] || run "$(basename "$script" .sh)" "$script"
  done
fi

printf '\n%s' "$summary"
[[ $failed -eq 0 ]] || { echo "$failed of these failed"; exit 1; }
