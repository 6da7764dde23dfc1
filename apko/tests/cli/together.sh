#!/bin/bash
# together.sh [ROUNDS]: ten builds at once from one empty store, of images and of packages, some of
# them killed at a random moment. The others succeed with the right bytes, no object of the store is
# wrong, and the next builds take everything from it.
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"
rounds=${1:-${ROUNDS:-5}}
RANDOM=${SEED:-$$}
distribution
for i in 1 2 3 4 5 6; do
	mkdir -p "root/more$i/usr/share/more$i"
	for j in 1 2 3 4 5; do
		seq "$i$j" $((i * 20000)) >"root/more$i/usr/share/more$i/$j"
	done
	package repo "more$i" 1-r0
done
mkdir -p root/busybox/bin
cp "$(command -v busybox)" root/busybox/bin/busybox
ln -s busybox root/busybox/bin/sh
package repo busybox 1.36.1-r0
index repo
cat >made.yaml <<-'END'
	package: {name: made, version: "1", epoch: 0}
	environment:
	  contents: {keyring: [test.rsa.pub], repositories: [repo], packages: [busybox, lib, more1, more2]}
	pipeline:
	  - runs: |
	      busybox mkdir -p ${{targets.destdir}}/usr
	      busybox cat /usr/share/more1/3 /usr/share/more2/4 /usr/lib/libsmall.so.1 >${{targets.destdir}}/usr/all
END
sed -i 's/\[tool\]/[tool, more1, more2, more3, more4, more5, more6]/' image.yaml

# build DIR CACHE: the image; this and make replace the shell they run in.
build() {
	exec "$apko" build image.yaml small:1 "$1" --cache-dir "$2" --sbom=false
}

# make DIR CACHE: a package, built in a guest out of the store
make() {
	export SOURCE_DATE_EPOCH=1700000000
	exec "$BIN/melange" build made.yaml --arch x86_64 --out-dir "$1" --apk-cache-dir "$2" \
		--signing-key test.rsa --empty-workspace --generate-provenance=false --git-commit x --git-repo-url https://example.org/x
}

built() {
	(build "$@" 2>stderr) || fail "build: exit $?"
}
made() {
	(make "$@" >stdout 2>stderr) || fail "make: exit $?"
}

# What every store has to agree with: objects that do not depend on where they lie.
objects() {
	(cd "$1" && find control data layer -type f -exec sha256sum {} + | LC_ALL=C sort -k2)
}
# Where pieces lie is noted after the layer: a build killed between the two leaves that to a later one.
pieces() {
	(cd "$1" && find piece -type f -exec sha256sum {} + 2>/dev/null | LC_ALL=C sort -k2)
}

mkdir good
start=$(date +%s%N)
built good/ good.cache
took=$((($(date +%s%N) - start) / 1000000 + 1))
made good.made good.cache
hashes good >good.sums
hashes good.made >good.made.sums
objects good.cache >good.objects
pieces good.cache >good.pieces
[ "$(wc -l <good.objects)" -ge 18 ] || fail 'objects of every package were expected'

survivors=0 victims=0
# round N: ten builds, of which about four are killed
round() {
	local i pids=() dead=() status
	rm -rf cache.all out
	mkdir out
	for i in 0 1 2 3 4 5 6 7 8 9; do
		mkdir "out/$i"
		case $i in
		1 | 4 | 7 | 9) make "out/$i" cache.all >"out/log.$i" 2>&1 & ;;
		*) build "out/$i/" cache.all 2>"out/log.$i" & ;;
		esac
		pids+=($!)
		dead+=(0)
	done
	for i in 0 1 2 3; do
		sleep "$(printf '0.%03d' $((RANDOM % took % 1000)))"
		kill -KILL "${pids[$i]}" 2>/dev/null || true
		dead[i]=1
	done
	for i in 0 1 2 3 4 5 6 7 8 9; do
		status=0
		wait "${pids[$i]}" 2>/dev/null || status=$?
		if [ "${dead[$i]}" = 1 ] && [ $status = 137 ]; then
			victims=$((victims + 1))
			continue
		fi
		[ $status = 0 ] || fail "round $1, build $i: exit $status: $(cat "out/log.$i")"
		hashes "out/$i" >sums
		case $i in
		1 | 4 | 7 | 9) same good.made.sums sums ;;
		*) same good.sums sums ;;
		esac
		survivors=$((survivors + 1))
	done
	objects cache.all >sums
	same good.objects sums
	pieces cache.all >sums
	[ ! -s sums ] || same good.pieces sums
	mv repo away
	mkdir -p "repo/x86_64" again
	cp away/x86_64/APKINDEX.tar.gz repo/x86_64/
	built again/ cache.all
	made again.made cache.all
	hashes again >sums
	same good.sums sums
	hashes again.made >sums
	same good.made.sums sums
	[ -z "$(ls -A cache.all/tmp)" ] || fail "round $1: leftovers in the store"
	rm -rf repo again again.made
	mv away repo
}

for ((n = 1; n <= rounds; n++)); do
	round "$n"
done
echo "$rounds rounds: $survivors builds succeeded, $victims were killed"
[ $victims -gt 0 ] || [ "$rounds" -lt 5 ] || fail 'nothing was killed'
