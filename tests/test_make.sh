#!/usr/bin/env bash
# What the Makefile promises: packages are installed before the first file that needs them is
# compiled, by a command that is shown, never by `make -n`; a change builds anew what it must, and
# nothing else. In a copy of the tree, with a compiler that only notes what it is asked for, and
# with an apt-get that brings doctest, which is hidden until then.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
source tests/findings.sh
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
mkdir "$place/bin" "$place/tree"
tar -c --exclude=./build --exclude=./out --exclude=./.git . | tar -x -C "$place/tree"
cd "$place/tree" || exit 1
unset MAKEFLAGS MFLAGS BUILD CUDA SANITIZE TEST

export place real=${CXX:-g++}
cat >"$place/bin/compiler" <<'S'
#!/usr/bin/env bash
case " $* " in
  *" -E -P "*) # which headers are absent?
    cat >/dev/null
    [[ -e $place/doctest ]] || echo '"doctest/doctest.h"'
    exit ;;
  *" -E "* | *" --version "* | *" -### "*) exec $real "$@" ;;
esac
source= object=
while [[ $# -gt 0 ]]; do
  case $1 in
    -o) object=$2; shift ;;
    -c) source=compile ;;
    *.cpp | *.cu) [[ -z $source ]] || source=$1 ;;
  esac
  shift
done
[[ $source != tests/* || -e $place/doctest ]] || { echo "$source: no doctest"; exit 1; }
echo "${source:-link $object}" >>"$place/log"
echo object >"$object"
S
cat >"$place/bin/apt-get" <<'S'
#!/usr/bin/env bash
echo "$*" >>"$place/apt"
[[ $1 != install ]] || touch "$place/doctest"
S
# shellcheck disable=SC2016
printf '#!/bin/sh\necho ${TEST_USER_ID:-0}\n' >"$place/bin/id"
printf '#!/bin/sh\nexit 1\n' >"$place/bin/sudo"
chmod +x "$place/bin/"*
cp "$place/bin/compiler" "$place/bin/nvcc"
export PATH=$place/bin:$PATH NVCC=nvcc

fresh() {
  rm -rf build "$place/doctest"
  : >"$place/log"
  : >"$place/apt"
}
made() { make CXX=compiler "$@" >"$place/out" 2>&1; }
succeeds() { made "$@" || { cat "$place/out"; complain "make $* failed"; }; }
compiled() { grep -c '^[a-z].*\.\(cpp\|cu\)$' "$place/log"; }

# 1. What needs no package asks for none, and -n does nothing.
fresh
for goals in "-n test" "-n bench" "-n doctor deps" help clean uninstall; do
  # shellcheck disable=SC2086
  succeeds $goals DESTDIR="$place/nowhere"
done
[[ ! -s $place/apt ]] || complain "apt-get was called by make -n, help, clean or uninstall"
[[ ! -s $place/log ]] || complain "make -n compiled something"

# 2. Who may not install is told what to install, and nothing else.
fresh
for goal in all build/bin/tests; do
  TEST_USER_ID=1000 made $goal && complain "make $goal goes on without doctest"
  grep -q 'sudo apt-get install doctest-dev' "$place/out" ||
    { cat "$place/out"; complain "make $goal does not say how to install doctest"; }
  ! grep -qE 'compile|error|Error [^1]' "$place/out" ||
    { cat "$place/out"; complain "make $goal says more than what to install"; }
done
[[ ! -s $place/apt && ! -s $place/log ]] || complain "without rights apt-get or the compiler ran"

# 3. Whatever program of tests is asked for, under whatever name: its packages come first.
for goal in build/bin/tests "CUDA=1 build/cuda/bin/cuda_tests_nvcc" build/bin/cuda_tests_plain \
            build/obj/tests/gradcheck.o build/bin/bench_cuda; do
  fresh
  # shellcheck disable=SC2086
  succeeds $goal
  grep -q 'apt-get install .*doctest-dev' "$place/out" ||
    complain "make $goal does not show the command that installs doctest"
  [[ $(wc -l <"$place/apt") -le 2 ]] || complain "make $goal called apt-get more than once"
done

# 4. Twice is once; other flags are everything again; -n looks, and changes nothing.
fresh
succeeds lib
all=$(compiled)
[[ $all -gt 40 ]] || complain "make lib compiled only $all files"
: >"$place/log"
succeeds lib
[[ ! -s $place/log ]] || complain "the second make lib did something"
succeeds -n lib
! grep -q '^echo .compile' "$place/out" || complain "after make lib, make -n would compile"
succeeds -n lib CXXFLAGS=-DOTHER
succeeds lib
[[ ! -s $place/log ]] || complain "make -n with another flag made make compile"
succeeds lib CXXFLAGS=-DOTHER
[[ $(compiled) -eq $all ]] || complain "another flag compiled $(compiled) of $all files"

# 5. A file that went away goes from the archive, and nothing is compiled for that.
succeeds lib
: >"$place/log"
rm nn/models/gpt.cpp
succeeds lib
[[ ! -s $place/log ]] || complain "a file that went away made make compile something"
! ar t build/libgradus.a | grep -qx gpt.o || complain "gpt.o stays in the library"

conclude
