#!/bin/bash
# Stores that cannot be written, or not enough: a build that needs nothing new works from one that is
# only readable, and what does not work is one error that says where.
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"
distribution
ok "$apko" build image.yaml small:1 good/ --cache-dir store --sbom=false
hashes good >good.sums

# objects: all of the store but what it remembers of outputs
objects() {
	(cd store && find . -path ./plan -prune -o -type f -exec sha256sum {} + | LC_ALL=C sort)
}

# again WHAT COMMAND...: it builds what was built before, and leaves the store as it was
again() {
	local what=$1 before
	shift
	rm -rf again
	before=$(objects)
	ok "$@" "$apko" build image.yaml small:1 again/ --cache-dir store --sbom=false
	hashes again >sums
	same good.sums sums
	[ "$before" = "$(objects)" ] ||
		fail "$what: the store has changed"
}

again 'once more' env
if [ "$(id -u)" != 0 ]; then
	chmod -R a-w store
	again 'read-only' env
	chmod -R u+w store
	exit 0
fi

# As root, modes say nothing: a read-only mount does, and so does another user.
if mkdir mnt && mount --bind store mnt 2>/dev/null; then
	trap 'umount "$work/mnt" 2>/dev/null || true; rm -rf "$work"' EXIT
	mount -o remount,bind,ro mnt
	rm -rf again
	ok "$apko" build image.yaml small:1 again/ --cache-dir mnt --sbom=false
	hashes again >sums
	same good.sums sums
	umount mnt
fi

# Another user may not read what is root's, is told so, and changes nothing.
chmod 755 "$work"
mkdir -m 777 theirs
bad "cannot open cache directory 'store': Permission denied" setpriv --reuid 65534 --regid 65534 \
	--clear-groups env HOME=/ "$apko" build image.yaml small:1 theirs/ --cache-dir store --sbom=false
[ -z "$(ls -A theirs)" ] || fail 'another user: an output'
again 'after another user' env

# A full one: what is in it stays, and is enough for what was built before.
if mount -t tmpfs -o size=3m tmpfs mnt 2>/dev/null; then
	trap 'umount "$work/mnt" 2>/dev/null || true; rm -rf "$work"' EXIT
	ok "$apko" build image.yaml small:1 first/ --cache-dir mnt/store --sbom=false
	mkdir -p root/large/usr/share
	seq 1 900000 >root/large/usr/share/large
	arch=x86_64 package repo large 1-r0
	index repo
	sed 's/\[tool\]/[tool, large]/' image.yaml >large.yaml
	bad 'No space left on device' "$apko" build large.yaml small:1 large/ --cache-dir mnt/store --sbom=false
	grep -qF 'mnt/store' stderr || fail 'full: does not say where'
	[ -z "$(ls -A mnt/store/tmp)" ] || fail 'full: leftovers'
	rm -rf again
	ok "$apko" build image.yaml small:1 again/ --cache-dir mnt/store --sbom=false
	hashes again >sums
	same good.sums sums
	ok "$apko" clean --cache-dir mnt/store
	[ -z "$(find mnt -type f)" ] || fail 'clean: something is left'
	umount mnt
fi
