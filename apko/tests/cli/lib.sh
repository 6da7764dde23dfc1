# shellcheck shell=bash
# What the tests of the program share: a scratch directory that goes away, a cache of its own, and
# a few ways to say what is expected.

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export XDG_CACHE_HOME=$work/cache HOME=$work/home TZ=UTC LC_ALL=C
unset SOURCE_DATE_EPOCH HTTP_AUTH DOCKER_CONFIG
umask 022
mkdir "$HOME"
export apko=$BIN/apko

fail() {
	echo "FAIL: $*" >&2
	[ ! -s "$work/stderr" ] || sed 's/^/  stderr: /' "$work/stderr" >&2
	exit 1
}

# ok COMMAND...: it succeeds; output in stdout and stderr.
ok() {
	"$@" >"$work/stdout" 2>"$work/stderr" || fail "exit $?: $*"
}

# bad TEXT COMMAND...: it exits 1 with one ERRO line, which says TEXT, and nothing on stdout.
bad() {
	local text=$1 status=0
	shift
	"$@" >"$work/stdout" 2>"$work/stderr" || status=$?
	[ $status = 1 ] || fail "exit $status, not 1: $*"
	[ ! -s "$work/stdout" ] || fail "an error wrote to standard output: $*"
	[ "$(grep -c ' ERRO ' "$work/stderr")" = 1 ] || fail "not one error line: $*"
	grep -qF -- "$text" "$work/stderr" || fail "does not say '$text': $*"
}

# same A B: the files are equal.
same() {
	diff "$1" "$2" >&2 || fail "$1 and $2 differ"
}
