#!/bin/bash
# `melange update-cache`: what it keeps, what it asks for, and what it refuses.
# Row R08 of melange-build 10.
set -euo pipefail
# shellcheck source=melange/tests/cli/lib.sh
. "$SRC/melange/tests/cli/lib.sh"

mkdir -p packages www
for n in 1 2 3; do printf 'source %s\n' "$n" >www/s-$n; done
python3 "$SRC/pipelines/tests/server.py" www port http.log &
trap 'kill %1' EXIT
for _ in $(seq 100); do [ -s port ] && break; sleep 0.05; done
url=http://127.0.0.1:$(cat port)
sum() { "sha$1sum" <"www/s-$2" | cut -d' ' -f1; }

cat >a.yaml <<EOF
package: {name: a, version: 1, epoch: 0}
vars: {two: "$(sum 512 2)"}
pipeline:
  - uses: fetch
    with: {uri: "$url/s-\${{package.version}}", expected-sha256: $(sum 256 1)}
  - pipeline:
      - uses: fetch
        with: {uri: $url/s-2, expected-sha512: "\${{vars.two}}"}
      - uses: fetch
        with: {uri: $url/s-2, expected-sha512: "\${{vars.two}}"}
  - uses: fetch
    with: {uri: $url/s-3, expected-sha512: $(sum 512 3), expected-sha256: $(sum 256 3)}
  - uses: fetch
    with: {uri: $url/unsummed, expected-none: true}
subpackages:
  - name: b
    pipeline:
      - uses: fetch
        with: {uri: $url/missing, expected-sha256: $(sum 256 1)}
EOF
works first "$melange" update-cache a.yaml --cache-dir c/deep
printf '%s\n' "sha256:$(sum 256 1)" "sha256:$(sum 256 3)" "sha512:$(sum 512 2)" "sha512:$(sum 512 3)" |
	LC_ALL=C sort | cmp - <(LC_ALL=C ls c/deep) || fail "R08: not the names wanted: $(ls c/deep)"
cmp www/s-1 "c/deep/sha256:$(sum 256 1)" || fail 'not the bytes'
[ "$(sort http.log | tr '\n' ' ')" = 'GET /s-1 GET /s-2 GET /s-3 ' ] || fail "asked for: $(cat http.log)"

# again: nothing is asked for; what is damaged is mended
: >http.log
works again "$melange" update-cache a.yaml --cache-dir c/deep
[ -s http.log ] && fail "asked again: $(cat http.log)"
printf x >"c/deep/sha256:$(sum 256 1)"
works mend "$melange" update-cache a.yaml --cache-dir c/deep
cmp www/s-1 "c/deep/sha256:$(sum 256 1)" || fail 'a damaged file was not mended'
grep -qx 'GET /s-1' http.log || fail 'nothing was asked for'

# a bucket is only checked
works bucket "$melange" update-cache a.yaml --cache-dir gs://bucket/x
[ -e 'gs:' ] && fail 'a directory was made for a bucket'

row() {
	local name=$1 pattern=$2
	cat >"$name.yaml"
	refused "$name" "$pattern" "$melange" update-cache "$name.yaml" --cache-dir "cache-$name"
	[ -z "$(ls -A "cache-$name" 2>/dev/null)" ] || fail "$name: something was kept: $(ls -A "cache-$name")"
}
row wrong "wrong.yaml:3:[0-9]+: '$url/s-1' is not what the file expects: its sum is $(sum 256 1)" <<EOF
package: {name: a, version: 1, epoch: 0}
pipeline:
  - {uses: fetch, with: {uri: $url/s-1, expected-sha256: $(sum 256 2)}}
EOF
row half "is not what the file expects: its sum is $(sum 512 1)" <<EOF
package: {name: a, version: 1, epoch: 0}
pipeline:
  - {uses: fetch, with: {uri: $url/s-1, expected-sha256: $(sum 256 1), expected-sha512: $(sum 512 2)}}
EOF
row name 'name.yaml:3:[0-9]+: expected-sha256 "../x" is not 64 hex digits' <<EOF
package: {name: a, version: 1, epoch: 0}
pipeline:
  - {uses: fetch, with: {uri: $url/s-1, expected-sha256: ../x}}
EOF
row gone '404' <<EOF
package: {name: a, version: 1, epoch: 0}
pipeline:
  - {uses: fetch, with: {uri: $url/none, expected-sha256: $(sum 256 1)}}
EOF
printf file >taken
refused notdir 'taken' "$melange" update-cache a.yaml --cache-dir taken
finish
