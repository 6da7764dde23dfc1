#!/bin/bash
# `melange bump`: rows B01..B09 and E55 of the language's checklist, and what goes wrong.
# Rows R06 and R07 of melange-build 10.
set -euo pipefail
# shellcheck source=melange/tests/cli/lib.sh
. "$SRC/melange/tests/cli/lib.sh"

mkdir -p packages www/f
printf one >www/f-2_0-r0
printf two >www/f/two
python3 "$SRC/pipelines/tests/server.py" www port http.log &
trap 'kill %1' EXIT
for _ in $(seq 100); do [ -s port ] && break; sleep 0.05; done
url=http://127.0.0.1:$(cat port)
one256=$(sha256sum <www/f-2_0-r0 | cut -d' ' -f1)
one512=$(sha512sum <www/f-2_0-r0 | cut -d' ' -f1)
two256=$(sha256sum <www/f/two | cut -d' ' -f1)
commit=0123456789abcdef0123456789abcdef01234567

cat >base.yaml <<EOF
# The file's own comment.

package:
  name: f
  version: 1.0 # as released
  epoch: 2

  description:   "text"   
vars:
  keep: 'x'
var-transforms:
  - from: \${{package.version}}
    match: \.
    replace: _
    to: mangled

pipeline:
  - uses: fetch
    with:
      uri: $url/f-\${{vars.mangled}}-r\${{package.epoch}}
      expected-sha512:   '00' # two sums
      expected-sha256: "00"
  - name: fetch
    runs: "true"
  - pipeline:
      - uses: fetch
        if: \${{build.arch}} == 'none'
        with: {uri: $url/f/two, expected-sha256: 00}
  - uses: fetch
    with:
      uri: $url/f/two
      expected-none: yes

subpackages:
  - name: g
    pipeline:
      - uses: fetch
        with:
          uri: $url/missing
          expected-sha256: 11
# The end.
EOF

# bumped NAME ARG...: bumps a copy of base.yaml
bumped() {
	local name=$1
	shift
	cp base.yaml "$name.yaml"
	chmod 640 "$name.yaml"
	works "$name" "$melange" bump "$name.yaml" "$@"
}
# differs NAME COUNT: how many lines of the base are gone
differs() {
	local n
	n=$(diff base.yaml "$1.yaml" | grep -c '^<') || true
	[ "$n" = "$2" ] || { fail "$1: $n lines changed, not $2"; diff base.yaml "$1.yaml" >&2 || true; }
}

bumped b01 2.0
sed -e 's/version: 1.0 /version: "2.0" /' -e 's/epoch: 2/epoch: 0/' -e "s/'00'/'$one512'/" \
	-e "s/\"00\"/\"$one256\"/" -e "s/sha256: 00}/sha256: $two256}/" base.yaml >want.yaml
cmp want.yaml b01.yaml || fail 'B01, B03, B04, B05: not the text wanted'
differs b01 5
[ "$(grep -c 'GET /f-2_0-r0' http.log)" = 1 ] || fail "B05: $(cat http.log)"
grep -q missing http.log && fail 'a subpackage was asked for'
[ "$(stat -c %a b01.yaml)" = 640 ] || fail 'B09: the mode changed'

printf three >www/f-1_0-r3
bumped b02 1.0
grep -q '  version: 1.0 # as released' b02.yaml || fail 'B02: the version was touched'
grep -q 'epoch: 3' b02.yaml || fail 'B02: the epoch'
grep -q 'GET /f-1_0-r3' http.log || fail 'B02: the new epoch is not in the URL'

# B06: a step that is only called fetch needs no uri, see base.yaml; B08
cp base.yaml b08.yaml
refused b08 '404.*http|http.*404' "$melange" bump b08.yaml 9
cmp base.yaml b08.yaml || fail 'B08: a failed download changed the file'

cat >b07.yaml <<'EOF'
package: {name: f, version: "1", epoch: 0}
vars: {tag: "v${{package.version}}"}
pipeline:
  - uses: git-checkout
    with: {repository: r, tag: "x${{package.version}}", expected-commit: aaa}
  - uses: git-checkout
    with: {repository: r, tag: "${{vars.tag}}", expected-commit: 'bbb'}
  - uses: git-checkout
    with: {repository: r, tag: $<<vars.tag>>, expected-commit: ccc}
  - uses: git-checkout
    with: {repository: r, tag: fixed, expected-commit: ddd}
  - uses: git-checkout
    with: {repository: r, tag: "${{package.version}}", expected-commit: "${{vars.c}}"}
  - uses: git-checkout
    with: {repository: r, branch: main}
EOF
cp b07.yaml b07.before
works b07 "$melange" bump b07.yaml 2 --expected-commit "$commit"
sed -e 's/version: "1"/version: "2"/' -e "s/aaa/$commit/" -e "s/bbb/$commit/" -e "s/ccc/$commit/" b07.before |
	cmp - b07.yaml || fail 'B07: not the commits wanted'

# texts that share a value, links, other line ends, no pipeline, a version that needs care
printf 'package:\r\n  name: f\r\n  version: &v 1.0\r\n  epoch: 7\r\nvars:\r\n  copy: *v\r\n' >crlf.yaml
ln -s crlf.yaml link.yaml
works crlf "$melange" bump link.yaml ' 1.1 '
[ -L link.yaml ] || fail 'the link was replaced'
printf 'package:\r\n  name: f\r\n  version: &v "1.1"\r\n  epoch: 0\r\nvars:\r\n  copy: *v\r\n' | cmp - crlf.yaml ||
	fail 'CRLF, anchors or blanks around the version'
printf "package: {name: f, version: '1', epoch: 0x0f}\n" >q.yaml
works quoted "$melange" bump q.yaml 1
printf "package: {name: f, version: '1', epoch: 16}\n" | cmp - q.yaml || fail 'epoch in hex'
printf 'package: {name: f, version: 1, epoch: 0}\npipeline:\n  - uses: fetch\n    with:\n      uri: %s/f/two\n      expected-sha256:\n' "$url" >null.yaml
works null "$melange" bump null.yaml 2
grep -q "expected-sha256: $two256\$" null.yaml || fail 'a sum that was left empty'

# what is refused leaves the file as it was
row() {
	local name=$1 pattern=$2
	shift 2
	cat >"$name.yaml"
	cp "$name.yaml" "$name.before"
	refused "$name" "$pattern" "$melange" bump "$name.yaml" "$@"
	cmp "$name.before" "$name.yaml" || fail "$name: the file changed"
}
row e55 '^.*e55.yaml:2:3: package.epoch missing, cannot bump' 2 <<'EOF'
package:
  name: f
  version: 1
EOF
row nouri 'nouri.yaml:3:5: fetch without input "uri"' 2 <<'EOF'
package: {name: f, version: 1, epoch: 0}
pipeline:
  - uses: fetch
    with: {expected-sha256: 0}
EOF
row novar 'novar.yaml:3:32: .*variable nope.x not defined' 2 <<'EOF'
package: {name: f, version: 1, epoch: 0}
pipeline:
  - {uses: fetch, with: {uri: "${{nope.x}}", expected-sha256: 0}}
EOF
row scheme 'nonsense' 2 <<'EOF'
package: {name: f, version: 1, epoch: 0}
pipeline:
  - {uses: fetch, with: {uri: "nonsense", expected-sha256: 0}}
EOF
row twice 'twice.yaml:3:.*one text cannot get two values' 2 <<EOF
package: {name: f, version: 1, epoch: 0}
pipeline:
  - {uses: fetch, with: {uri: "$url/f/two", expected-sha256: &s 0}}
  - {uses: fetch, with: {uri: "$url/f-1_0-r3", expected-sha256: *s}}
EOF
row empty 'the version to bump to is empty' ' ' <base.yaml
row control 'control character' $'1\n2' <base.yaml
row unknown 'unknown key' 2 <<'EOF'
package: {name: f, version: 1, epoch: 0, nope: 1}
EOF
iconv -f UTF-8 -t UTF-16 <q.yaml >utf16.yaml
cp utf16.yaml utf16.before
refused utf16 'is not UTF-8' "$melange" bump utf16.yaml 3
cmp utf16.before utf16.yaml || fail 'utf16: changed'
cp base.yaml full.yaml
(ulimit -f 0; trap '' XFSZ; "$melange" bump full.yaml 2.0) >full.out 2>&1 && fail 'a full disk went unnoticed'
cmp base.yaml full.yaml || fail 'a full disk lost the file'
compgen -G '.full.yaml*' >/dev/null && fail 'a temporary file was left'
finish
