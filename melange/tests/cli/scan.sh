#!/bin/bash
# `melange scan`: the texts of built packages from the build file, and what changed since.
# Rows R02 and R03 of melange-build 10.
set -euo pipefail
# shellcheck source=melange/tests/cli/lib.sh
. "$SRC/melange/tests/cli/lib.sh"

arch=$(uname -m)
scan=("$melange" scan --arch host --namespace example)
works key "$melange" keygen local.rsa --key-size 2048
cat >two.yaml <<'Y'
package:
  name: two
  version: 1.0
  epoch: 2
  description: two packages
  copyright: [{license: MIT}, {license: ISC}]
  dependencies: {runtime: [dep-a], provides: ["shape=${{package.version}}"], replaces: [old]}
vars: {part: data}
pipeline:
  - runs: |
      mkdir -p ${{targets.destdir}}/usr/bin
      printf '#!/usr/bin/perl\n' >${{targets.destdir}}/usr/bin/x
      chmod 755 ${{targets.destdir}}/usr/bin/x
subpackages:
  - name: two-${{vars.part}}
    description: of the other
    dependencies: {runtime: ["two=${{package.full-version}}"]}
    pipeline:
      - runs: mkdir -p ${{targets.subpkgdir}}/usr/share && echo data >${{targets.subpkgdir}}/usr/share/data
  - name: two-none
    if: ${{build.arch}} == 'none'
Y
works build "$melange" build two.yaml --arch host --rootfs / --no-network --empty-workspace \
	--signing-key local.rsa --git-commit 0123456789012345678901234567890123456789 \
	--git-repo-url https://example.org/x --license MIT --namespace example
for p in two-data two; do
	tar xzOf "packages/$arch/$p-1.0-r2.apk" .PKGINFO 2>/dev/null
done >both.info
tar xzOf "packages/$arch/two-data-1.0-r2.apk" .PKGINFO >data.info 2>/dev/null

# scans NAME STATUS EXPECTED-STDOUT COMMAND...
scans() {
	local name=$1 want=$2 expected=$3 status=0
	shift 3
	"$@" >"$name.stdout" 2>"$name.stderr" || status=$?
	[ "$status" = "$want" ] || { fail "$name: exit $status"; cat "$name.stderr" >&2; }
	diff -u "$expected" "$name.stdout" >&2 || fail "$name: differs"
}
says() {
	grep -qF -- "$2" "$1.stderr" || { fail "$1 does not say '$2'"; cat "$1.stderr" >&2; }
}
scans all 0 both.info "${scan[@]}" two.yaml
scans one 0 data.info "${scan[@]}" two.yaml -p two-data
scans signed 0 data.info "${scan[@]}" two.yaml -p two-data -k local.rsa.pub
scans clean 0 /dev/null "${scan[@]}" two.yaml --diff --comments

sed 's/dep-a/dep-b/' two.yaml >changed.yaml
cat >changed.expected <<'D'
diff two-1.0-r2.apk changed.yaml
--- two-1.0-r2.apk
+++ changed.yaml
@@ -11,7 +11,7 @@
 license = MIT
 license = ISC
 depend = cmd:perl
-depend = dep-a
+depend = dep-b
 provides = cmd:x=1.0-r2
 provides = shape=1.0
 replaces = old
D
scans changed 1 changed.expected "${scan[@]}" changed.yaml --diff
says changed 'saw diff for changed.yaml'
scans others-same 0 /dev/null "${scan[@]}" changed.yaml --diff -p two-data

# Options of the package count as well.
sed 's/^\(  dependencies: {runtime: \[dep-a\]\)/  options: {no-commands: true}\n\1/' two.yaml >nocmd.yaml
status=0
"${scan[@]}" nocmd.yaml --diff >nocmd.out 2>nocmd.err || status=$?
[ "$status" = 1 ] || fail "nocmd: exit $status"
grep -qx -- '-provides = cmd:x=1.0-r2' nocmd.out || fail 'nocmd: no difference'

mkdir -p old/"$arch"
cp packages/"$arch"/*.apk old/"$arch"
# From a web server, which may lack a subpackage but not the origin.
: >server.out
python3 -u -m http.server --bind 127.0.0.1 --directory old 0 >>server.out 2>&1 &
server=$!
trap 'kill $server' EXIT
for _ in $(seq 100); do
	port=$(sed -n 's/.* port \([0-9]*\).*/\1/p' server.out)
	[ -z "$port" ] || break
	sleep 0.1
done
scans web 0 both.info "${scan[@]}" two.yaml -r "http://127.0.0.1:$port"
rm old/"$arch"/two-data-1.0-r2.apk
tail -n +"$(($(wc -l <data.info) + 1))" both.info >two.info
scans web-less 0 two.info "${scan[@]}" two.yaml -r "http://127.0.0.1:$port"
says web-less two-data-1.0-r2.apk
scans local-less 1 /dev/null "${scan[@]}" two.yaml -r old
says local-less "there is no package 'old/$arch/two-data-1.0-r2.apk'"
rm old/"$arch"/two-1.0-r2.apk
scans web-none 1 /dev/null "${scan[@]}" two.yaml -r "http://127.0.0.1:$port"
says web-none two-1.0-r2.apk

# What is wrong with the command line, the build file or a package.
sed 's/version: 1.0/version: 1.1/' two.yaml >newer.yaml
refused newer "there is no package './packages/$arch/two-1.1-r2.apk'" "${scan[@]}" newer.yaml
refused no-file "none.yaml" "${scan[@]}" none.yaml
refused no-package "two.yaml makes no package 'three'" "${scan[@]}" two.yaml -p three
refused bad-arch "unknown architecture 'vax'" "$melange" scan two.yaml --arch vax
refused no-key "none.pub" "${scan[@]}" two.yaml -k none.pub
works other "$melange" keygen other.rsa --key-size 2048
mkdir wrong
cp other.rsa.pub wrong/local.rsa.pub
refused wrong-key "two-1.0-r2.apk.*did not sign" env XDG_CACHE_HOME="$work/cache2" "${scan[@]}" two.yaml -k wrong/local.rsa.pub
printf 'no package\n' >old/"$arch"/two-1.0-r2.apk
cp packages/"$arch"/two-data-1.0-r2.apk old/"$arch"
refused not-a-package "two-1.0-r2.apk" "${scan[@]}" two.yaml -r old
head -c 900 packages/"$arch"/two-1.0-r2.apk >old/"$arch"/two-1.0-r2.apk
refused cut "two-1.0-r2.apk" "${scan[@]}" two.yaml -r old
rm old/"$arch"/two-1.0-r2.apk
mkfifo old/"$arch"/two-1.0-r2.apk
refused fifo "not a regular file" "${scan[@]}" two.yaml -r old
finish
