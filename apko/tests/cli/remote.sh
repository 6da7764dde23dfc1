#!/bin/bash
# Repositories over the network: passwords that stay with us, keys that a repository announces,
# lock files that need neither index nor key, and no network at all.
# Rows of the feature checklist (apko 9): I048.
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"
distribution
mkdir -p served served/os
unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY
cp -r repo/x86_64 served/os/
openssl req -x509 -newkey rsa:2048 -nodes -keyout tls.key -out tls.crt -days 2 -subj /CN=127.0.0.1 \
	-addext subjectAltName=IP:127.0.0.1 2>/dev/null
export SSL_CERT_FILE=$work/tls.crt

# serve ARG...: $at is the address
server=
stop() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	server=
}
trap 'stop; rm -rf "$work"' EXIT
serve() {
	stop
	rm -f port log
	python3 "$SRC/apko/tests/cli/remote.py" . served "$@" 2>served.err &
	server=$!
	disown
	for _ in $(seq 100); do
		[ ! -e port ] || break
		sleep 0.1
	done
	at=127.0.0.1:$(cat port)
}
layer() {
	local m
	m=$(jq -r '.manifests[0].digest' "$1/index.json")
	m=$(jq -r '.layers[0].digest' "$1/blobs/sha256/${m#sha256:}")
	gzip -dc "$1/blobs/sha256/${m#sha256:}"
}

# the user name and password of a repository reach its server, and nothing else
serve --password 'me:pass word'
sed "s|\[repo\]|['http://me:pass%20word@$at/os/']|" image.yaml >remote.yaml
ok "$apko" build remote.yaml remote:1 out/
grep -q "^/os/x86_64/tool-1.5-r0.apk apko/" log || fail 'how we call ourselves'
for dir in out cache; do
	! grep -raq -e 'pass%20word' -e 'pass word' "$dir" || fail "the password is in $dir"
done
! layer out | grep -aq 'pass.*word@' || fail 'the password is in the layer'
layer out | tar xO etc/apk/repositories | grep -x "http://$at/os" >got || fail 'repository in the image'
ok "$apko" show-packages remote.yaml --format packagelock-source
grep -qx -- "- tool=1.5-r0 # http://$at/os/x86_64/tool-1.5-r0.apk" stdout || fail 'show-packages'
ok "$apko" lock remote.yaml
! grep -q 'word' remote.lock.json || fail 'the password is in the lock file'
# from the lock, though the index is gone; the password is the configuration's
mv served/os/x86_64/APKINDEX.tar.gz .
rm log
ok "$apko" build remote.yaml remote:1 locked/ --lockfile remote.lock.json --cache-dir fresh
cmp out/index.json locked/index.json
! grep -q APKINDEX log || fail 'an index was asked for'
mv APKINDEX.tar.gz served/os/x86_64/
# a wrong one is not shown either
sed "s|\[repo\]|['http://me:guess@$at/os']|" image.yaml >wrong.yaml
bad "http://$at/os/x86_64/APKINDEX.tar.gz" "$apko" build wrong.yaml remote:1 none/ --cache-dir fresh2
! grep -q guess stderr || fail 'the password is in a message'
# without any network: from the cache, or an error
stop
ok "$apko" build remote.yaml remote:1 offline/ --offline
cmp out/index.json offline/index.json
ok "$apko" build remote.yaml remote:1 offline2/ --offline --lockfile remote.lock.json
bad "http://$at/os" "$apko" build remote.yaml remote:1 none/ --offline --cache-dir fresh2

# a repository that announces its key
serve --tls tls.crt tls.key
hex() { openssl rsa -pubin -in test.rsa.pub -noout -modulus | cut -d= -f2; }
n=$(hex | python3 -c 'import sys, base64; print(base64.urlsafe_b64encode(bytes.fromhex(sys.stdin.read())).decode().rstrip("="))')
printf '{"jwks_uri": "https://%s/os/keys.json"}' "$at" >served/os/apk-configuration
printf '{"keys": [{"kty": "RSA", "kid": "test", "n": "%s", "e": "AQAB"}]}' "$n" >served/os/keys.json
sed "s|\[repo\]|['https://$at/os']|; /keyring/d" image.yaml >announced.yaml
ok "$apko" build announced.yaml announced:1 keys/ --log-level debug
layer keys | tar xO etc/apk/keys/test.rsa.pub >key
openssl rsa -pubin -in key -noout -modulus 2>/dev/null | cut -d= -f2 | cmp - <(hex)
ok "$apko" lock announced.yaml
[ "$(jq -r '.contents.keyring[] | .name + " " + .url' announced.lock.json)" = \
	"$at/os/test.rsa.pub https://$at/os/test.rsa.pub" ] || fail 'the key in the lock file'
# the lock file has it: nothing but packages is asked for
rm log
ok "$apko" build announced.yaml announced:1 keys2/ --lockfile announced.lock.json --cache-dir fresh3
cmp keys/index.json keys2/index.json
[ "$(cut -d' ' -f1 log | grep -v '\.apk$')" = '' ] || fail "more than packages: $(cat log)"
mkdir -p sys/etc/apk
echo "https://$at/os" >sys/etc/apk/repositories
ok "$apko" install-keys --root sys
cmp key sys/etc/apk/keys/test.rsa.pub
[ "$(stat -c %a sys/etc/apk/keys/test.rsa.pub)" = 644 ] || fail 'mode of the key'
# without the announcement nothing can be trusted
rm served/os/apk-configuration
bad "https://$at/os/x86_64/APKINDEX.tar.gz" "$apko" build announced.yaml announced:1 none/ --cache-dir fresh4
