# For the test scripts, which source it: they say everything that is wrong, and fail at the end.
# shellcheck shell=bash
failed=0
complain() {
  echo "$*"
  failed=$((failed + 1))
}
conclude() {
  echo "$(basename "$0" .sh): $failed findings"
  [[ $failed -eq 0 ]]
}
