#!/bin/bash
# `compile` of several files and of a directory: a line a file, in order, what fails told by name.
set -euo pipefail
# shellcheck source=melange/tests/cli/lib.sh
. "$SRC/melange/tests/cli/lib.sh"

mkdir many
for n in $(seq -w 40); do
	# shellcheck disable=SC2016 # the file's own substitution
	printf 'package: {name: p%s, version: "%s", epoch: 0}\npipeline:\n  - uses: autoconf/make\n  - runs: echo ${{package.name}}\n' \
		"$n" "$n" >"many/p$n.yaml"
done
echo 'no build file' >many/README
common=(--arch x86_64 --git-commit unknown)
works one "$melange" compile "${common[@]}" many/p07.yaml
works dir "$melange" compile "${common[@]}" many
[ "$(grep -c '^{' dir.out)" = 40 ] || fail 'not a line a file'
jq -r .package.name dir.out | sort -c || fail 'not in order'
cmp -s <(sed -n 7p dir.out) one.out || fail 'a file of many differs from the file alone'
works list "$melange" compile "${common[@]}" many/p03.yaml many/p01.yaml
[ "$(jq -r .package.name list.out | tr '\n' ' ')" = 'p03 p01 ' ] || fail 'not in the order given'
sed -i 's/package.name/package.nmae/' many/p11.yaml
status=0
"$melange" compile "${common[@]}" many >bad.out 2>bad.err || status=$?
[ "$status" = 1 ] || fail "exit $status"
[ "$(wc -l <bad.out)" = 39 ] || fail 'the others are not printed'
grep -q 'many/p11.yaml:4:.*package.nmae' bad.err || fail 'the bad one is not named'
grep -q '1 of 40 files do not compile' bad.err || fail 'no sum'
finish
