#!/bin/bash
# Images and lock files that the existing tool made of the same input: configurations (and with
# them the layers' digests), SBOMs and lock files have to be the same. The input is not part of
# this repository; without it there is nothing to do here.
# Rows of the feature checklist (apko 9): I094 I121 I128 I131 I134.
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"
data=$(dirname "$SRC")/shared/data/apko-golden
if [ ! -d "$data" ]; then
	echo "skipped: no recorded images at $data"
	exit 0
fi
ln -s "$data" testdata

# config_digests LAYOUT: of each image in it
config_digests() {
	local m
	for m in $(jq -r '.manifests[].digest' "$1/index.json"); do
		jq -r .config.digest "$1/blobs/sha256/${m#sha256:}"
	done
}

# Digests of what depends on the compressed bytes, the tool's version and its name for the document
# are not compared.
plain_sbom() {
	sed -E 's/[0-9a-f]{64}/DIGEST/g; s/"Tool: apko [^"]*"/"Tool"/
		s|("documentNamespace": ")[^"]*|\1|' "$1"
}

ok "$apko" build testdata/apko.yaml golden:latest out/ --vcs=false \
	--annotations org.opencontainers.image.vendor:Vendor,org.opencontainers.image.title:Title
config_digests testdata/golden >expected
config_digests out >got
same expected got
[ "$(wc -l <got)" = 2 ] || fail 'two architectures were expected'
for sbom in sbom-x86_64 sbom-aarch64 sbom-index; do
	plain_sbom "testdata/golden/sboms/$sbom.spdx.json" >expected
	plain_sbom "$sbom.spdx.json" >got
	same expected got
done

ok "$apko" lock testdata/apko.yaml --output apko.lock.json
sed 's|"testdata/apko.yaml"|"apko.yaml"|' apko.lock.json >got
same testdata/apko.lock.json got
ok "$apko" lock testdata/image_on_top.apko.yaml --output top.lock.json
same testdata/image_on_top.apko.lock.json top.lock.json

# what is built from the lock is what is built without it, and no index is read for it
ok "$apko" build testdata/apko.yaml golden:latest locked/ --vcs=false --lockfile apko.lock.json \
	--annotations org.opencontainers.image.vendor:Vendor,org.opencontainers.image.title:Title
same out/index.json locked/index.json
bad "package 'pretend-baselayout' has no checksum" \
	"$apko" build testdata/apko.yaml golden:latest old/ --lockfile testdata/apko.pre-0.13.lock.json

# on top of another image
ok "$apko" build testdata/image_on_top.apko.yaml golden:latest top/ --vcs=false \
	--lockfile testdata/image_on_top.apko.lock.json
for m in $(jq -r '.manifests[].digest' top/index.json); do
	jq -r '.layers[].digest' "top/blobs/sha256/${m#sha256:}" >layers
	[ "$(wc -l <layers)" = 2 ] || fail 'two layers were expected'
	below=$(head -n1 layers) new=$(tail -n1 layers)
	cmp "top/blobs/sha256/${below#sha256:}" "testdata/base_image/blobs/sha256/${below#sha256:}"
	tar -xzOf "top/blobs/sha256/${new#sha256:}" usr/lib/apk/db/installed | grep '^P:' >names
	printf 'P:package-x\nP:package-y\nP:pretend-baselayout\nP:replayout\n' >expected
	same expected <(sort names)
done
