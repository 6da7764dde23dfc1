#!/bin/bash
# `melange rebuild`: packages built again from what they hold are the same to the byte, and what is
# not the same is told.
# Row R01 of melange-build 10.
set -euo pipefail
# shellcheck source=melange/tests/cli/lib.sh
. "$SRC/melange/tests/cli/lib.sh"

arch=$(uname -m)
repo=packages/$arch
here=("$melange" build --arch host --rootfs / --no-network --signing-key local.rsa
	--git-commit 0123456789012345678901234567890123456789)
again=("$melange" rebuild --signing-key local.rsa)
works key "$melange" keygen local.rsa --key-size 2048
works other "$melange" keygen other.rsa --key-size 2048

# A guest of one package, so that the environment is one that gets locked.
cat >toolbox.yaml <<'Y'
package: {name: toolbox, version: 1.35.0, epoch: 0, checks: {disabled: [usrmerge]}}
pipeline:
  - runs: |
      mkdir -p ${{targets.destdir}}/bin
      cp "$(command -v busybox)" ${{targets.destdir}}/bin/busybox
      for n in sh mkdir cat echo; do ln -s busybox ${{targets.destdir}}/bin/$n; done
Y
works toolbox "${here[@]}" --empty-workspace toolbox.yaml
mkdir -p pipelines sources
cat >pipelines/shout.yaml <<'Y'
name: shout
inputs:
  text: {required: true}
runs: |
  echo "${{inputs.text}}!" >"${{targets.destdir}}/shout"
Y
echo from-source >sources/file
cat >pkg.yaml <<'Y'
package:
  name: pkg
  version: "2.0"
  epoch: 7
  description: "built again: from itself"
  copyright: [{license: MIT}]
  dependencies: {runtime: [dep], provider-priority: 3}
  scriptlets: {post-install: "#!/bin/sh\necho $<<package.name>>\n"}
environment:
  contents: {packages: [toolbox]}
  environment: {COLOUR: "red # not a comment"}
vars: {word: say}
options: {loud: {vars: {word: SHOUT}}}
pipeline:
  - runs: |
      # a comment
      mkdir -p ${{targets.destdir}}/usr/share
      cat file >${{targets.destdir}}/usr/share/file   # and another
      echo "$COLOUR $SOURCE_DATE_EPOCH" >${{targets.destdir}}/usr/share/colour
  - uses: shout
    with: {text: "${{vars.word}} it's"}
  - if: ${{build.arch}} == 'none'
    runs: exit 3
subpackages:
  - name: pkg-sub
    description: of the other
    pipeline: [{runs: "mkdir -p ${{targets.subpkgdir}}/opt"}]
  - name: pkg-none
    if: ${{build.arch}} == 'none'
    pipeline: [{runs: exit 3}]
Y
works pkg "$melange" build pkg.yaml --arch host --signing-key local.rsa -r packages -k local.rsa.pub \
	--git-commit 89abcdef --git-repo-url https://github.com/example/pkgs.git --license ISC --namespace Some-Distro \
	--pipeline-dir pipelines --source-dir sources --build-option loud

same() {
	for p in "$repo"/pkg-*.apk; do
		cmp "$p" "$1/$arch/${p##*/}" >&2 || fail "$1: ${p##*/} differs"
	done
}
# The date is the packages' own; linters do not run and no index is made.
works signed env -u SOURCE_DATE_EPOCH "${again[@]}" --source-dir sources "$repo"/pkg-2.0-r7.apk "$repo"/pkg-sub-2.0-r7.apk
same rebuilt-packages
grep -q 'pkg-sub-2.0-r7.apk has been built already' signed.out || fail 'the origin was built twice'
[ ! -e rebuilt-packages/"$arch"/APKINDEX.tar.gz ] || fail 'an index was written'
works from-sub "${again[@]}" --source-dir sources --out-dir sub "$repo"/pkg-sub-2.0-r7.apk
same sub

# Signatures are no difference.
works unsigned "$melange" rebuild --source-dir sources --out-dir unsigned "$repo"/pkg-2.0-r7.apk
works other-key "$melange" rebuild --source-dir sources --signing-key other.rsa --out-dir other "$repo"/pkg-2.0-r7.apk
cmp -s "$repo"/pkg-2.0-r7.apk unsigned/"$arch"/pkg-2.0-r7.apk && fail 'the unsigned package has a signature'

# A stripped origin and a repository that is not on GitHub.
works strip "$melange" build pkg.yaml --arch host -r packages -k local.rsa.pub --out-dir stripped --strip-origin-name \
	--git-commit 89abcdef --git-repo-url https://example.org/a/b --pipeline-dir pipelines --source-dir sources
works stripped "$melange" rebuild --source-dir sources --out-dir stripped2 stripped/"$arch"/pkg-sub-2.0-r7.apk
cmp stripped/"$arch"/pkg-sub-2.0-r7.apk stripped2/"$arch"/pkg-sub-2.0-r7.apk >&2 || fail 'stripped: differs'

# Other sources give another package.
echo changed >sources/file
status=0
"${again[@]}" --source-dir sources --out-dir changed "$repo"/pkg-2.0-r7.apk "$repo"/pkg-sub-2.0-r7.apk >changed.out 2>changed.err || status=$?
[ "$status" = 1 ] || fail "changed: exit $status"
grep -q 'what was built differs' changed.err || fail 'changed: no error'
for line in '^changed: usr/share/file (0 0644 0:0 .* -> 0 0644 0:0 .*)$' '^changed: .PKGINFO (' '^-datahash = ' '^+datahash = ' \
	'^@@ -' '^changed: control and data sections ('; do
	grep -q -- "$line" changed.out || fail "changed: no line '$line'"
done
! grep -q 'pkg-sub-2.0-r7.apk' changed.out || fail 'changed: the subpackage did not change'
works no-diff "${again[@]}" --diff=false --source-dir sources --out-dir changed "$repo"/pkg-2.0-r7.apk
echo more >sources/more
sed 's/  - uses: shout/  - runs: cat more >${{targets.destdir}}\/more\n  - uses: shout/; s/echo "$COLOUR/echo "blue/' pkg.yaml >pkg2.yaml
works pkg2 "$melange" build pkg2.yaml --arch host -r packages -k local.rsa.pub --out-dir second \
	--git-commit 89abcdef --git-repo-url https://github.com/example/pkgs.git --pipeline-dir pipelines --source-dir sources
rm sources/more
refused step-fails "step .* failed" "$melange" rebuild --source-dir sources --out-dir third second/"$arch"/pkg-2.0-r7.apk
[ -z "$(ls third/"$arch")" ] || fail 'a failed build left something'

# Packages that do not hold what it takes.
# forged NAME EDIT...: the package with its control section changed in its directory c, data in d
forged() {
	local name=$1
	shift
	rm -rf c d forged
	mkdir c d forged
	tar xzf unsigned/"$arch"/pkg-2.0-r7.apk -C d 2>/dev/null
	mv d/.PKGINFO d/.melange.yaml d/.post-install c
	"$@"
	tar c --sort=name --owner=0 --group=0 --numeric-owner -C d . | sed 's/\.\/$//' | gzip -n >data.gz
	sed -i "s/^datahash = .*/datahash = $(sha256sum data.gz | cut -d' ' -f1)/" c/.PKGINFO
	(cd c && find . -type f -printf '%P\n' | sort | tar c --owner=0 --group=0 --numeric-owner -T -) >control.tar
	head -c "$(($(wc -c <control.tar) / 512 * 512))" control.tar | python3 -c '
import sys
data = sys.stdin.buffer.read()
while data.endswith(bytes(512)):
    data = data[:-512]
sys.stdout.buffer.write(data)' | gzip -n >control.gz
	cat control.gz data.gz >"$name.apk"
}
forged no-yaml rm c/.melange.yaml
refused no-yaml "no-yaml.apk': 'pkg-2.0-r7' holds no .melange.yaml" "${again[@]}" no-yaml.apk
forged no-sbom rm -r d/var
refused no-sbom "no-sbom.apk': 'pkg-2.0-r7' holds no SBOM" "${again[@]}" no-sbom.apk
forged bad-sbom sed -i 's/"packages"/"package"/' d/var/lib/db/sbom/pkg-2.0-r7.spdx.json
refused bad-sbom "the SBOM names no build file" "${again[@]}" bad-sbom.apk
forged no-json sed -i 's/"packages": \[/"packages"/' d/var/lib/db/sbom/pkg-2.0-r7.spdx.json
refused no-json "pkg-2.0-r7.spdx.json" "${again[@]}" no-json.apk
forged bad-yaml sed -i 's/^pipeline:/pipelines:/' c/.melange.yaml
refused bad-yaml "bad-yaml.apk:.melange.yaml:[0-9]+:1: unknown key" "${again[@]}" bad-yaml.apk
forged bad-arch sed -i 's/^arch = .*/arch = vax/' c/.PKGINFO
refused bad-arch "unknown architecture 'vax'" "${again[@]}" bad-arch.apk
forged bad-path sed -i 's/"name": "pkg.yaml"/"name": "a\/..\/..\/pkg.yaml"/' d/var/lib/db/sbom/pkg-2.0-r7.spdx.json
refused bad-path "a/../../pkg.yaml" "${again[@]}" bad-path.apk
forged gone sed -i 's/toolbox=1.35.0-r0/toolbox=9-r0/' c/.melange.yaml
refused gone "toolbox" "${again[@]}" gone.apk
refused no-file "there is no package 'none.apk'" "${again[@]}" none.apk
refused url "is not a file" "${again[@]}" https://example.org/pkg.apk
refused no-runner "unknown runner: moon" "${again[@]}" --runner moon "$repo"/pkg-2.0-r7.apk
refused no-key "none.rsa" "$melange" rebuild --signing-key none.rsa "$repo"/pkg-2.0-r7.apk
refused no-args "APK" "$melange" rebuild
finish
