#!/bin/bash
# together.sh [ROUNDS]: ten builds at once from one empty store, some of them killed at a random
# moment. The others succeed with the right bytes, no object of the store is wrong, and the next
# build takes everything from it.
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
index repo
sed -i 's/\[tool\]/[tool, more1, more2, more3, more4, more5, more6]/' image.yaml

build() {
	"$apko" build image.yaml small:1 "$1" --cache-dir "$2" --sbom=false
}

# What every store has to agree with: objects that do not depend on where they lie.
objects() {
	(cd "$1" && find control data piece layer -type f -exec sha256sum {} + | LC_ALL=C sort -k2)
}

mkdir good
start=$(date +%s%N)
ok build good/ good.cache
took=$((($(date +%s%N) - start) / 1000000 + 1))
hashes good >good.sums
objects good.cache >good.objects
[ "$(wc -l <good.objects)" -ge 18 ] || fail 'objects of every package were expected'

survivors=0 victims=0
# round N: ten builds, of which about four are killed
round() {
	local i pids=() dead=() status
	rm -rf cache.all out
	mkdir out
	for i in 0 1 2 3 4 5 6 7 8 9; do
		mkdir "out/$i"
		"$apko" build image.yaml small:1 "out/$i/" --cache-dir cache.all --sbom=false \
			2>"out/log.$i" &
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
		same good.sums sums
		survivors=$((survivors + 1))
	done
	objects cache.all >sums
	same good.objects sums
	mv repo away
	mkdir -p "repo/x86_64" again
	cp away/x86_64/APKINDEX.tar.gz repo/x86_64/
	ok build again/ cache.all
	hashes again >sums
	same good.sums sums
	[ -z "$(ls -A cache.all/tmp)" ] || fail "round $1: leftovers in the store"
	rm -rf repo again
	mv away repo
}

for ((n = 1; n <= rounds; n++)); do
	round "$n"
done
echo "$rounds rounds: $survivors builds succeeded, $victims were killed"
[ $victims -gt 0 ] || [ "$rounds" -lt 5 ] || fail 'nothing was killed'
