#!/bin/bash
# Other programs judge an image: skopeo reads and copies it, umoci unpacks it, crun runs it.
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"
archs='x86_64 aarch64'
distribution
mkdir -p root/busybox/bin root/base/var/data
cp "$(command -v busybox)" root/busybox/bin/busybox
chmod 755 root/busybox/bin/busybox
mkdir -p root/busybox/etc/busybox-paths.d
printf '/bin/sh\n/bin/cat\n/bin/id\n/bin/stat\n' >root/busybox/etc/busybox-paths.d/busybox
for arch in $archs; do
	package repo busybox 1.36.0-r0
	package repo base 1.0-r1
	package repo dev 3-r0 depends=tool
done
index repo
cat >image.yaml <<'END'
contents:
  keyring: [test.rsa.pub]
  repositories: [repo]
  packages: [tool, busybox, dev]
entrypoint: {shell-fragment: "echo hello from $0; id -u; cat /etc/os-release; stat -c %a:%u /w"}
cmd: "the 'image itself'"
work-dir: /w
environment: {GREETING: hi}
stop-signal: SIGINT
volumes: [/var/data]
accounts:
  run-as: worker
  users: [{username: worker, uid: 1001}]
paths: [{path: /w, type: directory, uid: 1001, gid: 1001, permissions: 0o2750}]
annotations: {org.example.purpose: test}
archs: [x86_64, aarch64]
END
case $(uname -m) in
x86_64) host=amd64 ;;
aarch64) host=arm64 ;;
*) host=$(uname -m) ;;
esac

# judge WHAT TRANSPORT:REF : what was built, by skopeo
judge() {
	skopeo --override-arch "$host" inspect "$2" >inspect.json || fail "$1: skopeo inspect"
	[ "$(jq -r '.Labels["org.example.purpose"]' inspect.json)" = test ] || fail "$1: labels"
	[ "$(jq -r .Architecture inspect.json)" = "$host" ] || fail "$1: architecture"
	jq -r '.Env[]' inspect.json | grep -x GREETING=hi >got || fail "$1: environment"
	skopeo --override-arch "$host" inspect --config "$2" >config.json || fail "$1: configuration"
	[ "$(jq -c .config.Cmd config.json)" = '["the","image itself"]' ] || fail "$1: command"
	[ "$(jq -r '.config | .User, .WorkingDir, .StopSignal' config.json | tr '\n' ' ')" = \
		'1001 /w SIGINT ' ] || fail "$1: user, directory, signal"
	rm -rf copy
	skopeo --insecure-policy --override-arch "$host" copy -q "$2" oci:copy:test || fail "$1: skopeo copy"
}

# start COMMAND...: where it sees no control groups, so that those of the host do not matter
start() {
	if [ "$(id -u)" = 0 ]; then
		unshare --mount sh -c 'mount -t tmpfs none /sys/fs/cgroup && exec "$@"' sh "$@"
	else
		"$@"
	fi
}

# run WHAT: the copy, unpacked by umoci, by crun
run() {
	local rootless=--rootless
	[ "$(id -u)" != 0 ] || rootless=
	rm -rf bundle
	umoci unpack ${rootless:+"$rootless"} --image copy:test bundle >umoci.log 2>&1 ||
		fail "$1: umoci: $(cat umoci.log)"
	[ "$(stat -c %a bundle/rootfs/w)" = 2750 ] || fail "$1: mode"
	[ bundle/rootfs/usr/bin/tool -ef bundle/rootfs/usr/bin/tool-too ] || fail "$1: hard link"
	if [ "$(id -u)" != 0 ]; then
		echo "$1: not run: its user needs a second id, which only root can give"
		return
	fi
	# no terminal, and nothing of the host that a test's container may not have
	jq '.process.terminal = false | del(.linux.resources)
		| .linux.namespaces |= map(select(.type != "network"))
		| .mounts |= map(select(.type != "cgroup"))' bundle/config.json >config.new
	mv config.new bundle/config.json
	start crun --root "$work/state" --cgroup-manager=disabled run --bundle bundle "apko-test-$$" >out 2>crun.log ||
		fail "$1: crun: $(cat crun.log)"
	printf 'hello from the\n1001\n' >expected
	cat root/base/etc/os-release >>expected
	printf '2750:1001\n' >>expected
	same expected out
}

ok "$apko" build image.yaml apko-test:1 layout/ --arch host
judge layout oci:layout
run layout
echo 'layering: {strategy: origin, budget: 3}' >>image.yaml
ok "$apko" build image.yaml apko-test:1 layers/ --arch host
judge layers oci:layers
[ "$(jq '.Layers | length' inspect.json)" = 4 ] || fail 'four layers were expected'
run layers
ok "$apko" build image.yaml apko-test:1 image.tar
judge 'docker archive' "docker-archive:image.tar:index.docker.io/library/apko-test:1-$host"
run 'docker archive'
if [ "$(id -u)" != 0 ]; then
	echo 'OCI archive: not read: skopeo gives its files to root, which only root can'
	exit 0
fi
ok "$apko" build image.yaml apko-test:1 image.tar --arch host
judge 'OCI archive' oci-archive:image.tar
run 'OCI archive'
