#!/bin/bash
# `melange lint` on build files and on packages.
# Row N07 of melange-build 10.
set -euo pipefail
# shellcheck source=melange/tests/cli/lib.sh
. "$SRC/melange/tests/cli/lib.sh"
mkdir -p packages
sum=$(printf x | sha256sum | cut -d' ' -f1)

cat >good.yaml <<EOF
package:
  name: good
  version: "1.2.3"
  epoch: 0
  description: fine
  copyright:
    - license: MIT
vars: {used: x}
pipeline:
  - uses: fetch
    with: {uri: "https://example.test/\${{package.version}}-\${{vars.used}}", expected-sha256: $sum}
  - uses: git-checkout
    with: {repository: "https://example.test/r", tag: "v\${{package.version}}", expected-commit: 0123456789abcdef0123456789abcdef01234567}
EOF
works good "$melange" lint good.yaml
[ -s good.out ] && fail "good: something was said: $(cat good.out)"

# finds NAME SEVERITY RULE LINE:COL MESSAGE: the file on stdin has this finding, and no other
finds() {
	local name=$1 severity=$2 rule=$3 place=$4 message=$5 status=0
	cat >"$name.yaml"
	"$melange" lint "$name.yaml" >"$name.out" 2>"$name.err" || status=$?
	grep -qF -- "$name.yaml:$place: $severity: $message" "$name.out" || fail "$name: $(cat "$name.out" "$name.err")"
	grep -qF "[$rule]" "$name.out" || fail "$name: not the rule $rule"
	[ "$(grep -c "^$name.yaml:" "$name.out")" = 1 ] || fail "$name: more was found: $(cat "$name.out")"
	[ "$(grep -c '^ *^' "$name.out")" = 1 ] || fail "$name: no caret"
	if [ "$severity" = error ]; then [ $status = 1 ]; else [ $status = 0 ]; fi || fail "$name: exit $status"
	"$melange" lint --json "$name.yaml" >"$name.json" 2>/dev/null || true
	jq -e --arg m "$message" --arg s "$severity" --arg r "$rule" \
		--arg p "$place" '.severity==$s and .rule==$r and (.message|startswith($m)) and "\(.line):\(.column)"==$p' "$name.json" >/dev/null ||
		fail "$name: $(cat "$name.json")"
	"$melange" lint --strict "$name.yaml" >/dev/null 2>&1 && fail "$name: --strict passes"
	return 0
}
head='package: {name: p, version: "1.2.3", epoch: 0, description: d, copyright: [{license: MIT}]}'
finds description warning description 1:10 'package.description is missing' <<<'package: {name: p, version: 1, copyright: [{license: MIT}]}'
finds copyright warning copyright 1:10 'package.copyright is missing' <<<'package: {name: p, version: 1, description: d}'
finds license warning license 1:80 '"My Own" is no SPDX expression: SBOMs will say LicenseRef-My-Own' \
	<<<'package: {name: p, version: 1, epoch: 0, description: d, copyright: [{license: My Own}]}'
finds repeated warning repeated 2:40 '"a" stands twice in environment.contents.packages' <<<"$head
environment: {contents: {packages: [a, a]}}"
finds unused warning unused 2:8 'variable "v" is not used' <<<"$head
vars: {v: 1}"
finds unusedto warning unused 2:97 'variable "t" is made but not used' <<<"$head
var-transforms: [{from: \"\${{package.version}}\", match: \"^(.*)\$\", replace: \"\$1aaaaaaaaaaaa\", to: t}]"
finds unuseddata warning unused 2:15 'no subpackage ranges over "d"' <<<"$head
data: [{name: d, items: {a: b}}]"
finds checks error checks 3:37 'unknown linter: "nope"' <<<"$head
subpackages:
  - {name: s, checks: {disabled: [  nope]}, description: d, dependencies: {runtime: [p]}}"
finds trigger warning scriptlet 2:37 'a trigger without paths never runs' <<<"${head%\}}, scriptlets: {
                           trigger: {script: \"#!/bin/sh\"}}}"
finds shebang warning scriptlet 2:42 'the script does not begin with #!' <<<"${head%\}}, scriptlets: {
                           post-install: echo}}"
finds subempty warning empty 2:15 'the subpackage has neither' <<<"$head
subpackages: [{name: s, description: d}]"
finds subdesc warning description 2:15 'the subpackage has no description' <<<"$head
subpackages: [{name: s, dependencies: {runtime: [p]}}]"
finds idle warning empty 2:12 'the step does nothing' <<<"$head
pipeline: [{name: x}]"
finds nosum error checksum 2:12 'fetch needs expected-sha256 or expected-sha512' <<<"$head
pipeline: [{uses: fetch, with: {uri: \"https://e.test/x\"}}]"
finds baduri error uri 2:38 '"e.test/x" is not a URL that fetch can get' <<<"$head
pipeline: [{uses: fetch, with: {uri: \"e.test/x\", expected-sha256: $sum}}]"
finds plainuri warning uri 2:38 'neither the connection nor a sum protects this file' <<<"$head
pipeline: [{uses: fetch, with: {uri: \"http://e.test/x\", expected-none: true}}]"
finds written warning version 2:38 'the version is written out' <<<"$head
pipeline: [{uses: fetch, with: {uri: \"https://e.test/x-1.2.3.tar\", expected-sha256: $sum}}]"
finds nocommit warning commit 2:12 'git-checkout without expected-commit' <<<"$head
pipeline: [{uses: git-checkout, with: {repository: r, branch: b}}]"
finds tagbranch error commit 2:63 'a tag and a branch exclude each other' <<<"$head
pipeline: [{uses: git-checkout, with: {repository: r, branch: b, tag: t, expected-commit: 0123456789abcdef0123456789abcdef01234567}}]"

# what does not load or compile is a finding of its place; once, though two architectures say it
printf '%s\nnope: 1\npipeline: [{uses: none}]\n' "$head" >load.yaml
"$melange" lint load.yaml >load.out 2>load.err && fail 'load: passes'
grep -q '^load.yaml:2:1: unknown key "nope"' load.out || fail "load: $(cat load.out)"
grep -q '1 problem in 1 file' load.err || fail "load: $(cat load.err)"
printf '%s\npipeline: [{uses: none}, {runs: "$%s"}]\n' "$head" '{{x.y}}' >compile.yaml
"$melange" lint compile.yaml --json >compile.out 2>/dev/null && fail 'compile: passes'
[ "$(jq -r '"\(.line):\(.column) \(.rule)"' compile.out)" = $'2:19 compile\n2:34 compile' ] || fail "compile: $(cat compile.out)"
: >empty.yaml
"$melange" lint empty.yaml >empty.out 2>&1 && fail 'empty: passes'
grep -q 'empty.yaml:1:1: empty configuration' empty.out || fail "empty: $(cat empty.out)"

# several files and directories, in order
mkdir -p d
cp good.yaml d/b.yaml
cp description.yaml d/a.yaml
works many "$melange" lint d good.yaml
grep -q '^d/a.yaml:1:10: warning' many.out || fail "many: $(cat many.out)"
refused gone "none.yaml.*No such file" "$melange" lint none.yaml good.yaml

# packages
cat >pkg.yaml <<'EOF'
package: {name: pkg, version: 1, epoch: 0, checks: {disabled: [dev]}}
pipeline:
  - runs: |
      mkdir -p "${{targets.destdir}}/dev" "${{targets.destdir}}/opt"
      echo x >"${{targets.destdir}}/dev/x"
      echo x >"${{targets.destdir}}/opt/x"
subpackages:
  - name: sub
    pipeline:
      - runs: mkdir -p "${{targets.subpkgdir}}/srv"; echo x >"${{targets.subpkgdir}}/srv/x"
EOF
works build "$melange" build pkg.yaml --rootfs / --arch host
arch=$(ls packages)
works apk "$melange" lint "packages/$arch/pkg-1-r0.apk"
grep -q '\[dev\]' apk.out || fail 'N07: the check that the build file turned into a warning is not there'
grep -q '\[opt\]' apk.out || fail 'N07: no warning of opt'
refused required 'linter "opt" failed' "$melange" lint "packages/$arch/pkg-1-r0.apk" --lint-require opt
refused both '1 of 2 packages have problems' "$melange" lint "packages/$arch/pkg-1-r0.apk" "packages/$arch/sub-1-r0.apk" --lint-require srv
refused unknown 'unknown linter: "nope"' "$melange" lint "packages/$arch/pkg-1-r0.apk" --lint-require nope
works persist "$melange" lint "packages/$arch/pkg-1-r0.apk" --persist-lint-results --out-dir res
jq -e '.package_name=="pkg-1-r0" and (.findings|has("opt"))' "res/$arch/lint-pkg-1-r0.json" >/dev/null || fail 'persist'
printf 'no package' >bad.apk
refused notapk "bad.apk" "$melange" lint bad.apk
finish
