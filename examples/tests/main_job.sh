#!/bin/bash
# The README's main job and GNU hello, judged by other tools; then both again under other
# circumstances, to the same bytes.
set -euo pipefail
work=$PWD/e2e/main_job
rm -rf "$work"
mkdir -p "$work"
fail() { echo "FAILED: $*" >&2; exit 1; }

"$SRC/examples/run" "$work" | tee "$work/log"
tail -n 1 "$work/log" | grep -q '^Hello, image! This is greet 1.2.0 on ' || fail 'the image did not run'
"$SRC/examples/hello/run" "$work"
cd "$work"
repo=$(dirname packages/*/APKINDEX.tar.gz)
for name in hello hello-doc hello-lang; do
	tar tzf "$repo/$name-2.10-r0.apk" >"$name.list" 2>/dev/null
done
grep -qx usr/bin/hello hello.list || fail 'hello lacks its program'
grep -qx usr/share/man/man1/hello.1 hello-doc.list || fail 'hello-doc lacks its manual'
grep -qx usr/share/info/hello.info hello-doc.list || fail 'hello-doc lacks its info file'
grep -q '^usr/share/locale/de/LC_MESSAGES/hello.mo$' hello-lang.list || fail 'hello-lang lacks German'
if grep -q locale hello.list; then fail 'translations stayed in hello'; fi
"$SRC/examples/tests/check_apk.py" local.rsa.pub "$repo/APKINDEX.tar.gz" "$repo"/*.apk

# The same packages and image from another time zone, umask, one core and a fresh cache.
cp -r packages first-packages
cp -r image first-image
(
	umask 077
	export TZ=Pacific/Kiritimati LC_ALL=C.UTF-8 HOME=$work/home
	mkdir -p "$HOME"
	rm -rf cache image
	taskset -c 0 "$SRC/examples/run" "$work" >log2
	taskset -c 0 "$SRC/examples/hello/run" "$work"
)
diff -r first-packages packages || fail 'packages differ from those of the first run'
diff -r first-image image || fail 'the image differs from that of the first run'

skopeo inspect --raw oci:image | jq -e '.config.size > 0' >/dev/null
skopeo inspect oci:image | jq -e '.Os == "linux" and (.Layers | length == 1)' >/dev/null
skopeo copy -q --all oci:image oci:copy:greet
cmp image/blobs/sha256/"$(jq -r '.manifests[0].digest[7:]' image/index.json)" \
	copy/blobs/sha256/"$(jq -r '.manifests[0].digest[7:]' image/index.json)"
echo 'all checks passed'
