# Helpers for the tests of the build-file language.
# shellcheck shell=bash
# shellcheck source=melange/tests/cli/lib.sh
. "$SRC/melange/tests/cli/lib.sh"
rows=0

# file NAME < the file behind its package name, version and epoch (version 1, epoch 0)
file() {
	{
		printf 'package:\n  name: %s\n  version: "1"\n  epoch: 0\n' "$1"
		cat
	} >"$1.yaml"
}

# c NAME [FLAG...]: the compiled file as JSON
c() {
	local name=$1
	shift
	timeout 60 "$melange" compile "$name.yaml" --arch x86_64 --git-commit unknown "$@"
}

# row ID COMMAND...: it succeeds
row() {
	local id=$1
	shift
	rows=$((rows + 1))
	"$@" >"$id.out" 2>&1 || { fail "$id: $*"; tail -n 20 "$id.out" >&2; }
}

# not COMMAND...
not() {
	! "$@"
}

# j NAME EXPRESSION [FLAG...]: jq finds it true of the compiled file
j() {
	local name=$1 expression=$2
	shift 2
	c "$name" "$@" >"$name.json" || return 1
	jq -e "$expression" "$name.json" || { cat "$name.json"; return 1; }
}

# r NAME TEXT [FLAG...]: what the first step runs
r() {
	local name=$1 want=$2
	shift 2
	c "$name" "$@" | jq -e --arg want "$want"$'\n' '.pipeline[0].runs == $want or (.pipeline[0].runs | error)'
}

# k NAME LIST [FLAG...]: the packages of the environment
k() {
	local name=$1 list=$2
	shift 2
	j "$name" ".environment.contents.packages == $list" "$@"
}

# says NAME TEXT [FLAG...]: standard error holds it, and the file compiles
says() {
	local name=$1 text=$2
	shift 2
	c "$name" "$@" 2>&1 >/dev/null | grep -F -e "$text"
}

enough() {
	[ "$rows" -ge "$1" ] || fail "only $rows rows"
	finish
}
