#!/bin/bash
# What is in an image, row by row of the feature checklist (apko 9).
# shellcheck disable=SC2119 # flags of b are optional
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"
# shellcheck source=apko/tests/cli/rows_lib.sh
. "$SRC/apko/tests/cli/rows_lib.sh"
distribution
mkdir -p root/base/sub/deep root/base/usr/share/x
echo one >root/base/sub/one
echo two >root/base/sub/deep/two
echo given >root/base/usr/share/x/given
printf 'root:*:19000:0:99999:7:::\n' >root/base/etc/shadow
chmod 640 root/base/etc/shadow
package repo base 1.0-r0
mkdir -p root/clash/usr/bin
echo other >root/clash/usr/bin/tool
package repo clash 1-r0
mkdir -p root/bare/usr
echo x >root/bare/usr/bare
package repo bare 1-r0
index repo

# I050
conf 'paths: [{path: /a, type: directory, permissions: 0755}, {path: /b, type: directory, permissions: 0o755}]'
b
entry '^drwxr-xr-x .* a$' I050
entry '^drwxr-xr-x .* b$' I050
# I051, I052: what an image includes
sed 's/\[tool\]/[lib]/' image.yaml >parent.yaml
printf 'cmd: parent\nenvironment: {A: parent, B: parent}\npaths: [{path: /one, type: empty-file}]\n' >>parent.yaml
cat >c.yaml <<'END'
include: parent.yaml
contents: {packages: [base]}
cmd: child
environment: {A: child}
paths: [{path: /two, type: hardlink, source: /one}]
archs: [x86_64]
END
b
is '["base=1.0-r0","lib=2.1-r3"]' "$(F etc/apko.json | jq -c .contents.packages)" I051
is child "$(K '.config.Cmd[0]')" I052
is 'A=child B=parent' "$(K '.config.Env[]' | grep -E '^[AB]=' | xargs)" I052
# I053: the base's mutations come first, or there would be nothing to link to
entry '^h.* two link to one$' I053
# I054
printf 'include: c.yaml\n' >parent.yaml
no 'include' # I054
# I055 to I058: repositories
ln -s repo zrepo
cp -r repo arepo
conf
sed -i 's|\[repo\]|[zrepo/, repo//, repo]|' c.yaml
b
printf 'repo\nzrepo\n' >expected
same expected <(F etc/apk/repositories) # I055
conf
sed -i 's|repositories:.*|&\n  runtime_repositories: ["https://packages.example.invalid/os"]\n  build_repositories: [arepo]|' c.yaml
b
printf '%s\n' https://packages.example.invalid/os repo >expected
same expected <(F etc/apk/repositories) # I056, I057: the other one is not fetched, the build's is not kept
conf
sed -i 's|repositories:.*|build_repositories: [repo]|' c.yaml
b
is '' "$(F etc/apk/repositories)" I058
# I059 to I064
conf
b
printf 'base=1.0-r0\nlib=2.1-r3\ntool=1.5-r0\n' >expected
same expected <(F etc/apk/world) # I059
is x86_64 "$(F etc/apk/arch)" I060
entry 'etc/apk/keys/test.rsa.pub$' I061
entry '^drwxrwxrwt .* tmp$' I062
entry '^dr-xr-xr-x .* proc$' I062
entry '^crw-rw-rw- .* 1,3 .* dev/null$' I062
entry '^crw--w---- .* 5,1 .* dev/console$' I062
entry 'lib/apk -> ../usr/lib/apk$' I063
entry '^-r--r--r-- .* etc/apko.json$' I064
is '{"contents":{"repositories":["repo"],"keyring":["test.rsa.pub"],"packages":["base=1.0-r0","lib=2.1-r3","tool=1.5-r0"]},"entrypoint":{"command":"/usr/bin/tool"},"accounts":{},"archs":["amd64"]}' \
	"$(F etc/apko.json)" I064
# I066 to I072: accounts
conf 'accounts:' '  run-as: n' '  groups: [{groupname: g, gid: 10, members: [a, b]}]' '  users: [{username: n, uid: 5}]'
b
is 'g:x:10:a,b' "$(F etc/group | tail -n1)" I066
is 'n:x:5:5:Account created by apko:/home/n:/bin/sh' "$(F etc/passwd | tail -n1)" I067
is 'n:!:::::::' "$(F etc/shadow | tail -n1)" I068
entry '^-rw-r----- .* etc/shadow$' I068
is 'root:*:19000:0:99999:7:::' "$(F etc/shadow | head -n1)" I069
entry '^drwx------ 5/5 .* home/n$' I070
entry '^drwxr-xr-x 0/0 .* home$' I070
is 5 "$(K .config.User)" I071
conf 'accounts: {users: [{username: n, uid: 0}]}'
no 'uid' # I072
# I073 to I081: paths
conf 'paths: [{path: /p/q/r, type: directory, uid: 7, gid: 8, permissions: 0o750}]'
b
entry '^drwxr-x--- 7/8 .* p/q/r$' I073
entry '^drwxr-x--- 0/0 .* p/q$' I073
conf 'paths: [{path: /s, type: directory, permissions: 0o2775}]'
b
entry '^drwxrwsr-x .* s$' I074
conf 'paths: [{path: /sub, type: permissions, recursive: true, uid: 3, gid: 4, permissions: 0o700}]'
b
entry '^drwx------ 3/4 .* sub/deep$' I075
entry '^-rwx------ 3/4 .* sub/deep/two$' I075
conf 'paths: [{path: /home/user, type: permissions, permissions: 0o711}]'
b
entry '^drwx--x--x 1000/1000 .* home/user$' I076
conf 'paths: [{path: /e/f, type: empty-file}, {path: /usr/share/x/given, type: empty-file}]'
b
entry '^-rw-r--r-- 0/0 +0 .* e/f$' I077
entry '^-rw-r--r-- 0/0 +0 .* usr/share/x/given$' I077
conf 'paths: [{path: /again, type: hardlink, source: /sub/one}]'
b
entry '^h.* sub/one link to again$' I078
conf 'paths: [{path: /l, type: symlink, source: /sub/one, permissions: 0o600}, {path: /m, type: symlink, source: /nowhere}]'
b
entry '^lrwxrwxrwx .* l -> /sub/one$' I079
entry '^-rw-r--r-- .* sub/one$' I079
entry ' m -> /nowhere$' I079
conf 'paths: [{path: /sub/one, type: symlink, source: /x}]'
no 'sub/one' # I080
conf 'paths: [{path: /a, type: sideways}]'
no 'sideways' # I081
# I082, I085, I086: certificates
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 9 -subj /CN=test 2>/dev/null
mkdir -p root/bundle/etc/ssl/certs
cp ca.crt root/bundle/etc/ssl/certs/ca-certificates.crt
package repo bundle 1-r0
index repo
fingerprint=$(openssl x509 -in ca.crt -outform DER | sha256sum | cut -d' ' -f1)
certificate() {
	conf "certificates: {additional: [{name: $1, content: |" ''
	sed -i '$d' c.yaml
	sed -i '$d' c.yaml
	{
		printf 'certificates:\n  additional:\n  - name: "%s"\n    content: |\n' "$1"
		shift
		sed 's/^/      /' "$@"
	} >>c.yaml
	sed -i 's/\[tool\]/[tool, bundle]/' c.yaml
}
certificate mine ca.crt
b
F "usr/local/share/ca-certificates/mine-$fingerprint.crt" >got
same ca.crt got # I082
is 64 "$(sed -n 2p got | tr -d '\n' | wc -c)" 'I082: columns'
is 2 "$(F etc/ssl/certs/ca-certificates.crt | grep -c BEGIN)" 'I082: the bundle'
mkdir certs
T | tar x -C certs etc/ssl/certs
(cd certs/etc/ssl/certs && sha256sum -c --quiet .ca-certificates.crt.sha256) || fail I085
certificate mine ca.crt ca.crt
no 'mine' # I086: two blocks
certificate ../x ca.crt
no '../x' # I086
# I087: keys for the running image
# runtime_key NAME FILE
runtime_key() {
	conf
	{
		printf 'contents:\n  runtime_keyring:\n  - name: %s\n    content: |\n' "$1"
		sed 's/^/      /' "$2"
		sed '/^contents:/d' c.yaml
	} >c.new
	mv c.new c.yaml
}
runtime_key other.rsa.pub test.rsa.pub
b
entry '^-rw-r--r-- .* 2023-11-14 22:13:20 etc/apk/keys/other.rsa.pub$' I087
openssl ecparam -name prime256v1 -genkey -noout | openssl ec -pubout >ec.pub 2>/dev/null
runtime_key ec.rsa.pub ec.pub
no 'ec.rsa.pub' # I087: an EC key
runtime_key test.rsa.pub test.rsa.pub
no 'test.rsa.pub' # I087: it is there already
# I088
mkdir -p root/s6/bin
echo s6 >root/s6/bin/s6-svscan
package repo s6 1-r0
index repo
conf
sed -i 's|^entrypoint.*|entrypoint: {type: service-bundle, services: {n: /usr/bin/tool}}|' c.yaml
b
printf '#!/bin/execlineb\n/usr/bin/tool\n' >expected
same expected <(F sv/n/run) # I088
is '["/bin/s6-svscan","/sv"]' "$(K -c .config.Entrypoint 2>/dev/null || jq -c .config.Entrypoint "$(blob "$(M .config.digest)")")" I088
# I089, I090
mkdir -p root/busybox/bin
cp "$(command -v busybox)" root/busybox/bin/busybox
package repo busybox 1.36.1-r0
index repo
conf
sed -i 's/\[tool\]/[busybox]/' c.yaml
b
entry ' bin/ls -> /bin/busybox$' I089
mkdir -p root/busybox/etc/busybox-paths.d
printf '/bin/only\n' >root/busybox/etc/busybox-paths.d/busybox
package repo busybox 1.36.1-r0
index repo
b
entry ' bin/only -> /bin/busybox$' I090
[ -z "$(L | grep ' bin/ls ' || true)" ] || fail 'I090: more than is listed'
# I093
conf
sed -i 's/\[tool\]/[bare]/' c.yaml
b
grep -q 'WARN .*os-release' stderr || fail 'I093: no warning'
# I148
conf
sed -i 's/\[tool\]/[tool, clash]/' c.yaml
no 'clash'
grep -q 'tool' stderr || fail 'I148: not both are named'
