#!/bin/bash
# A cache that a crash, a bad disk or somebody has damaged: every object of it in turn is flipped,
# cut or emptied. The next build says nothing of it or names a place, never gives other bytes, and
# the one after it has all it needs again.
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"
distribution
for i in $(seq 20); do
	mkdir -p "root/many/usr/share/many/$i"
	seq "$i" 4000 >"root/many/usr/share/many/$i/numbers"
done
package repo many 1-r0
index repo
sed -i 's/\[tool\]/[tool, many]/' image.yaml
echo 'layering: {strategy: origin, budget: 2}' >>image.yaml

build() {
	rm -rf out
	"$apko" build image.yaml small:1 out/ --cache-dir "$work/c" >"$work/stdout" 2>"$work/stderr"
}
digest() {
	(cd out && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
}
mkdir c
build || fail 'the first build'
want=$(digest)
cp -a c clean
objects=$(cd c && find . -type f ! -name '*.lock' ! -name lock | sort)
[ "$(wc -l <<<"$objects")" -gt 8 ] || fail "a cache of so little: $objects"

flip() {
	/usr/bin/python3 - "$1" "$2" <<-'P'
		import os, sys
		path, part = sys.argv[1], float(sys.argv[2])
		data = bytearray(open(path, "rb").read())
		if data:
		    data[min(int(len(data) * part), len(data) - 1)] ^= 0x55
		os.chmod(path, 0o644)
		open(path, "wb").write(data)
	P
}
spoil() {
	case $2 in
	flip) flip "$1" 0.5 ;;
	first) flip "$1" 0 ;;
	last) flip "$1" 1 ;;
	cut) chmod 644 "$1"; truncate -s $(($(stat -c %s "$1") / 2)) "$1" ;;
	empty) chmod 644 "$1"; : >"$1" ;;
	esac
}
rounds=0
while IFS= read -r object; do
	for how in flip first last cut empty; do
		# with the plans in the cache, by which nothing of the rest may be looked at, and without them
		for plans in with without; do
			rm -rf c
			cp -a clean c
			[ $plans = with ] || rm -rf c/plan c/*/plan
			[ -e "c/$object" ] || continue
			spoil "c/$object" $how
			build || fail "$object, $how, $plans plans: the build fails"
			[ "$(digest)" = "$want" ] || fail "$object, $how, $plans plans: other bytes"
			build || fail "$object, $how, $plans plans: the build after it fails"
			[ "$(digest)" = "$want" ] || fail "$object, $how, $plans plans: other bytes the second time"
			rounds=$((rounds + 1))
		done
	done
done <<<"$objects"
echo "$rounds rounds over $(wc -l <<<"$objects") objects"
