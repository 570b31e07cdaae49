#!/usr/bin/env bash
# `--fast --check` fails where it should. Each line below plants one fault in a copy of an example.
# The faulty program must build, run to its end, and miss a target.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
source tests/findings.sh
build=${BUILD:-build}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export OMP_NUM_THREADS=1 # the faults run side by side
mapfile -t libraries < <(
  pkg-config --cflags --libs openblas fmt zlib libpcre2-8 libedit | xargs -n1
)

# example, what is wrong with it, a command of sed's that must change exactly one line, and the file
# that it changes, if not the example's own
try() {
  local name=$1 fault=$2 change=$3 source=${4:-examples/$1.cpp} here status
  here=$(mktemp -d -p "$work")
  sed -E "$change" "$source" >"$here/faulty.cpp"
  local sources=("$here/faulty.cpp")
  [[ -z ${4:-} ]] || sources+=("examples/$name.cpp")
  if [[ $(diff "$source" "$here/faulty.cpp" | grep -c '^[<>]') -ne 2 ]]; then
    echo "$name, $fault: $change does not change exactly one line; mend it"
    return
  fi
  # shellcheck disable=SC2086  # CXX may be "ccache g++"
  ${CXX:-g++} -std=c++20 -O1 -fopenmp -I. -o "$here/faulty" "${sources[@]}" \
    "$build/libsupport.a" "$build/libgradus.a" "${libraries[@]}" >"$here/log" 2>&1 &&
    "$here/faulty" --fast --check --out "$here" >"$here/log" 2>&1 </dev/null
  status=$?
  if [[ $status -eq 1 ]] && grep -q '^  MISS' "$here/log"; then return; fi
  echo "$name, $fault: no target is missed (exit status $status); raise the target of --fast"
  tail -n 10 "$here/log"
}
fault() {
  while [[ $(jobs -rp | wc -l) -ge $(nproc) ]]; do wait -n; done
  planted=$((planted + 1))
  try "$@" >"$work/$planted.finding" &
}
planted=0

fault 01_logistic_regression "the gradient by hand points uphill" \
  's/= (\(m\.probability\(x\) - y\))/= -1.0 * \1/'
fault 01_logistic_regression "no learning rate" 's/rate = 0\.5,/rate = 0,/'
fault 01_logistic_regression "steps that are too long" 's/rate = 0\.5,/rate = 30,/'
fault 01_logistic_regression "shuffled labels" \
  's/to\((split\.train\.y)/to(index_select(\1, 0, randperm(split.train.size()))/'
fault 02_autograd_graph "contributions are not added" \
  's/input\.gradient \+ passed : passed/passed : passed/'
fault 02_autograd_graph "a local derivative is added, not multiplied" \
  's/here\.gradient \* local/here.gradient + local/'
fault 03_gradient_check "our own op has a wrong derivative" \
  's/return g \/ square\(1 \+ abs\(x\)\)/return g \/ (1 + abs(x))/'
fault 03_gradient_check "a planted mistake is none" 's/(square.*return g \* x)/\1 * 2.0/'
fault 03_gradient_check "central differences over h, not 2 h" 's/central \? 2 \* h : h/h/'
fault 04_mlp "no activation" 's/return tanh\(x\)/return x/'
fault 04_mlp "no learning rate" 's/rate = 0\.02/rate = 0/'
fault 04_mlp "shuffled labels" \
  's/to\(reshape\(data\.y, /to(reshape(index_select(data.y, 0, randperm(data.size())), /'
fault 05_fashion_mnist "no step" 's/^ *optimizer\.step\(\);//'
fault 05_fashion_mnist "no gradient" 's/^ *backward\(loss\);//'
fault 05_fashion_mnist "shuffled labels" \
  's/(= cross_entropy\(model\(x\), )y/\1index_select(y, 0, randperm(y.numel()))/'
fault 06_optimizers "another function than PyTorch's" \
  's/(return .*) \+ 100 \* square/\1 + 10 * square/'
fault 06_optimizers "the network never steps" \
  '/optimizer->lr = /,/result\.loss/s/^ *optimizer->step\(\);//'
fault 06_optimizers "schedules are ignored" 's/^ *optimizer->lr = setup.*//'
fault 06b_next_letter "no step" 's/^ *optimizer\.step\(\);//'
fault 09_self_attention "no positions" \
  's/return tokens\(ids\) \+ positions\.weight/return tokens(ids)/'
fault 09_self_attention "no causal mask" 's/\.causal = mode == Attention::Causal/.causal = false/'
fault 09_self_attention "scores divided by D" \
  's/(transpose\(k, 2, 3\)\) \/) std::sqrt\(/\1 (/'
fault 11_tokenizer "bytes get lost" 's/words\.push_back\(text\.substr\(0, 1\)\)/words.clear()/' \
  nn/text/bpe.cpp
fault 11_tokenizer "another order of merges" 's/pair > other\.pair/pair < other.pair/' \
  nn/text/bpe_trainer.cpp
fault 13_mini_gpt "no step" 's/^ *optimizer\.step\(\);//'
fault 17_chatbot "no step" 's/^ *both\.step\(\);//'
wait

for finding in "$work"/*.finding; do
  [[ ! -s $finding ]] || complain "$(<"$finding")"
done
echo "$planted faults planted"
conclude
