#!/bin/bash
# What goes wrong for users and machines: one error that names file, line or entry, exit status 1,
# and earlier outputs exactly as they were.
# Rows of the feature checklist (apko 9): I049.
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"
distribution
ok "$apko" build image.yaml small:1 out/
ok "$apko" build image.yaml small:1 out.tar
ok "$apko" lock image.yaml
mkdir outputs
mv out out.tar image.lock.json sbom-* outputs/
cd outputs
sed 's|\[test.rsa.pub\]|[../test.rsa.pub]|; s|\[repo\]|[../repo]|' ../image.yaml >image.yaml
hashes . >../before

# unchanged WHAT: nothing of the earlier outputs was touched
unchanged() {
	rm -f case.yaml
	hashes . >../after
	diff ../before ../after >&2 || fail "$1: changed an earlier output"
}

# refused TEXT SED [ARG...]: the configuration, edited, is refused in every way of building it
refused() {
	local text=$1 edit=$2
	shift 2
	sed "$edit" image.yaml >case.yaml
	bad "$text" "$apko" build case.yaml small:1 out/ "$@"
	bad "$text" "$apko" build case.yaml small:1 out.tar "$@"
	unchanged "$text"
}

# the configuration
refused "case.yaml:4:3: unknown key" 's/packages:/pakages:/'
refused "cannot open 'absent.rsa.pub'" 's|../test.rsa.pub|absent.rsa.pub|'
refused 'case.yaml:5:14:' 's/entrypoint:.*/entrypoint: {comand: x}/'
refused 'case.yaml:5:' 's/entrypoint:.*/entrypoint: {command: [}/'
refused 'unknown architecture' 's/x86_64/pdp11/'
refused 'absent-package' 's/\[tool\]/[tool, absent-package]/'
refused "case.yaml:1:" '1i paths: [{path: /a, type: sideways}]'
refused "cannot open 'absent.yaml'" '1i include: absent.yaml'
bad "cannot open 'absent.yaml'" "$apko" build absent.yaml small:1 out/
bad 'CONFIG' "$apko" build image.yaml
bad "--lock-file" "$apko" build image.yaml small:1 out/ --lock-file x
bad "annotation 'x' is not of the form key:value" "$apko" build image.yaml small:1 out/ --annotations x
bad "--build-date" "$apko" build image.yaml small:1 out/ --build-date yesterday
bad "SOURCE_DATE_EPOCH" env SOURCE_DATE_EPOCH=now "$apko" build image.yaml small:1 out/
unchanged 'command line'

# repositories: each case damages a copy of one
# damaged TEXT COMMAND...: run in the copy's directory
damaged() {
	local text=$1
	shift
	rm -rf ../bad
	cp -r ../repo ../bad
	(cd ../bad/x86_64 && "$@") || fail "cannot damage it for '$text'"
	rm -rf ../fresh
	sed 's|../repo|../bad|' image.yaml >case.yaml
	bad "$text" "$apko" build case.yaml small:1 out/ --cache-dir ../fresh
	bad "$text" "$apko" build case.yaml small:1 out.tar --cache-dir ../fresh
	unchanged "$text"
}
flip() {
	local at=$2
	printf '\377' | dd of="$1" bs=1 seek="$at" conv=notrunc status=none
}
apk=tool-1.5-r0.apk
size=$(stat -c %s "../repo/x86_64/$apk")
damaged "../bad/x86_64/$apk" flip $apk $((size - 100))
damaged "../bad/x86_64/$apk" flip $apk 700
damaged "../bad/x86_64/$apk" truncate -s $((size - 10)) $apk
damaged "../bad/x86_64/$apk" truncate -s 0 $apk
damaged "package '../bad/x86_64/$apk' is in the index but not in the repository" rm $apk
sign_none() {
	rm APKINDEX.tar.gz
	"$BIN/melange" index -o APKINDEX.tar.gz ./*.apk 2>/dev/null
}
damaged '../bad/x86_64/APKINDEX.tar.gz' sign_none
damaged '../bad/x86_64/APKINDEX.tar.gz' flip APKINDEX.tar.gz 400
damaged '../bad/x86_64/APKINDEX.tar.gz' truncate -s 300 APKINDEX.tar.gz
sign_other() {
	rm APKINDEX.tar.gz
	"$BIN/melange" keygen --key-size 2048 other.rsa 2>/dev/null
	"$BIN/melange" index -o APKINDEX.tar.gz --signing-key other.rsa ./*.apk 2>/dev/null
}
damaged '../bad/x86_64/APKINDEX.tar.gz' sign_other
# a package that was good when it was cached, and is not what the index says now
rm -rf ../bad ../fresh
cp -r ../repo ../bad
sed 's|../repo|../bad|' image.yaml >case.yaml
ok "$apko" build case.yaml small:1 ../fine/ --cache-dir ../fresh --sbom=false
flip "../bad/x86_64/$apk" 700
ok "$apko" build case.yaml small:2 ../fine/ --cache-dir ../fresh --sbom=false
sed 's|../repo|../bad|; s|command: |&-x |' image.yaml >case.yaml
ok "$apko" build case.yaml small:1 ../fine/ --cache-dir ../fresh --sbom=false
unchanged 'cached package'

# places that cannot be written
as_user=()
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$work" "$HOME"
	as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	mkdir -m 777 ../anyone
fi
mkdir -p ../anyone
chmod 555 out out/blobs out/blobs/sha256
hashes . >../before
sed -i 's/command: /&-y /' image.yaml
bad "'out" "${as_user[@]}" "$apko" build image.yaml small:1 out/ --cache-dir ../anyone/cache --sbom=false
chmod 555 .
bad "'out.tar" "${as_user[@]}" "$apko" build image.yaml small:1 out.tar --cache-dir ../anyone/cache --sbom=false
bad "'sbom-x86_64.spdx.json" "${as_user[@]}" "$apko" build image.yaml small:1 ../anyone/out/ --cache-dir ../anyone/cache
[ ! -e ../anyone/out ] || fail 'an output without its SBOM'
bad "'image.lock.json" "${as_user[@]}" "$apko" lock image.yaml --cache-dir ../anyone/cache
chmod 755 . out out/blobs out/blobs/sha256
bad "'absent/x.tar" "$apko" build image.yaml small:1 absent/x.tar --sbom=false
bad "'absent/sbom-x86_64.spdx.json" "$apko" build image.yaml small:1 out.tar --sbom-path absent
sed -i 's/command: -y /command: /' image.yaml
hashes . >../before
# a cache that was asked for and cannot be had; the usual one is done without
chmod 555 ../anyone
bad "'../anyone/not'" "${as_user[@]}" "$apko" show-packages image.yaml --cache-dir ../anyone/not
ok "${as_user[@]}" env "XDG_CACHE_HOME=$work/anyone/not" "$apko" show-packages image.yaml
printf x >../file
bad "'../file" "$apko" build image.yaml small:1 out.tar --cache-dir ../file
chmod 755 ../anyone
unchanged 'places'
