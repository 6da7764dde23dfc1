#!/bin/bash
# Builds that a full disk or a kill breaks off, at every moment: the repository, its index and what
# was made before stay as they were, and the next build finds nothing in its way.
set -euo pipefail
if [ -z "${INSIDE:-}" ]; then
	# A mount namespace of our own, for small file systems.
	own=-Urm
	[ "$(id -u)" != 0 ] || own=-m
	exec env INSIDE=1 unshare "$own" "$0"
fi
# shellcheck source=melange/tests/cli/lib.sh
. "$SRC/melange/tests/cli/lib.sh"

mkdir packages small
mount -t tmpfs -o size=8m none packages
mount -t tmpfs -o size=2m none small
build=("$melange" build --arch host --rootfs / --no-network --empty-workspace --signing-key local.rsa
	--git-commit x --git-repo-url https://example.org/x)
works key "$melange" keygen local.rsa --key-size 2048
# Random bytes, which do not get smaller: a package of 1.5 MB, and one of little.
cat >big.yaml <<'Y'
package: {name: big, version: "1", epoch: 0}
pipeline: [{runs: "mkdir -p ${{targets.destdir}}/usr && head -c 1500000 /dev/urandom >${{targets.destdir}}/usr/random"}]
subpackages: [{name: big-sub, pipeline: [{runs: "mkdir -p ${{targets.subpkgdir}}/usr && echo x >${{targets.subpkgdir}}/usr/x"}]}]
Y
cat >first.yaml <<'Y'
package: {name: first, version: "1", epoch: 0}
pipeline: [{runs: "mkdir -p ${{targets.destdir}}/usr && echo 1 >${{targets.destdir}}/usr/first"}]
Y
works first "${build[@]}" first.yaml

# with_free KIB: so much is left on the file system of packages/
with_free() {
	rm -f packages/ballast
	local free
	free=$(df --output=avail -k packages | tail -1)
	[ "$free" -le "$1" ] || head -c "$(((free - $1) * 1024))" /dev/zero >packages/ballast
}
full=0 made=0
for free in 0 4 8 16 64 512 1024 1464 1468 1472 1476 1480 1484 1488 1492 1496 1500 1504 1512 1520 1600 2000 2996 3000 3004 3008 3012 3016 3020 3032 3100 4000; do
	with_free "$free"
	before=$(snapshot packages)
	status=0
	timeout 120 "${build[@]}" big.yaml >"full-$free.out" 2>&1 || status=$?
	if [ "$status" = 0 ]; then
		made=$((made + 1))
		rm -f packages/*/big*.apk
		works "index-$free" "$melange" index -o packages/"$(uname -m)"/APKINDEX.tar.gz --signing-key local.rsa packages/*/first-1-r0.apk
		continue
	fi
	full=$((full + 1))
	[ "$status" = 1 ] || fail "full-$free: exit $status"
	grep -qi 'no space left' "full-$free.out" || { fail "full-$free: does not say why"; cat "full-$free.out" >&2; }
	[ "$before" = "$(snapshot packages)" ] || fail "full-$free: packages changed"
	[ -z "$(find packages -name '.*')" ] || fail "full-$free: left something"
done
[ "$full" -ge 8 ] || fail "only $full builds found the disk full"
[ "$made" -ge 1 ] || fail 'no build found room'
rm -f packages/ballast

# No room for the workspace, or for packages that are kept.
mkdir sources
head -c 3000000 /dev/urandom >sources/random
refused full-workspace '[nN]o space left' env TMPDIR="$work/small" "${build[@]}" --empty-workspace=false --source-dir sources big.yaml
head -c 3000000 /dev/urandom >small/ballast 2>/dev/null || true
refused full-temp '[nN]o space left|exit status' env TMPDIR="$work/small" "${build[@]}" big.yaml
rm small/ballast
[ -z "$(ls small)" ] || fail "full-temp: left $(ls small)"

# Killed at any moment: every record of the index is a whole package, what was there is there.
arch=$(uname -m)
sum_of() { tar xzOf "packages/$arch/APKINDEX.tar.gz" APKINDEX 2>/dev/null | sed -n "/^P:$1\$/,/^\$/p"; }
first=$(sum_of first)
for delay in 0.01 0.03 0.05 0.07 0.09 0.11 0.13 0.15 0.17 0.19 0.21 0.25 0.3 0.4; do
	{ timeout -s KILL "$delay" "${build[@]}" big.yaml >"kill-$delay.out" 2>&1 || true; } 2>/dev/null
	[ "$first" = "$(sum_of first)" ] || fail "kill-$delay: the record of another package changed"
	tar xzOf "packages/$arch/APKINDEX.tar.gz" APKINDEX 2>/dev/null | sed -n 's/^P://p' >names
	while read -r name; do
		"$melange" index -o again.tar.gz "packages/$arch/$name-1-r0.apk" >again.out 2>&1 ||
			{ fail "kill-$delay: $name is not whole"; cat again.out >&2; }
	done <names
done
works after "${build[@]}" big.yaml
[ -z "$(find packages -name '.*')" ] || fail 'after: something of the killed builds is there'
"$SRC/examples/tests/check_apk.py" local.rsa.pub "packages/$arch/APKINDEX.tar.gz" packages/"$arch"/*.apk >check.out || fail "$(cat check.out)"
umount packages small
finish
