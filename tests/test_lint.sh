#!/usr/bin/env bash
# The linter finds what it promises to find: in a tiny tree that keeps every rule, one mistake at a
# time is planted, and the finding must name its file and line.
set -uo pipefail
lint=$(cd "$(dirname "$0")/.." && pwd)/.ci/lint
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0 count=0

cp "$(dirname "$lint")/../.clang-format" "$tree/"
cd "$tree" || exit 1
git init -q . 2>/dev/null # without git the linter looks at every file
mkdir -p tensor/cpu autograd nn optim examples tests
echo 'all:' >Makefile
printf '#pragma once\n#include <fmt/format.h>\n\n#include <vector>\n' >tensor/tensor.h
printf '#include <cblas.h>\n\n#include "tensor/tensor.h"\n' >tensor/cpu/blas.cpp
cat >autograd/ops.h <<'H'
#pragma once
#include "tensor/tensor.h"
Tensor exp(const Tensor& x);  // e^x; dx = g y

/// max(x, 0); dx = g [x > 0].
Tensor relu(const Tensor& x);
H
cat >autograd/ops_elementwise.cpp <<'C'
#include "autograd/ops.h"
Tensor activation(std::string_view op, const Tensor& x) { return record_fused(op, f(x), {x}); }
Tensor exp(const Tensor& x) { return record("exp", raw::exp(x), {}); }
Tensor relu(const Tensor& x) { return activation("relu", x); }
C
echo 'const char* rows[] = {"exp", "relu/negative"};' >tests/op_table.cpp

expect_clean() {
  count=$((count + 1))
  local output
  output=$("$lint" "$tree") && return
  printf '%s\n' "$1: the linter complains about a clean tree:" "$output"
  failed=$((failed + 1))
}
# plant FILE TEXT FINDING: TEXT becomes the file's last line; the linter must fail with FINDING.
plant() {
  count=$((count + 1))
  local kept output status
  kept=$(mktemp)
  [[ ! -e $1 ]] || cp "$1" "$kept"
  mkdir -p "$(dirname "$1")"
  printf '%b\n' "$2" >>"$1"
  output=$("$lint" "$tree" 2>&1)
  status=$?
  if [[ $status -ne 1 ]] || ! grep -qE "^$1:[0-9]+:.*$3" <<<"$output"; then
    echo "planted in $1: $2"
    echo "  expected status 1 and a line $1:…: …$3…; got status $status and"
    printf '%s\n' "$output" | sed 's/^/  /'
    failed=$((failed + 1))
  fi
  if [[ -s $kept ]]; then cp "$kept" "$1"; else rm -f "$1"; fi
  rm -f "$kept"
}

expect_clean "before"
printf '// %s\n' "$(printf '很%.0s' {1..97})" >examples/02.cpp
expect_clean "with a line of 100 columns"
echo 'void f() { backend(Device::CPU).fill(1); }' >tensor/raw_fill.cpp
expect_clean "with a raw operation"
plant tensor/tensor.h '#include "autograd/ops.h"' 'may not include autograd'
plant tensor/tensor.h '#include <cblas.h>' 'may not use <cblas.h>'
plant optim/sgd.cpp '#include "nn/module.h"' 'may not include nn'
plant nn/linear.cpp '#include "tensor/cpu/blas.h"' 'private to tensor/cpu'
plant optim/sgd.cpp 'void f() { backend(Device::CPU).fill(1); }' 'only raw operations'
plant tensor/random.cpp 'Backend& b = backend(Device::CPU);' 'only raw operations'
plant autograd/ops.h '#include <nlohmann/json.hpp>' 'may not use <nlohmann'
plant nn/linear.cpp '#include "module.h"' 'not a path from the root'
plant optim/sgd.cpp '#include "cuda/launch.h"' 'may not include cuda'
plant cuda/loss.cu '#include "nn/loss.h"' 'may not include nn'
plant cuda/loss.cu '#include <fmt/format.h>' 'may not use <fmt'
plant nn/models/gpt.cpp '#include "optim/sgd.h"' 'may not include optim'
plant nn/text/bpe.cpp '#include <zlib.h>' 'may not use <zlib.h>'
plant cuda/emulator/warp.cpp '#include "tensor/view.h"' 'may not include tensor'
plant nn/module.h 'struct Module {};' 'pragma once'
ops=autograd/ops_elementwise.cpp
plant $ops 'Tensor f(const Tensor& x) { return record("exp2", g(x), {}); }' '"exp2" has no row'
plant $ops 'Tensor f() {\n  return record(\n      "exp2", g(x), {});\n}' '"exp2" has no row'
plant $ops 'Tensor f(const Tensor& x) { return activation("silu", x); }' '"silu" has no row'
plant $ops 'Tensor f(const Tensor& x) { return record("exp2", g(x), {}); }' '"exp2" has no comment'
plant Makefile 'FLAGS := -O3 -f''fast-math' 'fast-math'
plant Makefile 'FLAGS := -O''fast' 'fast-math'
plant examples/01.cpp '#pragma GCC optimize("-f''fast-math")' 'fast-math'
plant examples/01.cpp 'const char* data = "/home/''ada/data";' 'path of one machine'
plant examples/01.cpp 'int main() {}  ' 'blanks at the end'
plant examples/01.cpp "// $(printf '很%.0s' {1..98})" '100 columns'
plant Makefile "# $(printf 'x%.0s' {1..99})" '100 columns'
plant examples/01.cpp "$(printf '// %.0s\\n' {1..401})" '40[0-9] lines'
plant notes.txt 'to do' 'not a name of the top level'
plant tests/run.sh '#!/usr/bin/env bash\nif true; then' 'mend the script'
if command -v clang-format >/dev/null; then
  plant examples/01.cpp 'int  main( ) { }' 'clang-format -i'
fi
if command -v shellcheck >/dev/null; then
  # shellcheck disable=SC2016
  plant tests/run.sh '#!/usr/bin/env bash\nrm $1' 'SC2086'
fi
# An op that is declared without a word, among others that are documented.
cp autograd/ops.h .kept
printf 'Tensor exp2(const Tensor& x);\n' >>autograd/ops.h
printf 'const char* more = "exp2";\n' >>tests/op_table.cpp
exp2='Tensor exp2(const Tensor& x) { return record("exp2", g(x), {}); }'
plant $ops "$exp2" '"exp2" has no comment'
printf 'Tensor exp2(const Tensor& x);  // 2^x; dx = g y ln 2\n' >>.kept
mv .kept autograd/ops.h
echo "$exp2" >>$ops
expect_clean "with an op that has everything"

echo "test_lint: $count cases, $failed failed"
[[ $failed -eq 0 ]]
