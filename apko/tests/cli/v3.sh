#!/bin/bash
# Repositories of the v3 format: images have the tree that their packages say, beside v2 packages,
# locked, over the network and from the cache; what does not check out is refused; guests are made
# of them, too.
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"
unset http_proxy HTTP_PROXY
arch=x86_64
mkadb=$BIN/../tests/mkadb

# v3package REPO NAME VERSION [FIELD=TEXT...]: what lies in root/NAME
v3package() {
	local repo=$1 name=$2 version=$3
	shift 3
	mkdir -p "$repo/$arch" "root/$name"
	"$mkadb" "$repo/$arch/$name-$version.apk" - "root/$name" "name=$name" "version=$version" \
		"arch=$arch" "$@" || fail "$name cannot be made"
}

# v3index REPO [FIELD=TEXT...]: of all packages in it
v3index() {
	local dir=$1/$arch
	shift
	"$mkadb" "$dir/Packages.adb" test.rsa index "$@" "$dir"/*.apk || fail 'index cannot be made'
}

# layer IMAGE: its only layer, as a tar
layer() {
	local m
	m=$(jq -r '.manifests[0].digest' "$1/index.json")
	m=$(jq -r '.layers[0].digest' "$1/blobs/sha256/${m#sha256:}")
	gzip -dc "$1/blobs/sha256/${m#sha256:}"
}

mkdir -p root/base/etc root/base/tmp root/tool/usr/bin root/tool/srv/www root/lib/usr/lib
printf 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:34::/srv:/bin/sh\n' >root/base/etc/passwd
printf 'root:x:0:\nwww-data:x:34:\n' >root/base/etc/group
echo ID=small >root/base/etc/os-release
chmod 1777 root/base/tmp
printf '#!/bin/sh\necho tool\n' >root/tool/usr/bin/tool
chmod 4755 root/tool/usr/bin/tool
ln root/tool/usr/bin/tool root/tool/usr/bin/a-tool
ln -s tool root/tool/usr/bin/tool-link
chmod 2775 root/tool/srv/www
echo page >root/tool/srv/www/index.html
head -c 300000 /dev/zero | tr '\0' 'l' >root/lib/usr/lib/libsmall.so.1

package repo lib 2.1-r3 'provides=so:libsmall.so.1=1'
v3package repo base 1.0-r0 comp=zstd
v3package repo tool 1.5-r0 'depends=base>=1 so:libsmall.so.1 !bad' 'post-install=true' \
	'triggers=/usr/share/* /etc' owner=srv/www:www-data:www-data \
	owner=srv/www/index.html:www-data:nobody-knows
v3index repo 'description=a small one'
cat >image.yaml <<-END
	contents:
	  keyring: [test.rsa.pub]
	  repositories: [repo]
	  packages: [tool]
	archs: [x86_64]
END
ok "$apko" build image.yaml small:1 out/
layer out >layer.tar
tar tvf layer.tar --numeric-owner | awk '{print $1, $2, $6, $7, $8, $9}' | sed 's/ *$//' >got
for want in \
	'-rwsr-xr-x 0/0 usr/bin/a-tool' \
	'hrwsr-xr-x 0/0 usr/bin/tool link to usr/bin/a-tool' \
	'lrwxrwxrwx 0/0 usr/bin/tool-link -> tool' \
	'drwxrwxr-x 33/34 srv/www' \
	'-rw-r--r-- 33/65534 srv/www/index.html' \
	'drwxrwxrwt 0/0 tmp' \
	'-rw-r--r-- 0/0 usr/lib/libsmall.so.1'; do
	grep -qxF -- "$want" got || fail "the layer lacks: $want
$(cat got)"
done
tar xOf layer.tar usr/bin/a-tool | cmp - root/tool/usr/bin/tool
db=usr/lib/apk/db
tar xOf layer.tar $db/installed >installed
for want in F:srv/www M:33:34:2775 a:33:65534:644 a:0:0:4755 f:S P:lib A:x86_64 \
	'D:base>=1 so:libsmall.so.1 !bad'; do
	grep -qxF -- "$want" installed || fail "the database lacks: $want"
done
sum=$(awk -F: '/^C:/ {c = $2} /^P:tool$/ {print c}' installed)
hex=$(echo "${sum#Q1}" | base64 -d | od -An -tx1 | tr -d ' \n')
[ "$(tar xOf layer.tar $db/triggers)" = "$sum /usr/share/* /etc" ] || fail 'triggers'
[ "$(tar xOf layer.tar $db/scripts.tar.gz | tar tz)" = "tool-1.5-r0.X1$hex.post-install" ] ||
	fail 'scripts'
! tar tf layer.tar | grep -qx $db/scripts.tar || fail 'scripts are there twice'

# the same again from the store, from nothing, and from a lock file
ok env TZ=Asia/Tokyo "$apko" build image.yaml small:1 again/
same out/index.json again/index.json
ok "$apko" build image.yaml small:1 anew/ --cache-dir other
same out/index.json anew/index.json
ok "$apko" lock image.yaml
[ "$(jq -r '.contents.repositories[].url' image.lock.json)" = repo/x86_64/Packages.adb ] ||
	fail 'the lock file has another index'
ok "$apko" build image.yaml small:1 locked/ --lockfile image.lock.json --cache-dir third
layer locked >locked.tar
same layer.tar locked.tar

# an index by its name, and one that says where packages are
sed 's|\[repo\]|[repo/x86_64/Packages.adb]|' image.yaml >named.yaml
ok "$apko" build named.yaml small:1 named/
layer named | tar xO usr/bin/a-tool | cmp - root/tool/usr/bin/tool
mkdir -p spread/x86_64/tool spread/x86_64/base spread/x86_64/lib
cp repo/x86_64/*.apk spread/x86_64/
# shellcheck disable=SC2016 # the index has it so
v3index spread 'spec=x86_64/${name}/${name}_${version}.apk' bits=160
for name in base tool lib; do
	mv spread/x86_64/$name-* "$(echo spread/x86_64/$name-* |
		sed -E "s|/$name-([^/]*)\$|/$name/${name}_\\1|")"
done
sed 's|\[repo\]|[spread]|' image.yaml >spread.yaml
ok "$apko" build spread.yaml small:1 spread.out/ --cache-dir fourth
layer spread.out | tar xO usr/bin/a-tool | cmp - root/tool/usr/bin/tool

# packages without architecture where apk-tools 3 looks for them, also from a lock file
mkdir -p apart/x86_64 root/doc/usr/share/doc
echo text >root/doc/usr/share/doc/text
cp repo/x86_64/base-1.0-r0.apk apart/x86_64/
arch=noarch v3package apart doc 1-r0
"$mkadb" apart/x86_64/Packages.adb test.rsa index apart/*/*.apk
sed 's|\[repo\]|[apart]|; s|\[tool\]|[base, doc]|' image.yaml >apart.yaml
ok "$apko" build apart.yaml small:1 apart.out/ --cache-dir eighth
layer apart.out | tar xO usr/share/doc/text | cmp - root/doc/usr/share/doc/text
ok "$apko" lock apart.yaml --cache-dir eighth
ok "$apko" build apart.yaml small:1 apart.locked/ --lockfile apart.lock.json --cache-dir ninth
layer apart.locked | tar xO usr/share/doc/text | cmp - root/doc/usr/share/doc/text

# over the network, then without it; and with a password, which the lock file does not have
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$work"' EXIT
serve() {
	rm -f port
	python3 "$SRC/apko/tests/cli/remote.py" . . "$@" 2>served.err &
	server=$!
	disown
	for _ in $(seq 100); do
		[ ! -e port ] || break
		sleep 0.1
	done
	at=127.0.0.1:$(cat port)
}
serve
sed "s|\[repo\]|['http://$at/repo']|" image.yaml >remote.yaml
ok "$apko" build remote.yaml small:1 remote/ --cache-dir fifth
layer remote | tar xO usr/bin/a-tool | cmp - root/tool/usr/bin/tool
kill $server
ok "$apko" build remote.yaml small:1 offline/ --cache-dir fifth --offline
same remote/index.json offline/index.json
serve --password me:secret
for line in repo repo/x86_64/Packages.adb; do
	sed "s|\[repo\]|['http://me:secret@$at/$line']|" image.yaml >shut.yaml
	ok "$apko" lock shut.yaml --cache-dir "sixth/$line"
	! grep -q secret shut.lock.json || fail "the password of $line is in the lock file"
	ok "$apko" build shut.yaml small:1 shut/ --lockfile shut.lock.json --cache-dir "seventh/$line"
	rm -rf shut
done
kill $server

# what does not check out
flip() {
	local byte
	byte=$(od -An -tu1 -j "$2" -N 1 "$1")
	# shellcheck disable=SC2059 # the byte is made here
	printf "\\$(printf %03o $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}
# damaged TEXT COMMAND...: run in the copy's directory
damaged() {
	local text=$1
	shift
	rm -rf bad fresh
	cp -r repo bad
	(cd bad/x86_64 && "$@") || fail "cannot damage it for '$text'"
	sed 's|\[repo\]|[bad]|' image.yaml >bad.yaml
	bad "$text" "$apko" build bad.yaml small:1 bad.out/ --cache-dir fresh
	[ ! -e bad.out ] || fail "$text: there is an output"
}
unsigned() {
	"$mkadb" Packages.adb - index ./*.apk
}
signed_by_other() {
	"$BIN/melange" keygen --key-size 2048 other.rsa 2>/dev/null
	"$mkadb" Packages.adb other.rsa index ./*.apk
}
other_package() {
	echo changed >../../root/tool/srv/www/index.html
	"$mkadb" tool-1.5-r0.apk - ../../root/tool name=tool version=1.5-r0 arch=x86_64
}
same_size() {
	local size
	size=$(stat -c %s tool-1.5-r0.apk)
	head -c "$size" /dev/urandom >tool-1.5-r0.apk
	printf ADBd | dd of=tool-1.5-r0.apk conv=notrunc status=none
}
damaged 'bad/x86_64/Packages.adb: untrusted: it is not signed' unsigned
damaged 'bad/x86_64/Packages.adb: untrusted signature: by no known key' signed_by_other
damaged 'bad/x86_64/Packages.adb' flip Packages.adb 200
damaged 'bad/x86_64/Packages.adb' truncate -s -5 Packages.adb
damaged "bad/x86_64/tool-1.5-r0.apk" flip tool-1.5-r0.apk 300
damaged "bad/x86_64/base-1.0-r0.apk" flip base-1.0-r0.apk 200
damaged "bad/x86_64/tool-1.5-r0.apk': size mismatch" truncate -s +1 tool-1.5-r0.apk
damaged "bad/x86_64/tool-1.5-r0.apk': size mismatch" other_package
damaged "bad/x86_64/tool-1.5-r0.apk" same_size

# a guest of melange
arch=$(uname -m)
mkdir -p root/busybox/bin root/busybox/tmp
cp "$(command -v busybox)" root/busybox/bin/busybox
for name in sh mkdir cat ls env chmod; do
	ln -s busybox root/busybox/bin/$name
done
v3package guest busybox 1.35.0-r0 comp=zstd
v3index guest
cat >made.yaml <<-END
	package: {name: made, version: "1", epoch: 0, copyright: [{license: MIT}]}
	environment:
	  contents:
	    repositories: [$work/guest]
	    keyring: [$work/test.rsa.pub]
	    packages: [busybox]
	pipeline:
	  - runs: |
	      mkdir -p \${{targets.destdir}}/usr/share
	      echo good > \${{targets.destdir}}/usr/share/made
END
ok "$BIN/melange" build made.yaml --arch host --git-commit unknown \
	--git-repo-url https://example.org/x --signing-key test.rsa --empty-workspace --no-network
tar xzOf "packages/$arch/made-1-r0.apk" usr/share/made 2>/dev/null | grep -qx good ||
	fail 'the package made in the guest'

# the recorded repository, where it is at hand
data=$SRC/../shared/data/v3
if [ ! -e "$data" ]; then
	echo "skipped: no $data"
	exit 0
fi
cat >recorded.yaml <<-END
	contents:
	  repositories: [$data]
	  packages: [alpha-files, alpha-min, alpha-scripts]
	archs: [x86_64]
END
ok "$apko" build recorded.yaml recorded:1 recorded/ --ignore-signatures
layer recorded >recorded.tar
python3 - "$data/tree.tsv" recorded.tar <<-END || fail 'another tree than recorded'
	import sys, tarfile
	bad, members = 0, {}
	tar = tarfile.open(sys.argv[2])
	for m in tar:
	    if m.islnk():
	        m.size = members[m.linkname].size
	    members[m.name] = m
	for line in open(sys.argv[1], encoding='utf-8'):
	    path, kind, mode, uid, gid, size, link = line.rstrip('\n').split('\t')
	    m = members.get(path)
	    got = m and ('d' if m.isdir() else 'l' if m.issym() else 'f', '%o' % m.mode, str(m.uid),
	                 str(m.gid), str(m.size) if m.isfile() or m.islnk() else size,
	                 m.linkname if m.issym() else '')
	    if got != (kind, mode, uid, gid, size, link):
	        print(path, got, (kind, mode, uid, gid, size, link), file=sys.stderr)
	        bad += 1
	sys.exit(bad != 0)
END
