#!/bin/bash
# The rows of melange-build 10 that need a guest made of packages, or several users: tests, accounts,
# locked environments, owners, attributes.
set -euo pipefail
# shellcheck source=melange/tests/cli/lib.sh
. "$SRC/melange/tests/cli/lib.sh"

arch=$(uname -m)
mkdir -p packages tmp
known=(--arch host --no-network --git-commit 89abcdef --git-repo-url https://example.org/x --license MIT)
works key "$melange" keygen local.rsa --key-size 2048
works key2 "$melange" keygen other.rsa --key-size 2048
file() {
	printf 'package:\n  name: %s\n  version: "1"\n  epoch: 0\n  copyright: [{license: MIT}]\n%s\n' "$1" "${2:-}" >"$1.yaml"
	cat >>"$1.yaml"
}
guest=(-r "$work/packages" -k "$work/local.rsa.pub")
host() { works "$1" "$melange" build "${known[@]}" --rootfs / --empty-workspace --signing-key local.rsa "$2.yaml" "${@:3}"; }
b() { works "$1" "$melange" build "${known[@]}" "${guest[@]}" --empty-workspace --signing-key local.rsa "$2.yaml" "${@:3}"; }
no() { refused "$1" "$3" "$melange" build "${known[@]}" "${guest[@]}" --empty-workspace "$2.yaml" "${@:4}"; }
t() { works "$1" env TMPDIR="$work/tmp" "$melange" test --arch host "${guest[@]}" "$2.yaml" "${@:3}"; }
no_t() { refused "$1" "$3" env TMPDIR="$work/tmp" "$melange" test --arch host "${guest[@]}" "$2.yaml" "${@:4}"; }
member() { tar xzOf "packages/$arch/$1-1-r0.apk" "$2" 2>/dev/null; }
l() { tar tvzf "packages/$arch/$1-1-r0.apk" --numeric-owner 2>/dev/null; }

file toolbox '  checks: {disabled: [usrmerge, tempdir]}' <<'Y'
pipeline:
  - runs: |
      mkdir -p ${{targets.destdir}}/bin ${{targets.destdir}}/tmp
      cp "$(command -v busybox)" ${{targets.destdir}}/bin/busybox
      for n in sh mkdir cat id ls touch chown grep sleep env test chmod wc; do ln -s busybox "${{targets.destdir}}/bin/$n"; done
Y
sed -i 's/"1"/1.35.0/' toolbox.yaml
host toolbox toolbox
file extra <<'Y'
pipeline: [{runs: "mkdir -p ${{targets.destdir}}/usr/share && echo extra >${{targets.destdir}}/usr/share/extra"}]
Y
host extra extra
base='environment:
  contents: {packages: [toolbox]}'

# Accounts.
# account ROW RUN-AS USERS WANT: what id says in a step
account() {
	file "$1" <<Y
$base
  accounts: {run-as: $2, users: [$3], groups: [{groupname: other, gid: 4321}]}
pipeline:
  - runs: test "\$(id -u):\$(id -g)" = $4
Y
	b "$1" "$1"
}
account B24 '"12345"' '{username: other, uid: 12345, gid: 4321}' 12345:4321
account B24-name other '{username: other, uid: 1234, gid: 4321}' 1234:4321
account B24-root root '{username: other, uid: 1234}' 0:0
account B24-zero '"0"' '{username: other, uid: 1234}' 0:0
account B25 other '{username: other, uid: 1234}' 1234:1234

# Locked environments and repositories that do not prove themselves.
file locked "" <<Y
$base
pipeline: [{runs: cat /usr/share/extra}]
Y
no B41-without locked 'exit status'
b B41 locked --package-append extra
member locked .melange.yaml >locked.text
grep -qxF '      - extra=1-r0' locked.text || fail 'B41: extra is not locked'
grep -qxF '      - toolbox=1.35.0-r0' locked.text || fail 'B45: toolbox is not locked'
[ "$(sed -n '/^    packages:/,/^  [a-z]/p' locked.text | grep -c '=')" = 2 ] || fail 'B45: not each of them'
refused B43 'APKINDEX.tar.gz' "$melange" build "${known[@]}" -r "$work/packages" -k other.rsa.pub --empty-workspace locked.yaml
works B43-ignored "$melange" build "${known[@]}" -r "$work/packages" --ignore-signatures --out-dir unsigned --empty-workspace --package-append extra locked.yaml

# A repository by http: every request says who asks.
cat >server.py <<'P'
import functools, http.server, sys
class Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        if self.path != "/huge":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Length", str(3 << 30))
        self.end_headers()
        self.wfile.write(b"x" * 1000)
    def log_message(self, *args):
        with open("agents.log", "a") as log:
            log.write(self.path + " " + str(self.headers.get("User-Agent")) + "\n")
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory="packages"))
print(server.server_port, flush=True)
server.serve_forever()
P
python3 server.py >port &
trap 'kill %1' EXIT
for _ in $(seq 100); do [ -s port ] && break; sleep 0.05; done
works C19 env XDG_CACHE_HOME="$work/cache2" "$melange" build "${known[@]}" -r "http://127.0.0.1:$(cat port)" -k local.rsa.pub \
	--out-dir remote --empty-workspace --package-append extra locked.yaml
[ -s agents.log ] || fail 'C19: no request'
! grep -vE ' melange/[0-9.]+$' agents.log || fail C19

cat >huge.yaml <<Y
package: {name: huge, version: "1", epoch: 0}
pipeline: [{uses: fetch, with: {uri: "http://127.0.0.1:$(cat port)/huge", expected-sha256: $(sha256sum <port | cut -d' ' -f1)}}]
Y
refused X26 'limit|too large|more than' "$melange" update-cache huge.yaml --cache-dir c
[ -z "$(ls -A c 2>/dev/null)" ] || fail 'X26: left something'

# A shell where a step failed: leaving it well goes on with the next step.
file shell <<Y
$base
pipeline: [{runs: exit 7}, {runs: echo the next step}]
Y
interactive="'$melange' build ${known[*]} -r '$work/packages' -k '$work/local.rsa.pub' --out-dir shells --empty-workspace -i shell.yaml"
printf 'exit 0\n' | timeout 60 script -qec "$interactive" /dev/null >B38.out 2>&1 || { fail 'B38: did not go on'; cat B38.out >&2; }
grep -q 'the next step' B38.out || fail 'B38: the next step did not run'
if printf 'exit 3\n' | timeout 60 script -qec "$interactive" /dev/null >B38-fail.out 2>&1; then fail 'B38: went on'; fi
grep -q 'exit status 7' B38-fail.out || fail 'B38: the first error is lost'

# Tests.
file greeter <<Y
$base
  environment: {GREETING: hello}
pipeline: [{runs: "mkdir -p \${{targets.destdir}}/usr/bin && printf '#!/bin/sh\necho \"\$1\"\n' >\${{targets.destdir}}/usr/bin/greet && chmod 755 \${{targets.destdir}}/usr/bin/greet"}]
subpackages:
  - name: greeter-data
    pipeline: [{runs: "mkdir -p \${{targets.subpkgdir}}/usr/share && echo data >\${{targets.subpkgdir}}/usr/share/data"}]
    test:
      environment: {contents: {packages: [toolbox]}}
      pipeline: [{runs: test ! -e /usr/bin/greet && grep -q data /usr/share/data}]
test:
  environment: {contents: {packages: [toolbox]}}
  pipeline: [{runs: 'test "\$(greet "\$GREETING")" = hello && test ! -e /usr/share/data'}]
Y
b greeter greeter
t T01 greeter # and T02, T07: another guest for the subpackage, the build's variables in tests
[ -z "$(ls tmp)" ] || fail "T08: left $(ls tmp)"
t T10 greeter --workspace-dir tw
file shared '' <<Y
$base
test:
  environment: {contents: {packages: [toolbox]}}
  pipeline: [{runs: test -e /usr/share/extra}]
Y
b shared shared
no_t T03-without shared 'exit status'
t T03 shared extra=1-r0
t T04 shared --test-package-append extra
mkdir fx && echo fixed >fx/fixture
file fixture '' <<Y
$base
test:
  environment: {contents: {packages: [toolbox]}}
  pipeline: [{runs: grep -q fixed fixture}]
Y
b fixture fixture
t T05 fixture --source-dir fx
no_t T06 fixture 'failed to test package'
file sleeps '' <<Y
$base
test:
  environment: {contents: {packages: [toolbox]}}
  pipeline: [{runs: sleep 61.75}]
Y
b sleeps sleeps
no_t T09 sleeps 'time|deadline' --timeout 1s
[ -z "$(ls tmp)" ] || fail "T09: left $(ls tmp)"
# What is built is there for others to install.
file installs <<'Y'
environment:
  contents: {packages: [toolbox, greeter]}
pipeline: [{runs: 'test "$(greet x)" = x'}]
Y
b I11 installs

# Owners, attributes.
file plain <<Y
$base
pipeline: [{runs: "mkdir -p \${{targets.destdir}}/usr && touch \${{targets.destdir}}/usr/x"}]
Y
if [ "$(id -u)" = 0 ]; then
	mkdir user && chown 1234:1234 user
	cp plain.yaml user/plain.yaml
	chmod a+rx . && chmod -R a+rX packages local.rsa.pub
	if (cd user && setpriv --reuid 1234 --regid 1234 --clear-groups test -x "$melange" -a -r "$work/packages"); then
		works E02 sh -c 'cd user && exec "$@"' sh setpriv --reuid 1234 --regid 1234 --clear-groups env HOME="$work/user" \
			XDG_CACHE_HOME="$work/user/cache" "$melange" build "${known[@]}" "${guest[@]}" --empty-workspace plain.yaml
		tar tvzf "user/packages/$arch/plain-1-r0.apk" --numeric-owner 2>/dev/null | grep -v ' 0/0 ' >E02.owners || true
		[ ! -s E02.owners ] || fail "E02: $(cat E02.owners)"
	else
		echo 'E02: another user cannot reach the programs here; an ordinary user runs it below'
	fi
	file chown <<Y
$base
pipeline: [{runs: "mkdir -p \${{targets.destdir}}/usr && touch \${{targets.destdir}}/usr/x && chown 101:102 \${{targets.destdir}}/usr/x"}]
Y
	b E03 chown
	l chown | grep -q ' 101/102 .* usr/x$' || fail "E03: $(l chown)"
else
	b E02 plain
	l plain | grep -v ' 0/0 ' >E02.owners || true
	[ ! -s E02.owners ] || fail "E02: $(cat E02.owners)"
fi
file xattr '' <<'Y'
pipeline:
  - runs: |
      mkdir -p ${{targets.destdir}}/usr/share && touch ${{targets.destdir}}/usr/share/x
      python3 -c 'import os, sys
      p = sys.argv[1]
      os.setxattr(p, "user.note", b"kept")
      try:
          os.setxattr(p, "security.selinux", b"other")
      except OSError:
          pass
      ' ${{targets.destdir}}/usr/share/x
Y
host E08 xattr
gunzip -c "packages/$arch/xattr-1-r0.apk" >xattr.tar
grep -qa 'SCHILY.xattr.user.note=kept' xattr.tar || fail E08
! grep -qa 'SCHILY.xattr.security.selinux' xattr.tar || fail E09
finish
