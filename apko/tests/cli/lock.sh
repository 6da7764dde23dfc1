#!/bin/bash
# lock, and building from a lock file: what is recorded, what is refused.
# Rows of the feature checklist (apko 9): I124 I125 I126 I127 I129.
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"
distribution

ok "$apko" lock image.yaml
[ ! -s stdout ] || fail 'lock wrote to standard output'
jq -r '.contents.packages[] | "\(.name)=\(.version) \(.url)"' image.lock.json >got
cat >expected <<'END'
base=1.0-r0 repo/x86_64/base-1.0-r0.apk
lib=2.1-r3 repo/x86_64/lib-2.1-r3.apk
tool=1.5-r0 repo/x86_64/tool-1.5-r0.apk
END
same expected got
# the ranges are those of the three sections, whose digests are recorded
apk=repo/x86_64/tool-1.5-r0.apk
entry='.contents.packages[] | select(.name == "tool")'
for section in signature control data; do
	range=$(jq -r "$entry.$section.range" image.lock.json)
	from=${range#bytes=} to=${range#*-}
	from=${from%-*}
	alg=sha1
	[ $section != data ] || alg=sha256
	sum=$(tail -c +$((from + 1)) $apk | head -c $((to - from + 1)) | openssl dgst -$alg -binary | base64)
	[ "$(jq -r "$entry.$section.checksum" image.lock.json)" = "$alg-$sum" ] || fail "$section"
done
[ "$(jq -r "$entry.data.range" image.lock.json)" = "bytes=$from-$(($(stat -c %s $apk) - 1))" ] ||
	fail 'the data section does not end with the file'
[ "$(jq -r .config.checksum image.lock.json)" = "sha256-$(openssl dgst -sha256 -binary image.yaml | base64)" ] ||
	fail 'checksum of the configuration'
# the other name, another output
ok "$apko" resolve image.yaml
same image.lock.json image.resolved.json
ok "$apko" lock image.yaml --output other.lock
same image.lock.json other.lock

# what cannot be resolved is not locked
for archs in x86_64 x86_64,aarch64; do
	bad 'absent' "$apko" lock image.yaml --arch $archs -p absent --output absent.lock
	[ ! -e absent.lock ] || fail 'a lock file of nothing'
done

# the same image as without it, though a newer package is there and the index is gone
ok "$apko" build image.yaml small:1 without/ --sbom=false
package repo lib 9-r0 'provides=so:libsmall.so.1=1'
index repo
mv repo/x86_64/APKINDEX.tar.gz index
ok "$apko" build image.yaml small:1 with/ --sbom=false --lockfile image.lock.json --cache-dir fresh
[ "$(jq -c .manifests without/index.json)" = "$(jq -c .manifests with/index.json)" ] ||
	fail 'not the same image'
mv index repo/x86_64/APKINDEX.tar.gz

# refusals: one line that names the lock file and the entry
build=("$apko" build image.yaml small:1 none/ --cache-dir "$work/fresh")
bad "cannot open 'none.json'" "${build[@]}" --lockfile none.json
cp image.yaml kept.yaml
echo 'cmd: other' >>image.yaml
bad "lock file 'image.lock.json' was made for another state of 'image.yaml'" \
	"${build[@]}" --lockfile image.lock.json
grep -q "hint: make it anew with 'apko lock'" stderr || fail 'no hint'
mv kept.yaml image.yaml
bad "lock file 'image.lock.json' has no packages for architecture 'arm64'" \
	"${build[@]}" --lockfile image.lock.json --arch aarch64
bad "lock file 'image.lock.json' does not have package 'more'" \
	"${build[@]}" --lockfile image.lock.json -p more
while read -r filter text; do
	jq "$filter" image.lock.json >l.json
	bad "$text" "${build[@]}" --lockfile l.json
done <<'END'
.version="v2" lock file 'l.json': version 'v2' is not v1
del(.contents.packages[1].checksum) lock file 'l.json': package 'lib' has no checksum
.contents.packages[1].checksum="Q1x" lock file 'l.json': package 'lib' has a checksum that is none
.contents.packages[0].name="../b" lock file 'l.json': package '../b' has no valid name
.contents.packages[0].url="x/y.apk" lock file 'l.json': package 'base' has a url that does not end
.contents.packages[1]=.contents.packages[0] lock file 'l.json': package 'base' is there twice
.contents.packages[0].checksum=.contents.packages[1].checksum repo/x86_64/base-1.0-r0.apk
END
echo '{' >l.json
bad 'l.json' "${build[@]}" --lockfile l.json
[ ! -e none ] || fail 'a refused build left something'
# without a recorded configuration: a warning only
jq 'del(.config)' image.lock.json >l.json
ok "$apko" build image.yaml small:1 with/ --sbom=false --lockfile l.json
grep -q "WARN lock file 'l.json' does not say which configuration" stderr || fail 'no warning'

# passwords are not recorded
sed 's|repositories:.*|&\n  runtime_repositories: ["https://u:secret@packages.example.invalid/os"]|' \
	image.yaml >secret.yaml
ok "$apko" lock secret.yaml
! grep -q secret@ secret.lock.json || fail 'a password in the lock file'
grep -q '"name": "packages.example.invalid/os/x86_64"' secret.lock.json || fail 'runtime repository'
