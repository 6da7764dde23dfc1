#!/bin/bash
# The command line, row by row of the feature checklist (apko 9).
# shellcheck disable=SC2119 # flags of b are optional
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"
# shellcheck source=apko/tests/cli/rows_lib.sh
. "$SRC/apko/tests/cli/rows_lib.sh"
archs='x86_64 aarch64'
distribution
arch=armv7 package repo base 1.0-r0
mkdir -p root/extra/usr
arch=x86_64
echo extra >root/extra/usr/extra
package extras extra 1-r0
package repo more 1-r0 'depends=tool base'
index repo
index extras
unset SOURCE_DATE_EPOCH

# I001 and the manifest's place
conf
b
is 1.0.0 "$(jq -r .imageLayoutVersion o/oci-layout)" 'I001: the layout'
# I002, I004: a tar, also over a longer one
ok "$apko" build c.yaml tt:1 o.tar
tar tf o.tar >list
grep -qx manifest.json list || fail 'I002: no manifest.json'
grep -qx index.json list || fail 'I002: no index.json'
cp o.tar first.tar
truncate -s 9M o.tar
ok "$apko" build c.yaml tt:1 o.tar
cmp first.tar o.tar || fail 'I004: another tar'
# I003
ok "$apko" build c.yaml t:1 new/
[ -f new/index.json ] || fail 'I003: the directory was not made'
# I005, I006, I007, I008
bad 'accepts 3 args' "$apko" build c.yaml
no "cannot open 'none'" --lockfile none # I006: one error
b
is 0 "$(wc -c <stdout)" 'I007: standard output'
b --log-level error
is 0 "$(wc -c <stderr)" 'I008: messages'
# I009
mkdir deep
cp -r repo test.rsa.pub c.yaml deep/
ok "$apko" -C deep build c.yaml tt:1 o.tar
cmp first.tar deep/o.tar || fail 'I009: -C'
# I010
rm -rf o
ok "$apko" build c.yaml t:1 o/ --arch x86_64,aarch64,arm64
is 2 "$(I '.manifests|length')" 'I010: architectures'
# I011
rm -rf o
ok "$apko" build c.yaml t:1 o/ --arch host
is "$(uname -m)" "$(I '.manifests[0].platform.architecture' | sed 's/amd64/x86_64/; s/arm64/aarch64/')" 'I011: host'
# I012: all that there are
rm -rf o
bad 'riscv64' "$apko" build c.yaml t:1 o/ --arch all
for each in 386 amd64 arm/v6 arm/v7 arm64 loong64 ppc64le riscv64 s390x; do
	grep -q -- "$each" stderr || fail "I012: nothing of $each"
done
# I013
conf
sed -i 's/^archs:.*/archs: [aarch64]/' c.yaml
rm -rf o
ok "$apko" build c.yaml t:1 o/
is arm64 "$(I '.manifests[0].platform.architecture')" 'I013: archs of the file'
# I014, I015
bad 'unknown architecture' "$apko" build c.yaml t:1 o/ --arch foo # I014
sed -i 's/\[tool\]/[base]/' c.yaml
rm -rf o
ok "$apko" build c.yaml t:1 o/ --arch armv7
is 'arm v7' "$(I '.manifests[0].platform|.architecture+" "+.variant')" 'I015: variant'
is v7 "$(K .variant)" 'I015: variant in the configuration'
# I016
printf 'archs: [x86_64]\n' >c.yaml
b -k test.rsa.pub -r repo -b extras -p extra -p base
F etc/apk/world >got
printf '%s\n' base base=1.0-r0 extra extra=1-r0 >expected
same expected got # I016
# I017, I018, I019
conf 'annotations: {a: x}'
b --annotations a.b:c
is c "$(M '.annotations["a.b"]')" 'I017: annotation'
no 'A' --annotations A:b # I018
b --annotations a:y
is y "$(M .annotations.a)" 'I019: the flag wins'
# I020, I021
conf
rm -f ./*.spdx.json
b --sbom=false
[ -z "$(find . -maxdepth 1 -name '*.spdx.json')" ] || fail 'I020: an SBOM'
mkdir d
b --sbom-path d
[ -f d/sbom-index.spdx.json ] || fail 'I021: no SBOM'
# I022 to I026: time
b --build-date 2030-01-01T00:00:00Z
is 2030-01-01T00:00:00Z "$(K .created)" 'I022: build date'
b --build-date 2001-01-01T00:00:00Z
is 2023-11-14T22:13:20Z "$(K .created)" 'I022: an earlier one'
SOURCE_DATE_EPOCH=5 b
is 1970-01-01T00:00:05Z "$(K .created)" 'I023: SOURCE_DATE_EPOCH'
entry ' 1970-01-01 00:00:00 etc/apk/arch$' 'I026: time of a file'
entry ' 2023-11-14 22:13:20 usr/bin/tool$' 'I026: time of a file of a package'
SOURCE_DATE_EPOCH=x no SOURCE_DATE_EPOCH # I024
b
is 2023-11-14T22:13:20Z "$(K .created)" 'I025: the newest package'
# I027, I028
python3 -u -m http.server -b 127.0.0.1 0 >served 2>&1 &
server=$!
trap 'kill $server; rm -rf "$work"' EXIT
for _ in {1..200}; do
	at=$(sed -n 's,.*(\(http://[^/]*\)/.*,\1,p' served)
	[ -z "$at" ] || break
	sleep 0.1
done
[ -n "$at" ] || fail 'the server does not start'
sed "s,\[repo\],['$at/repo']," image.yaml >c.yaml
no "$at/repo/x86_64/APKINDEX.tar.gz" --offline --cache-dir cold # I027
b --cache-dir warm
cp -r o online
b --offline --cache-dir warm # I028
diff -r online o || fail 'I028: another image'
# I029
cp -r repo plain
rm plain/x86_64/APKINDEX.tar.gz
"$BIN/melange" index -o plain/x86_64/APKINDEX.tar.gz plain/x86_64/*.apk 2>/dev/null
sed 's/\[repo\]/[plain]/' image.yaml >c.yaml
no 'plain/x86_64/APKINDEX.tar.gz' --cache-dir fresh
b --ignore-signatures --cache-dir fresh # I029
# I030
conf
no 'limit is 10 bytes' --max-apk-data-size 10 --cache-dir fresh2 # I030
# I031
mkdir inc
sed '/^entrypoint/d; /^archs/d' image.yaml >inc/part.yaml
printf 'include: part.yaml\narchs: [x86_64]\n' >c.yaml
bad "cannot open 'part.yaml'" "$apko" build c.yaml t:1 o.tar
b --include-paths inc # I031
# I034, I035, I038
conf
ok "$apko" show-packages c.yaml --arch amd64
printf 'base 1.0-r0\nlib 2.1-r3\ntool 1.5-r0\n' >expected
same expected stdout # I034
ok "$apko" show-packages c.yaml --format packagelock-source
grep -qxE -- '- tool=1.5-r0 # repo/x86_64/tool-1.5-r0.apk' stdout || fail 'I035: format'
sed -i 's/\[tool\]/[more]/' c.yaml
ok "$apko" dot c.yaml
cp stdout all.dot
ok "$apko" dot c.yaml -S
[ "$(grep -c -- '->' stdout)" -lt "$(grep -c -- '->' all.dot)" ] || fail 'I038: as many edges'
# I037: by the program itself
dot -Tsvg all.dot >all.svg || fail 'I037: dot'
grep -q '<svg' all.svg || fail 'I037: no picture'
# I040
conf
ok "$apko" build-minirootfs c.yaml r.tar.gz --build-arch aarch64
is aarch64 "$(tar xzOf r.tar.gz etc/apk/arch)" 'I040: --build-arch'
# I046, I047
ok "$apko" version --json
jq -e .gitVersion stdout >/dev/null || fail 'I046: version'
for each in bash zsh fish; do
	ok "$apko" completion "$each"
	[ -s stdout ] || fail "I047: $each"
done
ok "$apko" completion bash
bash -n stdout || fail 'I047: completion'
