#!/bin/bash
# Layers, configuration, manifest and index, row by row of the feature checklist (apko 9).
# shellcheck disable=SC2119 # flags of b are optional
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"
# shellcheck source=apko/tests/cli/rows_lib.sh
. "$SRC/apko/tests/cli/rows_lib.sh"
distribution
archs='armhf armv7'
for arch in $archs; do
	package repo base 1.0-r0
done
arch=x86_64
for each in one two three; do
	mkdir -p "root/$each/usr/share/$each"
	head -c 20000 /dev/zero | tr '\0' "$each" >"root/$each/usr/share/$each/file"
	package repo "$each" 1-r0
done
index repo
unset SOURCE_DATE_EPOCH

conf
b
# I095 to I099: the layer
layer=$(blob "$(M '.layers[0].digest')")
gzip -dc "$layer" >layer.tar
is "$(K '.rootfs.diff_ids[0]')" "sha256:$(sha256sum <layer.tar | cut -d' ' -f1)" 'I095: diffID'
python3 - "$layer" <<'P' || fail 'I095: more than one gzip member'
import sys, zlib
d = zlib.decompressobj(31)
d.decompress(open(sys.argv[1], "rb").read())
sys.exit(not d.eof or len(d.unused_data) > 0)
P
is 'dev' "$(head -c4 layer.tar | tr -d '\0')" 'I096: the first name'
[ -z "$(tar tf layer.tar --quoting-style=escape | grep -E '^\./' || true)" ] || fail 'I096: ./'
L >list
T | tar tv >names
grep -qE '^drwx------ user/user .* home/user/?$' names || fail 'I097: names of owners'
is 1024 "$(python3 -c 'import sys; d = open("layer.tar", "rb").read(); print(len(d) - len(d.rstrip(b"\0")) - (-len(d.rstrip(b"\0"))) % 512)')" 'I099: the end'
# I098: a capability, as packages have it
python3 - repo/x86_64/able-1-r0.apk <<'P'
import gzip, hashlib, io, sys, tarfile
def section(entries):
    out = io.BytesIO()
    tar = tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT)
    for name, text, pax in entries:
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode, info.pax_headers = len(text), 1700000000, 0o755, pax
        tar.addfile(info, io.BytesIO(text))
    return out, tar
text = b"able\n"
cap = "\x01\x00\x00\x02\x00\x20\x00\x00" + "\x00" * 12
data, tar = section([("able", text, {"APK-TOOLS.checksum.SHA1": hashlib.sha1(text).hexdigest(),
                                     "SCHILY.xattr.security.capability": cap})])
tar.close()
data = gzip.compress(data.getvalue(), mtime=0)
info = f"pkgname = able\npkgver = 1-r0\narch = x86_64\nsize = 5\nlicense = MIT\npkgdesc = x\norigin = able\nbuilddate = 1700000000\ndatahash = {hashlib.sha256(data).hexdigest()}\n"
control, tar = section([(".PKGINFO", info.encode(), {})])
length = tar.offset
open(sys.argv[1], "wb").write(gzip.compress(control.getvalue()[:length], mtime=0) + data)
P
index repo
conf
sed -i 's/\[tool\]/[tool, able]/' c.yaml
b
T | tar tvv --xattrs --xattrs-include='*' >got
grep -A2 ' able$' got | grep 'x: 20 security.capability' >/dev/null || fail 'I098: the capability is lost'
# I101 to I107: the configuration
conf
b
is 'github.com/chainguard-dev/apko linux' "$(K '.author+" "+.os')" I101
is 'This is an apko single-layer image' "$(K '.history[0].comment')" I102
b --annotations org.opencontainers.image.title:T,org.opencontainers.image.vendor:V
is 'T by V' "$(K '.history[0].comment')" I102
conf 'layering: {strategy: origin, budget: 2}'
b
is null "$(K '.history[0].comment')" 'I102: layered'
conf 'environment: {SSL_CERT_FILE: /x, A: ""}'
b
is 'A= PATH=/usr/local/sbin:/usr/local/bin:/usr/bin:/usr/sbin:/sbin:/bin SSL_CERT_FILE=/x' "$(K '.config.Env[]' | xargs)" I103
conf "cmd: a \"b c\""
b
is '["a","b c"]' "$(K '.config.Cmd|tojson')" I104
conf "cmd: 'a \"b'"
no 'cmd' # I104: unclosed
conf
sed -i 's|^entrypoint.*|entrypoint: {shell-fragment: "echo a; b"}|' c.yaml
b
is '["/bin/sh","-c","echo a; b"]' "$(K '.config.Entrypoint|tojson')" I105
conf 'annotations: {x.y: z}'
b --vcs=false
is "$(M '.annotations|tojson')" "$(K '.config.Labels|tojson')" I106
conf 'stop-signal: SIGINT' 'work-dir: /w' 'volumes: [/v]'
b
is '{"Volumes":{"/v":{}},"WorkingDir":"/w","StopSignal":"SIGINT"}' "$(K '.config|{Volumes,WorkingDir,StopSignal}|tojson')" I107
# I108, I109
is 'application/vnd.oci.image.manifest.v1+json application/vnd.oci.image.config.v1+json' "$(M '.mediaType+" "+.config.mediaType')" I108
is application/vnd.oci.image.config.v1+json "$(I '.manifests[0].artifactType')" I109
# I110 to I112: where it comes from
mkdir clone
(
	cd clone
	git init -q .
	git remote add origin https://user:word@git.example.invalid/x/y
	cp -r ../repo ../test.rsa.pub .
	cp ../image.yaml .
	git add image.yaml
	git -c user.name=t -c user.email=t@example.invalid commit -qm c
)
revision=$(git -C clone rev-parse HEAD)
rm -rf o
ok "$apko" -C clone build image.yaml t:1 ../o/
is "https://git.example.invalid/x/y $revision" \
	"$(I '.annotations|.["org.opencontainers.image.source"]+" "+.["org.opencontainers.image.revision"]')" I110
rm -rf o
ok "$apko" -C clone build image.yaml t:1 ../o/ --vcs=false
is null "$(I '.annotations["org.opencontainers.image.source"]')" I111
cp clone/image.yaml clone/c.yaml
echo 'vcs-url: https://u:p@other.example.invalid/z@abc' >>clone/c.yaml
rm -rf o
ok "$apko" -C clone build c.yaml t:1 ../o/
is 'https://other.example.invalid/z abc' \
	"$(I '.annotations|.["org.opencontainers.image.source"]+" "+.["org.opencontainers.image.revision"]')" I112
# I113, I114: the archive that docker loads
conf
ok "$apko" build c.yaml tt:1 o.tar --arch amd64
tar xOf o.tar manifest.json | jq -r '.[].RepoTags[]' >tags
grep -qxE '(index.docker.io/library/)?tt:1(-amd64)?' tags || fail "I113: $(cat tags)"
printf 'contents: {keyring: [test.rsa.pub], repositories: [repo], packages: [base]}\narchs: [arm/v6, arm/v7]\n' >c.yaml
ok "$apko" build c.yaml tt:1 o.tar
is 2 "$(tar xOf o.tar manifest.json | jq -r '.[].RepoTags[]' | sort -u | wc -l)" 'I114: names of two variants'
# I115, I117 to I120: layers
conf 'layering: {strategy: origin, budget: 2}'
sed -i 's/\[tool\]/[tool, one, two, three]/' c.yaml
b
n=$(M '.layers|length')
case $n in
2 | 3) ;;
*) fail "I115: $n layers" ;;
esac
mkdir all single
for ((i = 0; i < n; i++)); do
	T "$i" | tar tf - | grep -x usr/lib/apk/db/installed >/dev/null || fail "I117: layer $i has no database"
	T "$i" | tar x -C all --exclude='dev/*' --no-same-owner
done
sed -i 's/^layering.*/layering: {}/' c.yaml
b
is 1 "$(M '.layers|length')" I119
T | tar x -C single --exclude='dev/*' --no-same-owner
jq 'del(.layering)' all/etc/apko.json >a.json
jq 'del(.layering)' single/etc/apko.json >s.json
same s.json a.json
rm all/etc/apko.json single/etc/apko.json
diff -r --no-dereference all single >&2 || fail 'I118: layers and layer differ'
sed -i 's/^layering.*/layering: {strategy: size, budget: 2}/' c.yaml
no 'size' # I120
# I132, I133, I135: SBOM
rm -f ./*.spdx.json
mkdir -p root/withsbom/var/lib/db/sbom
cat >root/withsbom/var/lib/db/sbom/withsbom.spdx.json <<'J'
{"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "x", "dataLicense": "CC0-1.0",
 "documentNamespace": "https://example.invalid/x", "creationInfo": {"created": "1970-01-01T00:00:00Z", "creators": ["Tool: t"]},
 "documentDescribes": ["SPDXRef-Package-own"],
 "packages": [{"SPDXID": "SPDXRef-Package-own", "name": "own-name", "versionInfo": "1", "downloadLocation": "NOASSERTION"}],
 "relationships": []}
J
package repo withsbom 1-r0
index repo
conf
sed -i 's/\[tool\]/[tool, withsbom]/' c.yaml
b
grep -q own-name sbom-x86_64.spdx.json || fail 'I133: the package says more itself'
rm -rf o
printf 'contents: {keyring: [test.rsa.pub], repositories: [repo], packages: [base]}\narchs: [arm/v6, arm/v7]\n' >c.yaml
ok "$apko" build c.yaml t:1 o/
is 2 "$(jq '[.relationships[]|select(.relationshipType=="VARIANT_OF")]|length' sbom-index.spdx.json)" I132
python3 - sbom-index.spdx.json sbom-x86_64.spdx.json <<'P' || fail 'I135: not SPDX'
import json, re, sys
for path in sys.argv[1:]:
    d = json.load(open(path))
    ids = [d["SPDXID"]] + [p["SPDXID"] for p in d.get("packages", []) + d.get("files", [])]
    assert d["spdxVersion"] == "SPDX-2.3" and d["dataLicense"] == "CC0-1.0", path
    assert re.fullmatch(r"https://\S+", d["documentNamespace"]), path
    assert d["creationInfo"]["creators"] and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", d["creationInfo"]["created"]), path
    assert len(ids) == len(set(ids)), path
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", i) for i in ids), path
    for p in d["packages"]:
        assert p["name"] and p["downloadLocation"], path
    for r in d["relationships"]:
        assert r["spdxElementId"] in ids and r["relatedSpdxElement"] in ids, (path, r)
P
