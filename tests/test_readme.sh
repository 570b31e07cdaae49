#!/usr/bin/env bash
# The READMEs agree with the tree: links lead somewhere, every example has its row, and the Chinese
# page shows the same code as the English one. tests/test_install.sh compiles and runs that code.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
source tests/findings.sh

links() { # page: its links to files, as line:target, without those in code
  awk '/^```/ { code = !code } code || /^    / { $0 = "" } { print }' "$1" |
    grep -noE '(\]\(|src=")[^)"]+' | sed -E 's/(\]\(|src=")//' |
    grep -vE '^[0-9]+:(https?:|#|mailto:)'
}
mapfile -t pages < <(
  find . -name '*.md' -not -path './build/*' -not -path './out/*' -not -path './.git/*' | sort
)
for page in "${pages[@]}"; do
  while IFS=: read -r line link; do
    target=${link%%#*}
    [[ -z $target || -e $(dirname "$page")/$target ]] ||
      complain "$page:$line: there is no $target to link to; mend the link"
  done < <(links "$page")
done

for page in README.md README.zh-CN.md; do
  for source in examples/[0-9]*.cpp; do
    name=$(basename "$source" .cpp)
    grep -q "^| \`$name\`" "$page" ||
      complain "$page: no row for $name in the table of examples; add one"
  done
done

code() { awk '/^```/ { on = !on; print; next } on' "$1"; }
diff <(code README.md) <(code README.zh-CN.md) ||
  complain "README.zh-CN.md: its code differs from README.md's; make them equal"
sections() { grep -c '^## ' "$1"; }
[[ $(sections README.md) -eq $(sections README.zh-CN.md) ]] ||
  complain "README.zh-CN.md: $(sections README.zh-CN.md) sections, but README.md has" \
    "$(sections README.md); add or remove some"

conclude
