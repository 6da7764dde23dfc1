#!/bin/bash
# `melange license-check`: licence files of the sources against package.copyright, and --fix.
# Rows R04 and R05 of melange-build 10.
set -euo pipefail
# shellcheck source=melange/tests/cli/lib.sh
. "$SRC/melange/tests/cli/lib.sh"

mkdir -p packages tree/sub/deep tree/vendor/x tree/node_modules tree/rustc-1.70.0-src tree/melange-out/x
common=/usr/share/common-licenses
cat >isc <<'T'
Permission to use, copy, modify, and/or distribute this software for any
purpose with or without fee is hereby granted, provided that the above
copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS.
T
cp $common/Apache-2.0 tree/LICENSE
cp $common/GPL-2 tree/COPYING
cp isc tree/sub/LICENSE.txt
cp isc tree/sub/deep/LICENSE
for d in vendor/x node_modules rustc-1.70.0-src melange-out/x; do cp $common/MPL-2.0 "tree/$d/LICENSE"; done
echo 'all rights reserved' >tree/LICENSE-own
ln -s /etc/passwd tree/LICENSE.link
mkfifo tree/LICENSE.fifo
head -c 2000000 /dev/zero >tree/LICENSE.zeros

# found NAME EXPECTED-LINES COMMAND...: what its log says of files, in order
found() {
	local name=$1 expected=$2
	shift 2
	works "$name" "$@"
	diff -u <(printf '%s' "${expected:+$expected$'\n'}") <(sed -n 's/.* INFO   \([^ ]*: .*\)/\1/p' "$name.out") >&2 || fail "$name: other files"
}
says() {
	grep -qE -- "$2" "$1.out" || { fail "$1 does not say '$2'"; cat "$1.out" >&2; }
}
shallow='LICENSE: Apache-2.0 (1.000000) (notice)
COPYING: GPL-2.0-only (1.000000) (restricted)
LICENSE-own: NOASSERTION (0.000000 low-confidence) (unknown)
sub/LICENSE.txt: ISC (1.000000) (notice)'
found dir "$shallow" "$melange" license-check tree
says dir 'LICENSE.zeros is left out'
says dir 'could not identify some licenses'
found deep 'LICENSE: Apache-2.0 (1.000000) (notice)
COPYING: GPL-2.0-only (1.000000) (restricted)
LICENSE-own: NOASSERTION (0.000000 low-confidence) (unknown)
sub/deep/LICENSE: ISC (1.000000) (notice)
vendor/x/LICENSE: MPL-2.0 (1.000000) (reciprocal)
sub/LICENSE.txt: ISC (1.000000) (notice)' "$melange" license-check tree --scan-type deep

# file NAME COPYRIGHT-LINES
file() {
	printf '# head\npackage:\n  name: %s\n  version: "1"   # kept\n  epoch: 0\n%s\n  description: behind it\n\npipeline: [{runs: "true"}]\n' \
		"$1" "$2" >"$1.yaml"
}
check() {
	works "$1" "$melange" license-check "$1.yaml" --workdir tree "${@:2}"
}
file right '  copyright:
    - license: Apache-2.0 AND (GPL-2.0-or-later OR ISC)'
check right
says right 'no license differences'
file paths '  copyright:
    - {license: Apache-2.0, license-path: LICENSE}
    - {license: GPL-2.0-only, license-path: COPYING}
    - {license: MIT, license-path: sub/LICENSE.txt, detection-override: ISC}'
check paths
says paths 'no license differences'
file wrong '  copyright:
    - {license: MIT, license-path: LICENSE}   # why
    # of the rest
    - license: "GPL-2.0-only"'
cp wrong.yaml wrong.before
check wrong
says wrong 'LICENSE: configured as MIT, detected as Apache-2.0'
says wrong 'sub/LICENSE.txt: ISC is not among the configured'
says wrong '2 license differences'
cmp wrong.yaml wrong.before >&2 || fail 'a check changed the file'

# fixed NAME EXPECTED-COPYRIGHT FLAGS...
fixed() {
	local name=$1
	cp "$name.yaml" "$name.before"
	check "$name" --fix "${@:3}"
	mv "$name.yaml" "$name.got"
	file "$name" "$2"
	diff -u "$name.yaml" "$name.got" >&2 || fail "$name: fixed otherwise"
	cp "$name.got" "$name.yaml"
	check "$name" --fix "${@:3}"
	cmp "$name.got" "$name.yaml" >&2 || fail "$name: fixed twice"
	works "$name-loads" "$melange" query "$name.yaml" '{{range .Package.Copyright}}{{.License}} {{end}}'
}
flat='    - license: Apache-2.0
      license-path: LICENSE
    - license: GPL-2.0-only
      license-path: COPYING
    - license: ISC
      license-path: sub/LICENSE.txt'
fixed wrong "  copyright:
    # why
    # of the rest
$flat"
file none '  url: https://example.org/ # "x"'
sed -i '/behind it/d' none.yaml
check none --fix
grep -A99 copyright: none.yaml | head -7 >none.got
diff -u <(printf '  copyright:\n%s\n' "$flat") none.got >&2 || fail 'none: fixed otherwise'
file flow '  copyright: [{license: MIT}, {license: "X # y"}] # all'
fixed flow "  copyright:
    # all
$flat"
file simple '  copyright:
    - license: MIT'
fixed simple '  copyright:
    - license: Apache-2.0 AND GPL-2.0-only AND ISC' --format simple
file same '  copyright:
    - license: Apache-2.0 AND GPL-2.0-only AND ISC'
cp same.yaml same.before
chmod 640 same.yaml
check same --fix
says same 'no actionable license differences'
cmp same.yaml same.before >&2 || fail 'a fix without differences changed the file'

# Names that YAML would take for something else.
mkdir odd
cp isc "odd/it's: LICENSE-LICENSE"
cp isc 'odd/#a-LICENSE'
file odd '  copyright: [{license: MIT}]'
works odd "$melange" license-check odd.yaml --workdir odd --fix
works odd2 "$melange" license-check odd.yaml --workdir odd
says odd2 'no license differences'
grep -q "license-path: 'it''s: LICENSE-LICENSE'" odd.yaml || fail 'odd: not quoted'

# Without sources, and with those of the first git-checkout step.
file empty '  copyright: [{license: MIT}]'
found empty '' "$melange" license-check empty.yaml
git init -q repo
cp $common/LGPL-3 repo/COPYING
git -C repo add . && git -C repo -c user.name=x -c user.email=x@example.org commit -qm x
sed "s|^pipeline.*|pipeline: [{uses: git-checkout, with: {repository: file://$work/repo, branch: $(git -C repo branch --show-current), expected-commit: $(git -C repo rev-parse HEAD)}}]|" empty.yaml >git.yaml
mkdir tmp
found git 'COPYING: LGPL-3.0-only (1.000000) (restricted)' env TMPDIR="$work/tmp" "$melange" license-check git.yaml
[ -z "$(ls tmp)" ] || fail 'the checkout was left'

# A package is checked by the build file in it; a build tells the same and goes on.
works build "$melange" build wrong.yaml --arch host --rootfs / --no-network --source-dir tree --git-commit x \
	--git-repo-url https://example.org/x --out-dir built
says build 'INFO   COPYING: GPL-2.0-only'
file other '  copyright: [{license: MIT}]'
works build-other "$melange" build other.yaml --arch host --rootfs / --no-network --source-dir tree --git-commit x \
	--git-repo-url https://example.org/x --out-dir built
says build-other '3 license differences'
works apk "$melange" license-check built/*/other-1-r0.apk --workdir tree
says apk '3 license differences'
found apk-empty '' "$melange" license-check built/*/other-1-r0.apk

refused no-file 'none-such.yaml' "$melange" license-check none-such.yaml
refused no-apk "there is no package 'none.apk'" "$melange" license-check none.apk
refused no-workdir "cannot open the directory 'nowhere'" "$melange" license-check wrong.yaml --workdir nowhere
refused bad-format "--format is 'round'" "$melange" license-check wrong.yaml --format round
refused bad-type "--scan-type is 'wide'" "$melange" license-check wrong.yaml --scan-type wide
refused fix-dir "--fix needs a build file" "$melange" license-check tree --fix
refused fix-apk "--fix needs a build file" "$melange" license-check --fix built/*/other-1-r0.apk
refused no-args 'license-check' "$melange" license-check
printf 'package: {name: f, version: "1", epoch: 0, copyright: [{license: MIT}]}\npipeline: [{runs: "true"}]\n' >oneline.yaml
cp oneline.yaml oneline.before
refused one-line 'oneline.yaml:1:10: .*flow map' "$melange" license-check oneline.yaml --workdir tree --fix
cmp oneline.yaml oneline.before >&2 || fail 'a refused fix changed the file'
sed 's/"1"/"1/' wrong.yaml >broken.yaml
refused broken 'broken.yaml:' "$melange" license-check broken.yaml --workdir tree --fix
if [ "$(id -u)" != 0 ]; then
	file locked '  copyright: [{license: MIT}]'
	mkdir ro
	cp locked.yaml ro/
	chmod 500 ro
	refused read-only 'ro/' "$melange" license-check ro/locked.yaml --workdir odd --fix
	chmod 700 ro
	cmp locked.yaml ro/locked.yaml >&2 || fail 'read-only: the file changed'
fi
finish
