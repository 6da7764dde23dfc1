#!/bin/bash
# The same input gives the same bytes: whatever the time zone, locale, umask, order of directories,
# number of processors and user are, from an empty cache and from a filled one.
# Rows of the feature checklist (apko 9): I100.
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"
distribution
for i in $(seq 40); do
	mkdir -p "root/many/usr/share/many/$i"
	seq "$i" 4000 >"root/many/usr/share/many/$i/numbers"
done
package repo many 1-r0
index repo
cat >>image.yaml <<'END'
layering: {strategy: origin, budget: 3}
accounts:
  users:
  - {username: worker, uid: 1001}
paths:
- {path: /var/lib/worker, type: directory, uid: 1001, gid: 1001, permissions: 0o750}
END
sed -i 's/\[tool\]/[tool, many]/' image.yaml
cp -r repo test.rsa.pub image.yaml home/

# fill DIR: the same input, written in another order
fill() {
	local f
	mkdir -p "$1/repo/$arch"
	for f in $(printf '%s\n' "home/repo/$arch"/* | tac); do cp "$f" "$1/repo/$arch/"; done
	cp home/image.yaml home/test.rsa.pub "$1/"
}

# build NAME COMMAND...: all outputs of the input, by that command, in a directory of its own
build() {
	local name=$1
	shift
	fill "$name"
	[ ! -e out.user ] || chown -R nobody "$name"
	for out in small/ small.tar; do
		"$@" "$apko" -C "$name" build image.yaml small:1 "$out" --cache-dir "$work/$name/cache" \
			>stdout 2>stderr || fail "$name: $out"
	done
	"$@" "$apko" -C "$name" lock image.yaml --cache-dir "$work/$name/cache" 2>stderr || fail "$name: lock"
	"$@" "$apko" -C "$name" build-cpio image.yaml small.cpio.gz --build-arch x86_64 \
		--cache-dir "$work/$name/cache" 2>stderr || fail "$name: cpio"
	rm -rf "$name/repo" "$name/image.yaml" "$name/test.rsa.pub" "$name/cache"
	hashes "$name" | grep -v ' \.$' >"$name.sums"
	if [ "$name" != plain ]; then
		same plain.sums "$name.sums"
	fi
}

build plain env
build again env
build zone env TZ=Pacific/Kiritimati LC_ALL=C.UTF-8 LANG=tr_TR.UTF-8
(
	umask 077
	build umask env
)
build one_cpu taskset -c 0 env
build environment env -i "PATH=$PATH"
# a cache that another architecture's and another configuration's builds have filled
mkdir -p filled
sed 's/budget: 3/budget: 1/' image.yaml >other.yaml
ok "$apko" build other.yaml other:2 other/ --cache-dir "$work/filled/cache"
build filled env
if [ "$(id -u)" = 0 ]; then
	chmod 755 "$work"
	: >out.user
	build user setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent
fi
[ "$(grep -c blobs/sha256/ plain.sums)" -gt 8 ] || fail 'layers were expected'
