# shellcheck shell=bash disable=SC2034 # some variables are for the tests
# What the tests of the built-in pipelines share. Each case is a build file built with `melange
# build` in a bubblewrap guest that is this host with another /bin/sh: once busybox's ash with
# busybox's tools before the others, once bash with the GNU tools. The guests are bind mounts in
# a mount namespace of the test's own.
#
# A test sources this file, calls `own_mounts "$@"` first and `each_shell FUNCTION` for its cases.
# In them: `works NAME`, `refused NAME PATTERN` build the steps on standard input; a directory
# "$(source_of NAME)" made before is copied into the workspace; afterwards "$ws" is the workspace,
# "$out" the package's tree and "$log" what the build said.

set -euo pipefail

BIN=${BIN:?the directory of the programs} SRC=${SRC:?the source directory}

clean_up() {
	[ -z "$server" ] || kill "$server" || true
	umount -l "$T"/root.* 2>/dev/null || true
	rm -rf --one-file-system "$T"
}

own_mounts() {
	if [ -z "${PIPES_INNER-}" ]; then
		local flags=-m
		[ "$(id -u)" = 0 ] || flags=-rm
		PIPES_INNER=1 exec unshare "$flags" "$0" "$@"
	fi
	T=$(mktemp -d)
	export T XDG_CACHE_HOME=$T/cache PATH=$PATH:/usr/sbin:/sbin
	server=
	trap clean_up EXIT
	passed=0
}

# Tools of busybox that stand before the others in the ash guest. wget and patch are GNU's, as the
# pipelines' needs say.
applets='awk base64 basename cat chmod chown cmp cp cut date dd df diff dirname du echo env expr false
	find fold grep egrep fgrep gunzip gzip head hostname id install ln ls md5sum mkdir mktemp mv nl
	nproc od paste printenv printf pwd readlink realpath rm rmdir sed seq sh sha1sum sha256sum
	sha512sum sort split stat sync tac tail tar tee test timeout touch tr true truncate uname
	uniq unxz wc which xargs xzcat yes zcat bzip2 bunzip2'

# make_root SHELL: $root becomes a guest with that shell; $root_bin a directory first on its PATH.
make_root() {
	shell=$1
	root=$T/root.$shell
	root_bin=$T/bin.$shell
	local target have
	[ ! -d "$root" ] || return 0
	mkdir "$root" "$root_bin" "$T/applets.$shell"
	mount --rbind / "$root"
	mount --make-rslave "$root"
	target=$(readlink -f /bin/sh)
	mount --bind "$root_bin" "$root/usr/local/sbin"
	case $shell in
	ash)
		# Some builds of it take their applets before PATH: not these, which must be GNU's or stubs.
		LC_ALL=C sed 's/\x00wget\x00/\x00wgez\x00/; s/\x00patch\x00/\x00patcz\x00/
			s/\x00ar\x00/\x00aq\x00/; s/\x00dpkg\x00/\x00dpke\x00/; s/\x00sleep\x00/\x00sleeq\x00/' "$(command -v busybox)" \
			>"$T/applets.$shell/busybox"
		chmod 755 "$T/applets.$shell/busybox"
		mount --bind "$T/applets.$shell/busybox" "$root$target"
		have=" $(busybox --list | tr '\n' ' ') "
		for applet in $applets; do
			case $have in
			*" $applet "*) ln -s busybox "$T/applets.$shell/$applet" ;;
			esac
		done
		mount --bind "$T/applets.$shell" "$root/usr/local/bin"
		;;
	bash)
		mount --bind "$(readlink -f "$(command -v bash)")" "$root$target"
		mount --bind "$T/applets.$shell" "$root/usr/local/bin"
		;;
	esac
}

each_shell() {
	local s
	for s in ${PIPES_SHELLS:-ash bash}; do
		make_root "$s"
		"$@"
	done
	printf '%s: %s cases passed\n' "${0##*/}" "$passed"
}

fail() {
	printf 'FAIL (%s): %s\n' "${shell-}" "$*" >&2
	[ ! -f "${log-}" ] || sed 's/^/    /' "$log" >&2
	exit 1
}

source_of() {
	mkdir -p "$T/$shell/$1/src"
	printf '%s\n' "$T/$shell/$1/src"
}

# An executable in the guest that comes before any other of its name; its text on standard input.
stub() {
	cat >"$root_bin/$1"
	chmod 755 "$root_bin/$1"
}

# Nothing waits; instead the log says "slept SECONDS".
no_sleep() {
	stub sleep <<-'EOT'
		#!/bin/sh
		echo "slept $1"
	EOT
}
# slept SECONDS...: the waits of the last build, each a number or a range A-B.
slept() {
	local want got
	read -ra got <<<"$(sed -n 's/.* slept //p' "$log" | xargs)"
	[ "${#got[@]}" = $# ] || fail "it waited ${#got[@]} times, not $#"
	for want; do
		if [ "${got[0]}" -lt "${want%-*}" ] || [ "${got[0]}" -gt "${want#*-}" ]; then
			fail "it waited ${got[0]} s, not $want"
		fi
		got=("${got[@]:1}")
	done
}

# run NAME [ARGUMENT...]: builds the steps on standard input for $arch, this host's by default; its
# status is the build's.
run() {
	local name=$1 dir
	shift
	dir=$T/$shell/$name
	log=$dir/log
	mkdir -p "$dir/src"
	{
		printf 'package:\n  name: p\n  version: 1\n  epoch: 0\n  description: a case\n'
		printf '  copyright:\n    - license: MIT\npipeline:\n'
		cat
	} >"$dir/p.yaml"
	local status=0
	"$BIN/melange" build "$dir/p.yaml" --rootfs "$root" --arch "${arch:-host}" --source-dir "$dir/src" \
		--workspace-dir "$dir/ws" --rm=false --out-dir "$dir/packages" --generate-index=false \
		--lint-require worldwrite --lint-warn worldwrite --git-repo-url https://example.test/repo "$@" >"$log" 2>&1 || status=$?
	ws=$(echo "$dir"/ws/*)
	out=$ws/melange-out/p
	return "$status"
}

works() {
	run "$@" || fail "$1 should have been built"
	passed=$((passed + 1))
}

# refused NAME PATTERN [ARGUMENT...]: the build fails and says so.
refused() {
	local name=$1 pattern=$2
	shift 2
	if run "$name" "$@"; then
		fail "$name should have failed"
	fi
	says "$pattern"
	[ ! -e "$ws/PWNED" ] || fail "$name ran what it was given"
	passed=$((passed + 1))
}

says() {
	grep -qE -e "$1" "$log" || fail "the log does not say '$1'"
}

silent() {
	! grep -qE -e "$1" "$log" || fail "the log says '$1'"
}

# same WANT GOT WHAT
same() {
	[ "$1" = "$2" ] || fail "$3: expected
$1
and got
$2"
}

# The tree below $1: kind, path and link target, sorted.
tree() {
	(cd "$1" && find . -mindepth 1 -printf '%y %P %l\n' | sed 's/ *$//' | LC_ALL=C sort -k 2)
}

# serve DIR: the test server over DIR; $url its address, $requests the log of its requests.
serve() {
	requests=$T/requests
	: >"$requests"
	/usr/bin/python3 "$SRC/pipelines/tests/server.py" "$1" "$T/port" "$requests" &
	server=$!
	for _ in $(seq 100); do
		[ ! -s "$T/port" ] || break
		sleep 0.05
	done
	url=http://127.0.0.1:$(cat "$T/port")
}
