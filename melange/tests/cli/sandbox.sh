#!/bin/bash
# The plan that bubblewrap is given, argument by argument, and what a step sees of the world.
# Row X25 of melange-build 8.
set -euo pipefail
# shellcheck source=melange/tests/cli/lib.sh
. "$SRC/melange/tests/cli/lib.sh"

build=("$melange" build --arch host --git-commit unknown --git-repo-url https://example.org/x
	--license MIT --rootfs / --empty-workspace --rm=false)
cat >plan.yaml <<'Y'
package:
  name: plan
  version: "1"
  epoch: 0
environment:
  environment:
    GREETING: hello
capabilities:
  add: [cap_net_admin]
  drop: [kill]
pipeline:
  - environment:
      STEP: one
    working-directory: below
    runs: exit 0
Y

# A bubblewrap that only writes down what it is asked.
mkdir fake
cat >fake/bwrap <<'S'
#!/bin/sh
printf '%s\n' "$@" "--end--" >>"$PLAN"
S
sed -i "s,\"\$PLAN\",'$work/plan.args'," fake/bwrap
chmod +x fake/bwrap
mkdir ws
works plan env PATH="$work/fake:$PATH" "${build[@]}" --no-network --workspace-dir ws plan.yaml

# One call per line; the step is the one whose script goes below.
awk -v RS='--end--\n' -v ORS='\0' '/below/ && /exit 0/' plan.args | tr '\0' '\n' >step.args
has() {
	local want
	want=$(printf '%s\n' "$@")
	[[ $'\n'$(cat step.args)$'\n' == *$'\n'"$want"$'\n'* ]] || fail "the plan lacks: $*"
}
has --ro-bind / /
has --bind "$work/ws/$(uname -m)" /home/build
has --unshare-pid --unshare-ipc --unshare-uts
has --unshare-net
has --die-with-parent
has --dev /dev
has --proc /proc
has --ro-bind /sys /sys
has --chdir /home/build
has --clearenv
has --new-session
has --cap-add CAP_NET_ADMIN
has --cap-drop CAP_KILL
has --setenv GREETING hello
has --setenv STEP one
has --setenv HOME /home/build
has --setenv PATH /usr/local/sbin:/usr/local/bin:/usr/bin:/usr/sbin:/sbin:/bin
has --setenv SOURCE_DATE_EPOCH 1700000000
has /bin/sh -c
if [ "$(id -u)" = 0 ]; then
	if grep -qx -- --unshare-user step.args; then fail 'root gets a user namespace'; fi
else
	has --unshare-user
	has --uid 1000
	has --gid 1000
fi
if grep -qx -- --unshare-net <(rm -f plan.args; env PATH="$work/fake:$PATH" "${build[@]}" plan.yaml >/dev/null 2>&1; cat plan.args); then
	fail 'the network is cut without --no-network'
fi

# What a step sees.
cat >see.yaml <<'Y'
package:
  name: see
  version: "1"
  epoch: 0
pipeline:
  - runs: |
      out=${{targets.destdir}}/usr/share/see
      mkdir -p "$out"
      env | grep -vE '^(PWD|OLDPWD|SHLVL|_)=' | sort > "$out/env"
      ls /proc | grep -cE '^[0-9]+$' > "$out/processes"
      sed -n 's/^ *\([a-z0-9]*\):.*/\1/p' /proc/net/dev > "$out/network"
      umask > "$out/umask"
      pwd > "$out/pwd"
      touch /etc/see 2>/dev/null && echo written > "$out/escaped"
      touch /sys/see 2>/dev/null && echo written > "$out/escaped"
      exec 3< /dev/null
      ls /proc/self/fd | wc -l > "$out/descriptors"
      date +%s > /home/build/kept
Y
export SECRET_OF_THE_HOST=1
(umask 077; works see "${build[@]}" --no-network --workspace-dir ws --trace trace.json see.yaml)
mkdir out
tar xzf packages/*/see-1-r0.apk -C out 2>/dev/null
see=out/usr/share/see
cat >env.want <<'W'
COMPOSER_CACHE_DIR=/var/cache/melange/composer
GOMODCACHE=/var/cache/melange/gomodcache
GOPATH=/home/build/.cache/go
HOME=/home/build
PATH=/usr/local/sbin:/usr/local/bin:/usr/bin:/usr/sbin:/sbin:/bin
PIP_CACHE_DIR=/var/cache/melange/pip
SOURCE_DATE_EPOCH=1700000000
UV_CACHE_DIR=/var/cache/melange/uv
npm_config_cache=/var/cache/melange/npm
W
LC_ALL=C sort $see/env | diff env.want - || fail 'the environment differs'
[ "$(cat $see/processes)" -le 5 ] || fail 'sees processes of the host'
[ "$(cat $see/network)" = lo ] || fail 'sees a network'
[ "$(cat $see/umask)" = 0022 ] || fail 'has the umask of the host'
[ "$(cat $see/pwd)" = /home/build ] || fail 'starts elsewhere'
[ ! -e $see/escaped ] || fail 'wrote outside its workspace'
[ "$(cat $see/descriptors)" -le 5 ] || fail 'inherits descriptors'
[ -s "ws/$(uname -m)/kept" ] || fail '--rm=false removed the workspace'

# Its phases as spans, and what existing command lines have.
jq -se 'map(.Name) | index("guest") and index("publish")' trace.json >/dev/null || fail 'the trace lacks phases'
jq -se 'all(.StartTime <= .EndTime)' trace.json >/dev/null || fail 'a span ends before it starts'
works compatible "${build[@]}" --cache-source --cleanup=false --debug-runner --fail-on-lint-warning see.yaml
grep -q 'deprecated' compatible.out || fail 'nothing is said of a deprecated flag'
finish
