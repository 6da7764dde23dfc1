#!/bin/bash
# Images on base images: their layers and settings stay, only what is new is installed.
# Rows of the feature checklist (apko 9): I122 I123.
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"
distribution
sed 's/\[tool\]/[base]/; $a environment: {FROM: base}' image.yaml >base.yaml
ok "$apko" build base.yaml base:1 below/ --sbom=false
# blob LAYOUT FILTER: path of a blob that the manifest names
blob() {
	local m
	m=$(jq -r '.manifests[0].digest' "$1/index.json")
	m=$(jq -r "$2" "$1/blobs/sha256/${m#sha256:}")
	echo "$1/blobs/sha256/${m#sha256:}"
}
below=$(blob below '.layers[0].digest')
mkdir -p meta/x86_64
tar -xzOf "$below" usr/lib/apk/db/installed >meta/x86_64/APKINDEX
cat >top.yaml <<'END'
contents:
  baseimage: {image: below, apkindex: meta}
  keyring: [test.rsa.pub]
  repositories: [repo]
  packages: [tool]
archs: [x86_64]
END
bad 'a base image needs a lock file' "$apko" build top.yaml top:1 top/
ok "$apko" lock top.yaml
[ "$(jq -r '.contents.packages[].name' top.lock.json | tr '\n' ' ')" = 'lib tool ' ] ||
	fail 'only what the base image does not have is locked'

build=("$apko" build top.yaml top:1)
for run in first again; do
	ok "${build[@]}" top/ --lockfile top.lock.json --sbom=false
	new=$(blob top '.layers[1].digest')
	cmp "$below" "$(blob top '.layers[0].digest')"
	[ ! "$below" -ef "$(blob top '.layers[0].digest')" ] || fail "$run: the base image is linked"
	tar -xzOf "$new" usr/lib/apk/db/installed | grep '^P:' >names
	printf 'P:base\nP:lib\nP:tool\n' >expected
	same expected names
	tar -tzf "$new" >list
	grep -qx usr/bin/tool list || fail "$run: what is new"
	! grep -qx etc/os-release list || fail "$run: what the base image has is there again"
	jq -r '.config.Env[]' "$(blob top .config.digest)" >environment
	grep -qx FROM=base environment || fail "$run: environment of the base image"
done

# a layer of the base image that is not what it says
printf x | dd of="$below" bs=1 seek=60 conv=notrunc status=none
bad "'$below' does not have the digest it is named by" \
	"${build[@]}" other/ --lockfile top.lock.json --sbom=false
[ ! -e other/index.json ] || fail 'an image of a damaged base'
bad "'$below' does not have the digest it is named by" \
	"${build[@]}" other.tar --lockfile top.lock.json --sbom=false
[ ! -e other.tar ] || fail 'an archive of a damaged base'
rm "$below"
bad "$below" "${build[@]}" other/ --lockfile top.lock.json --sbom=false
rm -r below
bad 'below/index.json' "${build[@]}" other/ --lockfile top.lock.json --sbom=false
