#!/bin/bash
# Layers are links of what the store keeps: writing to an output is never served to another one.
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"
distribution

ok "$apko" build image.yaml small:1 one/
layer=$(find one/blobs -type f -size +100k -o -type f -exec sh -c 'gzip -t "$1" 2>/dev/null' _ {} \; -print)
[ "$(echo "$layer" | wc -l)" = 1 ] || fail 'one layer was expected'
good=$(hashes one)

# check: a build into another directory, and one into the first again, are as they were
check() {
	rm -rf two
	ok "$apko" build image.yaml small:1 two/
	[ "$(hashes two)" = "$good" ] || fail "$1: another output"
	ok "$apko" build image.yaml small:1 one/
	[ "$(hashes one)" = "$good" ] || fail "$1: the same output"
}
check 'nothing done'

printf x | dd of="$layer" bs=1 seek=100 conv=notrunc status=none
check 'written in place'
# with time and size as they were
touch -r "$layer" stamp
printf y | dd of="$layer" bs=1 seek=200 conv=notrunc status=none
touch -r stamp "$layer"
check 'written in place, time set back'
truncate -s 10 "$layer"
check 'cut'
: >"$layer"
check 'emptied'
touch "$layer"
check 'touched only'
chmod 600 "$layer"
check 'mode changed'
rm "$layer"
check 'removed'
# what is remembered of it is gone, or wrong
find cache -name 'blob-*' -delete
check 'record removed'
find cache -name 'blob-*' -exec sh -c 'printf x >"$1"' _ {} \;
printf x | dd of="$layer" bs=1 seek=100 conv=notrunc status=none
check 'record broken'
# and a build of the same layer under another name finds it changed as well
printf z | dd of="$layer" bs=1 seek=100 conv=notrunc status=none
ok "$apko" build image.yaml other:2 three/
[ "$(sha256sum <"three/${layer#one/}")" = "${layer##*/}  -" ] || fail 'another name: what was written to is used'
