#!/bin/bash
# What a user gets wrong, and what a machine does: one error that says where and what to do, exit
# status 1, and the repository as it was.
# Row X11 of melange-build 8: packages that are cut.
set -euo pipefail
# shellcheck source=melange/tests/cli/lib.sh
. "$SRC/melange/tests/cli/lib.sh"

build=("$melange" build --arch host --git-commit unknown --git-repo-url https://example.org/x
	--license MIT --signing-key local.rsa --no-network)
here=("${build[@]}" --rootfs / --empty-workspace)
guest=("${build[@]}" --empty-workspace -r "$work/packages" -k "$work/local.rsa.pub")

# file NAME < text of the pipeline and what follows it
file() {
	{
		printf 'package:\n  name: %s\n  version: "1"\n  epoch: 0\n  copyright:\n    - license: MIT\n' "$1"
		cat
	} >"$1.yaml"
}

file toolbox <<'Y'
pipeline:
  - runs: |
      mkdir -p ${{targets.destdir}}/bin ${{targets.destdir}}/tmp
      cp "$(command -v busybox)" ${{targets.destdir}}/bin/busybox
      for name in sh mkdir cat sleep touch; do
        ln -s busybox "${{targets.destdir}}/bin/$name"
      done
Y
sed -i 's/version: "1"/version: 1.35.0/; s/^pipeline/  checks:\n    disabled: [usrmerge, tempdir]\npipeline/' toolbox.yaml
file good <<'Y'
pipeline:
  - runs: mkdir -p ${{targets.destdir}}/usr/share && echo good > ${{targets.destdir}}/usr/share/good
Y
works keygen "$melange" keygen local.rsa --key-size 2048
works keygen2 "$melange" keygen other.rsa --key-size 2048
works toolbox "${here[@]}" toolbox.yaml
works good "${here[@]}" good.yaml
repo=$(dirname packages/*/APKINDEX.tar.gz)

refused no-key "none.rsa" "${here[@]}" --signing-key none.rsa good.yaml
echo rubbish >bad.rsa
refused bad-key "bad.rsa" "${here[@]}" --signing-key bad.rsa good.yaml
refused no-file "none.yaml" "${here[@]}" none.yaml

file unknown-key <<'Y'
pipelines:
  - runs: 'true'
Y
refused unknown-key "unknown-key.yaml:7:1: .*pipelines.*" "${here[@]}" unknown-key.yaml
grep -q 'did you mean "pipeline"' unknown-key.out || fail "unknown-key: suggests nothing"

file unknown-var <<'Y'
pipeline:
  - runs: echo ${{package.nmae}}
Y
refused unknown-var "unknown-var.yaml:8:[0-9]+: .*package.nmae" "${here[@]}" unknown-var.yaml
file unknown-var2 <<'Y'
pipeline:
  - runs: echo $<<vars.none>>
Y
refused unknown-var2 "unknown-var2.yaml:8:[0-9]+: .*vars.none" "${here[@]}" unknown-var2.yaml

file failing <<'Y'
pipeline:
  - name: breaks
    runs: |
      mkdir -p ${{targets.destdir}}/usr
      exit 7
Y
refused failing "failing.yaml:8:[0-9]+: step 'breaks' failed: exit status 7" "${here[@]}" failing.yaml

file no-command <<'Y'
environment:
  contents:
    packages: [toolbox]
pipeline:
  - runs: nosuchtool --version
Y
refused no-command "add its package to environment.contents.packages" "${guest[@]}" no-command.yaml
file no-package <<'Y'
environment:
  contents:
    packages: [toolbox, nosuchpackage]
pipeline:
  - runs: 'true'
Y
refused no-package "nosuchpackage" "${guest[@]}" no-package.yaml

# Repositories that do not prove themselves.
cp "$repo/APKINDEX.tar.gz" index.saved
cp "$repo"/toolbox-1.35.0-r0.apk toolbox.saved
file uses-guest <<'Y'
environment:
  contents:
    packages: [toolbox]
pipeline:
  - runs: mkdir -p ${{targets.destdir}}/usr && touch ${{targets.destdir}}/usr/made
Y
refused wrong-key "APKINDEX.tar.gz" "${build[@]}" --empty-workspace -r "$work/packages" -k other.rsa.pub uses-guest.yaml
works unsigned-index "$melange" index -o "$repo/APKINDEX.tar.gz" "$repo/toolbox-1.35.0-r0.apk" "$repo/good-1-r0.apk"
refused unsigned "the index is not signed" "${guest[@]}" uses-guest.yaml
cp index.saved "$repo/APKINDEX.tar.gz"
rm -rf cache
size=$(stat -c %s toolbox.saved)
printf 'X' | dd of="$repo/toolbox-1.35.0-r0.apk" bs=1 seek=$((size / 2)) conv=notrunc status=none
refused tampered "toolbox-1.35.0-r0.apk" "${guest[@]}" uses-guest.yaml
head -c $((size / 2)) toolbox.saved >"$repo/toolbox-1.35.0-r0.apk"
refused truncated "toolbox-1.35.0-r0.apk" "${guest[@]}" uses-guest.yaml
cp toolbox.saved "$repo/toolbox-1.35.0-r0.apk"
works mended "${guest[@]}" uses-guest.yaml

# The machine.
mkdir empty-path
refused no-bwrap "bubblewrap|bwrap" env PATH="$work/empty-path" "${here[@]}" good.yaml
grep -q 'hint: .*install' no-bwrap.out || fail 'no-bwrap: does not say what to install'
# shellcheck disable=SC2016 # expanded inside
refused no-namespace "user namespace" unshare --user --map-user=1000 --keep-caps sh -c \
	'echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --ambient-caps=-all --inh-caps=-all -- "$@"' sh \
	"${here[@]}" good.yaml
refused no-output "/proc/none" "${here[@]}" --out-dir /proc/none good.yaml
touch plain
refused output-file "plain" "${here[@]}" --out-dir plain/packages good.yaml

# Two builds into one repository at once: both are in the index.
for n in 1 2 3; do
	file "both$n" <<'Y'
pipeline:
  - runs: mkdir -p ${{targets.destdir}}/usr && sleep 0.3 && touch ${{targets.destdir}}/usr/${{package.name}}
Y
	works "both$n" "${here[@]}" "both$n.yaml" &
done
wait
for n in 1 2 3; do
	tar xzOf "$repo/APKINDEX.tar.gz" APKINDEX 2>/dev/null >index.text; grep -qx "P:both$n" index.text || fail "both$n is not in the index"
done

# Interrupted in the middle: nothing changes, nothing stays in the way.
file slow <<'Y'
pipeline:
  - runs: |
      mkdir -p ${{targets.destdir}}/usr
      echo it has begun
      sleep 61.25
Y
for signal in INT TERM KILL; do
	before=$(snapshot packages)
	"${here[@]}" slow.yaml >"slow-$signal.out" 2>&1 &
	pid=$!
	for _ in $(seq 600); do
		grep -q 'it has begun' "slow-$signal.out" && break
		sleep 0.1
	done
	kill "-$signal" "$pid"
	status=0
	wait "$pid" 2>/dev/null || status=$?
	case $signal in
	KILL) [ "$status" = 137 ] || fail "slow-$signal: exit $status" ;;
	*)
		[ "$status" = 1 ] || fail "slow-$signal: exit $status"
		[ "$before" = "$(snapshot packages)" ] || fail "slow-$signal: packages changed"
		;;
	esac
	(cd packages && find . -name '*.apk' -o -name APKINDEX.tar.gz | sort | xargs sha256sum) >"after-$signal"
	works "after-$signal" "${here[@]}" good.yaml
	(cd packages && find . -name '*.apk' -o -name APKINDEX.tar.gz | sort | xargs sha256sum) | cmp -s - "after-$signal" ||
		fail "slow-$signal: packages differ after building again"
	if [ -n "$(find packages -name ".*")" ]; then fail "slow-$signal: leaves something behind"; fi
done
if pgrep -f 'sleep 61.25' >/dev/null; then pgrep -af 'sleep 61.25' >&2; fail 'a step outlives its build'; fi
finish
