#!/bin/bash
# Build files that must be refused: each with exactly the message of its .err file beside it.
# UPDATE=1 writes those files anew.
set -euo pipefail
melange=$BIN/melange
cd "$SRC/testdata/config/bad"
out=$(mktemp) err=$(mktemp)
trap 'rm -f "$out" "$err"' EXIT
bad=0
say() {
	echo "$1"
	bad=$((bad + 1))
}
rows=0
while IFS=$'\t' read -r name args wants; do
	case $name in \#*) continue ;; esac
	[ "$args" != - ] || args=
	rows=$((rows + 1))
	status=0
	# shellcheck disable=SC2086 # a list of arguments
	timeout 20 "$melange" --log-level error compile "$name.yaml" --arch x86_64 --pipeline-dir d \
		--git-commit unknown $args >"$out" 2>"$err" || status=$?
	[ "$status" = 1 ] || say "$name: exit status $status"
	[ ! -s "$out" ] || say "$name: something on standard output"
	sed -i -E 's/^[0-9/]+ [0-9:]+ //' "$err"
	[ -z "${UPDATE-}" ] || cp "$err" "$name.err"
	diff -u "$name.err" "$err" || say "$name: another message"
	while IFS= read -r want; do
		[ -z "$want" ] || grep -qF -e "$want" "$err" || say "$name: does not say: $want"
	done < <(tr '\t' '\n' <<<"$wants")
done <rows.tsv
[ "$rows" -gt 60 ] || say "only $rows rows"
[ $bad = 0 ] || { echo "$bad problems"; exit 1; }
echo "$rows files refused as recorded"
