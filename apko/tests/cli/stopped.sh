#!/bin/bash
# Builds that are stopped half way, that run out of disk, and that run at once: what was built
# before stays as it was, nothing is left lying about, and the next build makes the same bytes.
# Rows of the feature checklist (apko 9): I149.
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"
distribution
mkdir -p root/large/usr/share
for i in 1 2 3; do
	openssl enc -aes-128-ctr -K "0$i" -iv 0 -in /dev/zero 2>/dev/null | head -c 12000000 |
		base64 >"root/large/usr/share/large$i" || true
	package repo "large$i" 1-r0
	mkdir -p "root/large$i/usr/share"
	mv "root/large/usr/share/large$i" "root/large$i/usr/share/"
	package repo "large$i" 1-r0
done
index repo
ok "$apko" build image.yaml small:1 out/
ok "$apko" build image.yaml small:1 out.tar
cp -a out kept
cp -a out.tar kept.tar
cp -a sbom-x86_64.spdx.json sbom-index.spdx.json kept/
hashes kept >kept.sums
sed 's/\[tool\]/[tool, large1, large2, large3]/' image.yaml >large.yaml
ok "$apko" build large.yaml small:1 good/ --cache-dir good.cache --sbom=false
hashes good >good.sums

# earlier WHAT: the outputs that were there are as they were; blobs may have come
earlier() {
	local f
	for f in index.json oci-layout; do
		cmp "out/$f" "kept/$f" || fail "$1: out/$f"
	done
	for f in kept/blobs/sha256/*; do
		cmp "$f" "out/${f#kept/}" || fail "$1: $f"
	done
	cmp out.tar kept.tar || fail "$1: out.tar"
	cmp sbom-index.spdx.json kept/sbom-index.spdx.json || fail "$1: SBOM"
}

# whole WHAT CACHE: a build with what the cache holds is what it has to be, and tidies up
whole() {
	rm -rf again
	ok "$apko" build large.yaml small:1 again/ --cache-dir "$2" --sbom=false
	hashes again >again.sums
	same good.sums again.sums
	[ -z "$(ls -A "$2/tmp")" ] || fail "$1: something is left in $2/tmp"
}

# Interrupted: exit 1 and one line, unless it was done before.
for delay in 0.01 0.03 0.06 0.1 0.15 0.2 0.3 0.45; do
	for output in out/ out.tar; do
		rm -rf stopped
		status=0
		timeout --preserve-status -s INT $delay "$apko" build large.yaml small:1 $output \
			--cache-dir stopped 2>stderr || status=$?
		if [ $status = 0 ]; then
			rm -rf out
			cp -a kept out
			rm out/sbom-*
			cp -a kept.tar out.tar
			cp -a kept/sbom-* .
		else
			[ $status = 1 ] || [ $status = 130 ] || fail "interrupted: status $status"
			[ $status = 130 ] || grep -q 'ERRO.*interrupted$' stderr || fail 'not said'
			earlier "interrupted after $delay"
		fi
		[ ! -d stopped/tmp ] || [ -z "$(ls -A stopped/tmp)" ] || fail 'interrupted: leftovers'
	done
done
whole interrupted stopped

# Killed, again and again on one cache.
for delay in 0.01 0.03 0.06 0.1 0.15 0.2 0.3; do
	if timeout -s KILL $delay "$apko" build large.yaml small:1 killed/ --cache-dir killed.cache \
		--sbom=false 2>/dev/null; then
		break
	fi
	earlier "killed after $delay"
done
whole killed killed.cache

# Several at once, from an empty cache into the same output and into others.
pids=()
for i in 1 2 3 4; do
	"$apko" build large.yaml small:1 together/ --cache-dir both --sbom=false 2>"log.$i" &
	pids+=($!)
	"$apko" build large.yaml small:1 "together$i/" --cache-dir both --sbom=false 2>"log2.$i" &
	pids+=($!)
done
for pid in "${pids[@]}"; do
	wait "$pid" || fail "one of several builds at once: $(cat log.* log2.*)"
done
for d in together together1 together2 together3 together4; do
	hashes $d >sums
	same good.sums sums
done
whole 'at once' both
# and with all made before, so that they write their outputs at the same moment
for round in $(seq 20); do
	pids=()
	for _ in 1 2 3 4 5 6; do
		"$apko" build large.yaml small:1 "round$round/" --cache-dir both --sbom=false 2>log.same &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || fail "round $round: $(cat log.same)"
	done
	hashes "round$round" >sums
	same good.sums sums
done

# A full disk, where one can be had.
if [ "$(id -u)" = 0 ] && mkdir disk && mount -t tmpfs -o size=20m tmpfs disk 2>/dev/null; then
	trap 'umount "$work/disk"; rm -rf "$work"' EXIT
	ok "$apko" build image.yaml small:1 disk/out/ --sbom=false
	ok "$apko" build image.yaml small:1 disk/out.tar --sbom=false
	hashes disk >sums.before
	bad 'No space left on device' "$apko" build large.yaml small:1 disk/out/ --sbom=false
	grep -q "cannot [a-z]* 'disk/out/" stderr || fail 'full: does not say where'
	grep -q 'hint: free some space there' stderr || fail 'full: no hint'
	hashes disk >sums.after
	same sums.before sums.after
	bad 'No space left on device' "$apko" build large.yaml small:1 disk/out.tar --sbom=false
	hashes disk >sums.after
	same sums.before sums.after
	bad 'No space left on device' "$apko" build large.yaml small:1 out/ --cache-dir disk/cache
	grep -q "disk/cache" stderr || fail 'full cache: does not say where'
	[ -z "$(ls -A disk/cache/tmp)" ] || fail 'full cache: leftovers'
	earlier 'full cache'
fi
