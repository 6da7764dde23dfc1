# shellcheck shell=bash disable=SC2154,SC2119,SC2120 # lib.sh sets them; arguments are optional
# What the rows scripts share: c.yaml is built into the layout o, whose parts have short names. Source
# lib.sh first.

# conf [LINE...]: c.yaml is the image of the distribution, with these lines more
conf() {
	cp image.yaml c.yaml
	[ $# = 0 ] || printf '%s\n' "$@" >>c.yaml
}
# b FLAG...: built for one architecture into an empty layout
b() {
	rm -rf o
	mkdir o
	ok "$apko" build c.yaml t:1 o/ --arch amd64 "$@"
}
# no TEXT FLAG...: that is refused, and nothing is left
no() {
	local text=$1
	shift
	rm -rf o
	mkdir o
	bad "$text" "$apko" build c.yaml t:1 o/ --arch amd64 "$@"
	[ -z "$(ls -A o)" ] || fail "left something: $*"
}
blob() { echo "o/blobs/sha256/${1#sha256:}"; }
I() { jq -r "$1" o/index.json; }
M() { jq -r "$1" "$(blob "$(I '.manifests[0].digest')")"; }
K() { jq -r "$1" "$(blob "$(M .config.digest)")"; }
T() { gzip -dc "$(blob "$(M ".layers[${1:-0}].digest")")"; }
L() { T | tar tv --numeric-owner --full-time; }
F() { T | tar xO "$1"; }
# is WANT GOT WHAT
is() { [ "$1" = "$2" ] || fail "$3: '$2', not '$1'"; }
# entry PATTERN WHAT: a line of L
entry() { L | grep -E -e "$1" >/dev/null || fail "$2: $(L | grep -F "${1##* }" || true)"; }
