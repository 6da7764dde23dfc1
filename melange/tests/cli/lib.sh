# Shared by the tests of the melange command line; BIN and SRC come from ctest.
# shellcheck shell=bash
export melange=$BIN/melange
work=$PWD/cli/$(basename "$0" .sh)
rm -rf "$work"
mkdir -p "$work"
cd "$work" || exit 1
export XDG_CACHE_HOME=$work/cache SOURCE_DATE_EPOCH=1700000000
failures=0

# A quiet grep leaves at the first match, and pipefail takes that for a failure of what writes to it.
grep() {
	case ${1-} in
	-q*) command grep "-c${1#-q}" "${@:2}" >/dev/null ;;
	*) command grep "$@" ;;
	esac
}

fail() {
	echo "FAILED: $*" >&2
	failures=$((failures + 1))
}

# What a directory holds: names, modes and contents.
snapshot() {
	(cd "$1" && find . -printf '%p %m %y\n' | sort && find . -type f -print0 | sort -z | xargs -0r sha256sum)
}

# refused NAME PATTERN COMMAND...: ends with status 1, says PATTERN, changes nothing in packages/.
refused() {
	local name=$1 pattern=$2 before after status=0
	shift 2
	before=$(snapshot packages)
	timeout 120 "$@" >"$name.out" 2>&1 || status=$?
	after=$(snapshot packages)
	[ "$status" = 1 ] || fail "$name: exit $status"
	grep -qE -- "$pattern" "$name.out" || { fail "$name: does not say '$pattern':"; sed 's/^/    /' "$name.out" >&2; }
	[ "$before" = "$after" ] || fail "$name: packages changed"
}

# works NAME COMMAND...
works() {
	local name=$1
	shift
	timeout 300 "$@" >"$name.out" 2>&1 || { fail "$name: exit $?"; sed 's/^/    /' "$name.out" >&2; }
}

finish() {
	[ "$failures" = 0 ] || { echo "$failures failed" >&2; exit 1; }
	echo 'all passed'
}
