#!/bin/bash
# fetch and patch. Rows X16 and X17 of melange-build 8.
# shellcheck source=pipelines/tests/lib.sh
. "$SRC/pipelines/tests/lib.sh"
own_mounts "$@"

make_fixture() {
	local s=$T/serve
	mkdir -p "$s/t/d-1/sub"
	echo content >"$s/t/d-1/sub/file"
	echo top >"$s/t/d-1/top"
	for kind in gz bz2 xz zst; do
		tar -C "$s/t" -caf "$s/d.tar.$kind" d-1
	done
	tar -C "$s/t" -cf "$s/download" d-1
	cp "$s/d.tar.gz" "$s/d+e f.tar.gz"
	tar -C "$s/t/d-1" -czf "$s/other.tar.gz" top
	sum=$(sha256sum <"$s/d.tar.gz")
	sum=${sum%% *}
	sum512=$(sha512sum <"$s/d.tar.gz")
	sum512=${sum512%% *}
	zeros=$(printf '%064d' 0)
	zeros512=$(printf '%0128d' 0)
}

inputs() {
	printf '  - uses: %s\n    with:\n' "$uses"
	printf '      %s\n' "$@"
}
good() {
	works "$1" "${arguments[@]}" < <(inputs "${@:2}")
}
bad() {
	refused "$1" "$2" "${arguments[@]}" < <(inputs "${@:3}")
}
has() {
	same "$1" "$(cd "$ws/${2-}" && find . -type f ! -path './.melange*' ! -path './.config/*' | LC_ALL=C sort | xargs -d '\n')" 'files'
}
asked() {
	same "$1" "$(grep -c . "$requests" || true)" 'requests'
	: >"$requests"
}

unpacking() {
	bad unverified 'a checksum is required' "uri: $url/d.tar.gz"
	: >"$requests"
	good strip1 "uri: $url/d.tar.gz" "expected-sha256: $sum"
	has './d.tar.gz ./sub/file ./top'
	asked 1
	good strip0 "uri: $url/d.tar.gz" "expected-sha256: ${sum^^}" 'strip-components: 0' 'delete: true'
	has './d-1/sub/file ./d-1/top'
	good directory "uri: $url/d.tar.gz" "expected-sha512: $sum512" 'directory: new/dir' 'delete: true'
	has './sub/file ./top' new/dir
	good packed "uri: $url/d.tar.gz" "expected-sha256: $sum" 'extract: false'
	has ./d.tar.gz
	for kind in bz2 xz zst; do
		good "$kind" "uri: $url/d.tar.$kind" 'expected-none: sure' 'delete: true'
		has './sub/file ./top'
		says 'WARNING: .* is not verified'
	done
	good plain-tar "uri: $url/redirect/download" 'expected-none: sure' 'delete: true'
	has './sub/file ./top'
}

sums() {
	bad mismatch 'does not match' "uri: $url/d.tar.gz" "expected-sha256: $zeros"
	says "expected sha256 $zeros, found $sum"
	has ''
	bad second "expected sha512 $zeros512" "uri: $url/d.tar.gz" "expected-sha256: $sum" \
		"expected-sha512: $zeros512"
	bad first "expected sha256 $zeros" "uri: $url/d.tar.gz" "expected-sha256: $zeros" \
		"expected-sha512: $sum512"
	local s
	s=$(source_of present)
	cp "$T/serve/d.tar.gz" "$s"
	: >"$requests"
	good present "uri: $url/d.tar.gz" "expected-sha256: $sum"
	asked 0
	s=$(source_of partial)
	head -c 50 "$T/serve/d.tar.gz" >"$s/d.tar.gz"
	good partial "uri: $url/d.tar.gz" "expected-sha256: $sum"
	says 'is not the expected file'
	has './d.tar.gz ./sub/file ./top'
	asked 1
}

names() {
	good escapes "uri: $url/d%2Be%20f.tar.gz" "expected-sha256: $sum" 'extract: false'
	has './d+e f.tar.gz'
	good query "uri: $url/d.tar.gz?a=1&b=x'y\$(touch PWNED)" "expected-sha256: $sum" 'extract: false'
	has ./d.tar.gz
	good plain "uri: $url/redirect/d.tar.gz#top" "expected-sha256: $sum" 'extract: false'
	has ./d.tar.gz
	for name in / /%2e%2e /a%2fb /x%0ay ''; do
		bad "name$((passed))" 'no usable file name|escaped control' "uri: $url$name" "expected-sha256: $sum"
	done
	bad scheme 'has no scheme' 'uri: d.tar.gz' "expected-sha256: $sum"
	bad dash 'starts with a dash' 'uri: -O/tmp/x' "expected-sha256: $sum"
	local s
	s=$(source_of file)
	cp "$T/serve/d.tar.gz" "$s/a b"
	good file 'uri: file:///home/build/a%20b' "expected-sha256: $sum"
	has './a b ./sub/file ./top'
}

servers() {
	: >"$requests"
	bad gone 'fetch: cannot download .*tried 1 times' "uri: $url/none.tar.gz" "expected-sha256: $sum"
	asked 1
	good once503 "uri: $url/fail/$shell-503/1/503/d.tar.gz" "expected-sha256: $sum"
	asked 2
	slept 1
	good once429 "uri: $url/fail/$shell-429/1/429/d.tar.gz" "expected-sha256: $sum"
	good reset "uri: $url/reset/$shell-reset/1/d.tar.gz" "expected-sha256: $sum"
	good stall "uri: $url/stall/$shell-stall/1/d.tar.gz" "expected-sha256: $sum" 'timeout: 1'
	: >"$requests"
	bad refusing 'tried 2 times' "uri: $url/fail/$shell-refusing/9/503/d.tar.gz" "expected-sha256: $sum" \
		'retry-limit: 2'
	asked 2
	slept 1
	bad no-server 'tried 2 times' 'uri: http://127.0.0.1:1/d.tar.gz' "expected-sha256: $sum" 'retry-limit: 2'
}

cached() {
	local cache=$T/$shell/cache
	mkdir -p "$cache"
	arguments=(--cache-dir "$cache")
	good fills "uri: $url/d.tar.gz" "expected-sha256: $sum" "expected-sha512: $sum512"
	same "sha256:$sum sha512:$sum512" "$(cd "$cache" && find . -type f -printf '%P\n' | LC_ALL=C sort | xargs)" cache
	good hit256 'uri: http://127.0.0.1:1/d.tar.gz' "expected-sha256: $sum"
	good hit512 'uri: http://127.0.0.1:1/d.tar.gz' "expected-sha512: $sum512"
	echo damaged >"$cache/sha256:$sum"
	good damaged "uri: $url/d.tar.gz" "expected-sha256: $sum"
	cmp "$cache/sha256:$sum" "$T/serve/d.tar.gz" || fail 'the cache keeps the damaged file'
	arguments=()
}

# A tree with a file, and patches of it in a row.
patch_source() {
	local d
	d=$(source_of "$1")
	mkdir -p "$d/src" "$d/p"
	seq 20 >"$d/src/f"
	cp -r "$d/src" "$T/a"
	for n in 1 2 3; do
		cp -r "$T/a" "$T/b"
		sed -i "s/^$((n * 5))\$/changed $n/" "$T/b/f"
		(cd "$T" && diff -u a/f b/f) >"$d/p/$n.patch" || true
		rm -rf "$T/a"
		mv "$T/b" "$T/a"
	done
	rm -rf "$T/a"
	# one more whose context has drifted
	sed 's/^ 2$/ two/' "$d/p/1.patch" >"$d/p/drift.patch"
	sed 's,^--- a/f,--- f,; s,^+++ b/f,+++ f,' "$d/p/1.patch" >"$d/p/p0.patch"
	sed 's,^--- a/f,--- a/../f,; s,^+++ b/f,+++ b/../f,' "$d/p/1.patch" >"$d/p/evil.patch"
	printf '# none\n\n' >"$d/p/empty.series"
	printf '# two\r\n../p/1.patch\r\n   \n../p/2.patch -p1\r\n../p/p0.patch -p0 -R\n../p/1.patch' >"$d/p/series"
	printf '%s' "$d"
}
apply() {
	printf '  - uses: patch\n    working-directory: src\n    with:\n'
	printf '      %s\n' "$@"
}
applied() {
	patch_source "$1" >/dev/null
	works "$1" < <(apply "${@:3}")
	same "$2" "$(grep -c changed "$ws/src/f" || true)" 'patches applied'
	same f "$(ls "$ws/src")" files
}
unapplied() {
	patch_source "$1" >/dev/null
	refused "$1" "$2" < <(apply "${@:3}")
}
patches() {
	applied list 3 'patches: ../p/1.patch ../p/2.patch ../p/3.patch'
	applied lines 2 'patches: |' '  ../p/1.patch' '  ../p/2.patch'
	applied series 2 'series: ../p/series'
	applied wins 2 'series: " ../p/series"' 'patches: none'
	applied comments 0 'series: ../p/empty.series'
	applied p0 1 'patches: ../p/p0.patch' 'strip-components: " 0"'
	applied fuzzy 1 'patches: ../p/drift.patch'
	unapplied fuzz0 "'../p/drift.patch' does not apply" 'patches: ../p/drift.patch' 'fuzz: 0'
	unapplied absent "'../p/none' does not exist" 'patches: ../p/none'
	unapplied no-series "'../p/none' does not exist" 'series: ../p/none'
	unapplied twice "'../p/1.patch' is applied already" 'patches: ../p/1.patch ../p/1.patch'
	unapplied neither 'neither patches nor series' 'fuzz: 1'
	unapplied evil 'does not apply' 'patches: ../p/evil.patch'
	unapplied outside 'lies outside the workspace' 'patches: /etc/passwd'
	unapplied dash 'starts with a dash' 'patches: -R'
	unapplied letters 'non-negative integer' 'patches: ../p/1.patch' 'fuzz: 1x'
	unapplied negative 'non-negative integer' 'patches: ../p/1.patch' 'strip-components: -1'
	# shellcheck disable=SC2016 # it is not to expand
	for text in "x'y" '`touch PWNED`' '$(touch PWNED)' '${PWNED}' ';touch' '|x' '&x' '>x' '<x'; do
		unapplied "characters$passed" 'invalid characters' "series: \"$text\""
	done
}

cases() {
	arguments=()
	uses=fetch
	no_sleep
	unpacking
	sums
	names
	servers
	cached
	patches
}

make_fixture
serve "$T/serve"
each_shell cases
