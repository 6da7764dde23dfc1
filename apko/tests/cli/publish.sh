#!/bin/bash
# publish, against registries on this machine: without credentials, with a password, with tokens,
# over TLS, broken ones; and into docker by its program.
# Rows of the feature checklist (apko 9): I045 I136 I137 I138 I139 I140 I141 I142.
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"
archs='x86_64 aarch64'
distribution
sed -i 's/^archs:.*/archs: [x86_64, aarch64]\nlayering: {strategy: origin, budget: 5}/' image.yaml
ok "$apko" build image.yaml test/small:1 layout/
digest=sha256:$(sha256sum <layout/index.json | cut -d' ' -f1)
mkdir -p registry .docker
unset REGISTRY_AUTH_FILE XDG_RUNTIME_DIR XDG_CONFIG_HOME GITHUB_TOKEN http_proxy HTTP_PROXY
export DOCKER_CONFIG=$work/.docker
echo test/small >registry/repo

# registry ARG...: runs one; $at is its address
server=
stop() {
	[ -z "$server" ] || kill "$server" 2>/dev/null || true
	server=
}
trap 'stop; rm -rf "$work"' EXIT
registry() {
	stop
	rm -f registry/port registry/log
	python3 "$SRC/apko/tests/cli/registry.py" registry "$@" 2>registry/err &
	server=$!
	disown
	for _ in $(seq 100); do
		[ ! -e registry/port ] || break
		sleep 0.1
	done
	at=127.0.0.1:$(cat registry/port)
}

# pushed [CREDENTIALS]: skopeo gets back what was built
pushed() {
	same <(echo "$at/test/small@$digest") stdout
	skopeo inspect --raw --tls-verify=false ${1:+--creds "$1"} "docker://$at/test/small:1" >raw ||
		fail 'skopeo cannot look at it'
	cmp raw layout/index.json
	rm -rf back
	skopeo --insecure-policy copy -q --all --src-tls-verify=false ${1:+--src-creds "$1"} \
		"docker://$at/test/small:1" dir:back ||
		fail 'skopeo cannot read it'
}

registry
ok "$apko" publish image.yaml "$at/test/small:1" "$at/test/small:two" "$at/other:1" --image-refs refs
pushed
for ref in test/small:two other:1; do
	skopeo inspect --raw --tls-verify=false "docker://$at/$ref" >raw || fail "skopeo: $ref"
	cmp raw layout/index.json
done
[ ! -e sbom-index.spdx.json.new ] || fail 'SBOM'
{
	jq -r '.manifests[].digest' layout/index.json
	echo "$digest"
} | sed "s|^|$at/test/small@|" >expected
same expected refs
# what is there is not sent again
sends=$(grep -cE '^(POST|PATCH|PUT)' registry/log)
ok "$apko" publish image.yaml "$at/test/small:1" --sbom-path .
[ "$(grep -cE '^(POST|PATCH|PUT)' registry/log)" = "$sends" ] || fail 'sent again'

# a password
registry --auth basic
bad "registry '$at': authentication: status 401" "$apko" publish image.yaml "$at/test/small:1"
grep -q "hint: .*apko login $at" stderr || fail 'no hint'
echo 'pass word' | ok "$apko" login "$at" -u user --password-stdin
ok "$apko" publish image.yaml "$at/test/small:1"
pushed 'user:pass word'
! grep -q 'pass' registry/log || fail 'a password in a URL'

# tokens, which are asked for with the password
registry --auth token
ok "$apko" login "$at" -u user -p 'wrong'
bad "asking for a token: status 401: UNAUTHORIZED: wrong password" \
	"$apko" publish image.yaml "$at/test/small:1"
ok "$apko" login "$at" -u user -p 'pass word'
ok "$apko" publish image.yaml "$at/test/small:1"
same <(echo "$at/test/small@$digest") stdout
[ "$(stat -c %a .docker/config.json)" = 600 ] || fail 'others may read the password'
# of a helper program
mkdir bin
cat >bin/docker-credential-test <<'END'
#!/bin/sh
cat >"$STORED.$1"
[ "$1" = store ] || echo '{"Username": "user", "Secret": "pass word"}'
END
chmod +x bin/docker-credential-test
echo '{"credsStore": "test", "other": {"kept": [1, null, true, "x"]}}' >.docker/config.json
STORED=$work/stored PATH=$work/bin:$PATH ok "$apko" login "$at" -u user -p 'pass word'
[ "$(jq -r '.ServerURL, .Username, .Secret' stored.store | tr '\n' '|')" = "$at|user|pass word|" ] ||
	fail 'the helper was not told'
[ "$(jq -c .other.kept .docker/config.json)" = '[1,null,true,"x"]' ] || fail 'docker configuration'
! grep -q auths .docker/config.json || fail 'the password is in the file as well'
STORED=$work/stored PATH=$work/bin:$PATH ok "$apko" publish image.yaml "$at/test/small:1"
rm .docker/config.json

# TLS, with a certificate that is trusted by the environment
openssl req -x509 -newkey rsa:2048 -nodes -keyout tls.key -out tls.crt -days 2 -subj /CN=127.0.0.1 \
	-addext subjectAltName=IP:127.0.0.1 2>/dev/null
registry --tls tls.crt tls.key
bad "registry '$at'" "$apko" publish image.yaml "$at/test/small:1"
SSL_CERT_FILE=$work/tls.crt ok "$apko" publish image.yaml "$at/test/small:1"
same <(echo "$at/test/small@$digest") stdout

# busy at first, breaking off
registry --flaky 2
ok "$apko" publish image.yaml "$at/test/small:1"
pushed
# refusing, sending elsewhere, not there
registry --refuse
bad "beginning an upload: status 403: DENIED: you may not write here" \
	"$apko" publish image.yaml "$at/test/small:1"
registry --away http://10.0.0.1
bad "sends an upload to 'http://10.0.0.1" "$apko" publish image.yaml "$at/test/small:1"
bad '--offline' "$apko" publish image.yaml "$at/test/small:1" --offline
stop
bad 'UPPER' "$apko" publish image.yaml UPPER/case:1
bad 'TAG' "$apko" publish image.yaml

# docker, played by a script
cat >bin/docker <<'END'
#!/bin/sh
echo "$@" >>"$STORED"
case $1 in
image) [ -e "$STORED.loaded" ] ;;
load) tar tf "$4" >"$STORED.loaded" ;;
esac
END
chmod +x bin/docker
hex=$(jq -r '.manifests[0].digest' layout/index.json)
name=apko.local/cache:${hex#sha256:}
STORED=$work/docker.log PATH=$work/bin:$PATH ok "$apko" publish image.yaml test/small:1 --local
same <(echo "$name") stdout
grep -q 'manifest.json' docker.log.loaded || fail 'nothing was loaded'
grep -qx "tag $name index.docker.io/test/small:1" docker.log || fail 'no tag'
: >docker.log
STORED=$work/docker.log PATH=$work/bin:$PATH ok "$apko" publish image.yaml test/small:1 --local
! grep -q '^load' docker.log || fail 'loaded again'
