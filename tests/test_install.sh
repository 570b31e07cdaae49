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
make_quietly() {
  make -s "$@" >"$place/make.log" 2>&1 || { cat "$place/make.log"; fail "make $* failed"; }
}
program() { # the n-th C++ program of README.md
  awk -v want="$1" '/^```cpp/ { n++; on = n == want; next } /^```/ { on = 0 } on' README.md
}

make_quietly install PREFIX="$place/opt"
export PKG_CONFIG_PATH=$place/opt/lib/pkgconfig
flags=$(pkg-config --cflags gradus) || fail "pkg-config does not find gradus"
libs=$(pkg-config --libs gradus) || fail "pkg-config does not find what gradus needs"
for flag in -std=c++20 -fopenmp "-I$place/opt/include/gradus"; do
  [[ " $flags " == *" $flag "* ]] || fail "the flags have no $flag: $flags"
done

build() { # name: compiles $place/name.cpp as somebody would who has nothing but the installed files
  # shellcheck disable=SC2086
  (cd "$place" && $compiler $flags -Wall -Wextra "$1.cpp" $libs -o "$1") ||
    fail "$1.cpp does not build"
}

# 1. The first program: it learns.
program 1 >"$place/first.cpp"
build first
"$place/first" >"$place/first.out" || fail "the first program of README.md failed"
awk '/loss/ { if (!n++) first = $NF; last = $NF } END { exit !(n >= 2 && last < first / 100) }' \
  "$place/first.out" ||
  { cat "$place/first.out"; fail "the first program of README.md does not learn"; }

# 2. An op of one's own: gradcheck calls it right, and finds it out when its derivative is wrong.
program 2 >"$place/own.cpp"
build own
[[ $("$place/own") == right ]] || { "$place/own"; fail "README.md's own op is not right"; }
sed 's/square(1.0 - abs(y))/(1.0 - abs(y))/' "$place/own.cpp" >"$place/wrong.cpp"
! cmp -s "$place/own.cpp" "$place/wrong.cpp" ||
  fail "README.md's own op changed: plant another mistake here"
build wrong
said=$("$place/wrong")
for page in README.md README.zh-CN.md; do
  grep -qF -- "    $said" "$page" ||
    { echo "$said"; fail "$page shows another message of gradcheck"; }
done

# 3. A GPT and a tokenizer, from the installed library alone: text goes in, more text comes out.
cat >"$place/gpt.cpp" <<'CPP'
#include <cstdio>
#include "nn/models/gpt.h"
#include "nn/text/bpe.h"
#include "nn/text/sampling.h"
using namespace gradus;

int main() {
  const auto tokenizer = BytePairEncoder::train("to be or not to be", 260);
  const Gpt gpt({.vocabulary = tokenizer.size(), .context = 16, .layers = 1, .heads = 2,
                 .channels = 8});
  const NoGrad guard;
  auto ids = tokenizer.encode("to");
  const size_t given = ids.size();
  while (ids.size() < given + 8) {
    const auto n = static_cast<int64_t>(ids.size());
    ids.push_back(sample(select(gpt(tensor(ids, {1, n})), 1, n - 1), {}));
  }
  std::printf("%zu more tokens, %s\n", ids.size() - given,
              tokenizer.decode(ids).starts_with("to") ? "after the first" : "from nowhere");
}
CPP
build gpt
[[ $("$place/gpt") == "8 more tokens, after the first" ]] || fail "a GPT writes: $("$place/gpt")"

# 4. A processor that lacks what the library was built for is told so, before anything else runs. No
# processor has both AMD's old XOP and AVX-512. The check itself keeps to what every processor has.
built_for=$(pkg-config --variable=built_for gradus)
[[ -n $built_for ]] || fail "gradus.pc does not say for which processor it was built"
if [[ $(uname -m) == x86_64 ]]; then
  echo '#include "nn/text/bpe.h"
        int main() { return gradus::BytePairEncoder().encode("four").size() != 4; }' \
    >"$place/words.cpp"
  build words
  "$place/words" || fail "a tokenizer alone does not work"
  for name in first words; do
    [[ $(nm "$place/$name") == *gradus_check_processor* ]] || fail "$name does not look first"
  done
  (cd "$place" && ar x opt/lib/libgradus.a processor.o) || fail "there is no processor.o"
  ! objdump -d "$place/processor.o" | grep -E '[yz]mm[0-9]|\sv[a-z]+' ||
    fail "the check of the processor needs a better processor itself"
  echo '#include <cstdio>
        int early = std::puts("too late");
        int main() {}' >"$place/lesser.cpp"
  # shellcheck disable=SC2086
  $compiler $flags -I. "$place/lesser.cpp" tensor/processor.cpp -o "$place/lesser" \
    -DGRADUS_BUILT_FOR='"both"' -DGRADUS_NEEDS='NEED("xop") NEED("avx512f")' ||
    fail "tensor/processor.cpp does not compile"
  said=$("$place/lesser" 2>&1) && fail "a lesser processor is good enough"
  [[ $said =~ ^"gradus: it was built for both, but this processor lacks "[a-z0-9,\ ]+"; build it" &&
    $said != *"too late"* ]] || fail "a lesser processor says: $said"
fi

# 5. Every header works by itself: in any order, and without the source tree.
(cd "$place/opt/include/gradus" && find . -name '*.h' -printf '#include "%P"\n' | sort -r) \
  >"$place/headers.cpp"
[[ $(wc -l <"$place/headers.cpp") -gt 20 ]] || fail "there are hardly any headers"
echo 'int main() {}' >>"$place/headers.cpp"
build headers

# 6. A package is built elsewhere than where it will stand; and uninstalling leaves no file.
make_quietly install DESTDIR="$place/stage" PREFIX=/usr
grep -q '^prefix=/usr$' "$place/stage/usr/lib/pkgconfig/gradus.pc" ||
  fail "DESTDIR got into gradus.pc"
make_quietly uninstall DESTDIR="$place/stage" PREFIX=/usr
make_quietly uninstall PREFIX="$place/opt"
left=$(find "$place/stage" "$place/opt" -type f)
[[ -z $left ]] || fail "uninstall left $left"

# 7. A path with a space is refused before anything is written or removed.
for goal in install uninstall; do
  make -s "$goal" PREFIX="$place/in st" >"$place/make.log" 2>&1 &&
    fail "make $goal takes a PREFIX with a space"
  grep -q 'PREFIX has a space' "$place/make.log" ||
    { cat "$place/make.log"; fail "make $goal says nothing of the space"; }
done
[[ ! -e $place/in && ! -e "$place/in st" ]] || fail "a PREFIX with a space left something"

echo "test_install: installed, used from outside, and gone again"
