#!/usr/bin/env bash
# gradus from outside: installed into an empty place, found by pkg-config, used by the programs that
# README.md shows, which therefore cannot go stale. What it installs, it also removes.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
compiler=${CXX:-g++}

fail() {
  echo "test_install: $*"
  exit 1
}
# The make above us may have lent its jobs to this script; they are not ours to use.
MAKEFLAGS=$(sed -E 's/--jobserver[^ ]*//g; s/(^| )-j[0-9]*//g' <<<"${MAKEFLAGS-}")
export MAKEFLAGS
make_quietly() { make -s "$@" >"$place/make.log" 2>&1 || { cat "$place/make.log"; fail "make $* failed"; }; }
# The n-th C++ program of README.md.
program() { awk -v want="$1" '/^```cpp/ { n++; on = n == want; next } /^```/ { on = 0 } on' README.md; }

make_quietly install PREFIX="$place/opt"
export PKG_CONFIG_PATH=$place/opt/lib/pkgconfig
flags=$(pkg-config --cflags gradus) || fail "pkg-config does not find gradus"
libs=$(pkg-config --libs gradus) || fail "pkg-config does not find what gradus needs"
[[ $flags == *-std=c++20* && $flags == *-fopenmp* && $flags == *"-I$place/opt/include/gradus"* ]] ||
  fail "the flags are $flags"

build() { # name: compiles $place/name.cpp as somebody would who has nothing but the installed files
  # shellcheck disable=SC2086
  (cd "$place" && $compiler $flags -Wall -Wextra "$1.cpp" $libs -o "$1") || fail "$1.cpp does not build"
}

# 1. The first program: it learns.
program 1 >"$place/first.cpp"
build first
"$place/first" >"$place/first.out" || fail "the first program of README.md failed"
awk '/loss/ { if (!n++) first = $NF; last = $NF } END { exit !(n >= 2 && last < first / 100) }' "$place/first.out" ||
  { cat "$place/first.out"; fail "the first program of README.md does not learn"; }

# 2. An op of one's own: gradcheck calls it right, and finds it out when its derivative is wrong.
program 2 >"$place/own.cpp"
build own
[[ $("$place/own") == right ]] || { "$place/own"; fail "README.md's own op is not right"; }
sed 's/square(1.0 - abs(y))/(1.0 - abs(y))/' "$place/own.cpp" >"$place/wrong.cpp"
! cmp -s "$place/own.cpp" "$place/wrong.cpp" || fail "README.md's own op changed: plant another mistake here"
build wrong
said=$("$place/wrong")
for page in README.md README.zh-CN.md; do
  grep -qF -- "    $said" "$page" || { echo "$said"; fail "$page shows another message of gradcheck"; }
done

# 3. Every header works by itself: in any order, and without the source tree.
(cd "$place/opt/include/gradus" && find . -name '*.h' | sed 's|^\./||' | sort -r | sed 's/.*/#include "&"/') >"$place/headers.cpp"
[[ $(wc -l <"$place/headers.cpp") -gt 20 ]] || fail "there are hardly any headers"
echo 'int main() {}' >>"$place/headers.cpp"
build headers

# 4. A package is built elsewhere than where it will stand; and uninstalling leaves no file.
make_quietly install DESTDIR="$place/stage" PREFIX=/usr
grep -q '^prefix=/usr$' "$place/stage/usr/lib/pkgconfig/gradus.pc" || fail "DESTDIR got into gradus.pc"
make_quietly uninstall DESTDIR="$place/stage" PREFIX=/usr
make_quietly uninstall PREFIX="$place/opt"
left=$(find "$place/stage" "$place/opt" -type f)
[[ -z $left ]] || fail "uninstall left $left"

# 5. make cannot keep a path with a space together, and says so before anything is written or removed.
for goal in install uninstall; do
  make -s "$goal" PREFIX="$place/in st" >"$place/make.log" 2>&1 && fail "make $goal takes a PREFIX with a space"
  grep -q 'PREFIX has a space' "$place/make.log" || { cat "$place/make.log"; fail "make $goal says nothing of the space"; }
done
[[ ! -e $place/in && ! -e "$place/in st" ]] || fail "a PREFIX with a space left something behind"

echo "test_install: installed, used from outside, and gone again"
