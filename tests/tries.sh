#!/usr/bin/env bash
# What the lessons and pages tell the reader to try can be tried. Between backticks in the opening
# comment of an example are options (`--rate 30`): it runs with them, and --fast, to its end. The
# pages' commands that name a program run, too, and make knows the goals of the others.
#   tests/tries.sh [EXAMPLE…]   only what these lessons say
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
source tests/findings.sh
build=$PWD/${BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ln -s "$PWD/examples" "$work/examples" # for options that name a file
# The topic that a page shows how to add.
mkdir -p "$work/my_world/en"
sed -nE '/^    # planets/,/^    follow/s/^    //p' examples/data/world/README.md |
  sed -E 's/([^ ]) {3,}.*/\1/; /^follow/d' >"$work/my_world/en/planets.txt"
sed -nE 's/^ {7}(planet,|Mars|Venus)/\1/p' examples/data/world/README.md \
  >"$work/my_world/en/planets.csv"
tried=0

try() { # the page or lesson, a command line as a reader would type it after build/bin/
  tried=$((tried + 1))
  (cd "$work" && eval "timeout 120 $build/bin/$2") >"$work/log" 2>&1 </dev/null && return
  complain "$1 tells the reader to try \`$2\`, which fails:"
  tail -n 5 "$work/log"
}
# shellcheck disable=SC2016
between_backticks() { grep -oE '`[^`]+`' | tr -d '`'; }
opening() { # of an example, as one line
  sed -nE '/^\/\//!q; s/^\/\/ *//; p' "$1" | tr '\n' ' '
}

lessons=("${@:-}")
[[ $# -gt 0 ]] || mapfile -t lessons < <(cd examples && printf '%s\n' [0-9]*.cpp)
for lesson in "${lessons[@]%.cpp}"; do
  while read -r options; do
    try "examples/$lesson.cpp" "$lesson --fast $options"
  done < <(opening "examples/$lesson.cpp" | between_backticks | grep '^--')
done

[[ $# -eq 0 ]] || { conclude; exit; }
commands() { # of a page: in code and between backticks, without the comments that follow them
  { between_backticks <"$1"; sed -nE 's/^    (\$ )?([a-zA-Z])/\2/p' "$1"; } |
    sed -E 's/ +(#|&&) .*//; s/ {2,}.*//' | grep -E "$2"
}
mapfile -t pages < <(find . -name '*.md' -not -path './build/*' -not -path './out/*')
for page in "${pages[@]}"; do
  while read -r command; do
    try "$page" "$command --fast"
  done < <(commands "$page" '^build/bin/[0-9]' | sed 's|^build/bin/||; s/ --fast//')
done
while read -r command; do
  tried=$((tried + 1))
  eval "MAKEFLAGS= $command -n" >"$work/log" 2>&1 || {
    complain "a page tells the reader to run \`$command\`, which make does not know:"
    tail -n 5 "$work/log"
  }
done < <(
  for page in "${pages[@]}"; do commands "$page" '^([A-Z_]+=[^ ]+ )*make( |$)'; done | sort -u
)

echo "$tried tried"
conclude
