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

# bad TEXT COMMAND...: it exits 1 with one error (an ERRO line, or FILE:LINE:COL: at a line's start),
# which says TEXT, and nothing on stdout.
bad() {
	local text=$1 status=0
	shift
	"$@" >"$work/stdout" 2>"$work/stderr" || status=$?
	[ $status = 1 ] || fail "exit $status, not 1: $*"
	[ ! -s "$work/stdout" ] || fail "an error wrote to standard output: $*"
	[ "$(grep -cE ' ERRO |^[^ ]+:[0-9]+:[0-9]+: ' "$work/stderr")" = 1 ] || fail "not one error line: $*"
	grep -qF -- "$text" "$work/stderr" || fail "does not say '$text': $*"
}

# same A B: the files are equal.
same() {
	diff "$1" "$2" >&2 || fail "$1 and $2 differ"
}

# package REPO NAME VERSION [FIELD=TEXT...]: what lies in root/NAME (if it is there) as a package
# for $arch, signed with the key test.rsa; see mkapk.
archs=x86_64
package() {
	local repo=$1 name=$2 version=$3
	shift 3
	mkdir -p "$repo/$arch" "root/$name"
	[ -e test.rsa ] || "$BIN/melange" keygen --key-size 2048 test.rsa 2>/dev/null
	"$BIN/../tests/mkapk" "$repo/$arch/$name-$version.apk" test.rsa "root/$name" \
		"name=$name" "version=$version" "arch=$arch" "origin=$name" license=MIT \
		"desc=package $name" time=1700000000 "$@"
}

# index REPO: of all packages in it, for each architecture
index() {
	local dir
	for dir in "$1"/*; do
		rm -f "$dir/APKINDEX.tar.gz"
		"$BIN/melange" index -o "$dir/APKINDEX.tar.gz" --signing-key test.rsa "$dir"/*.apk \
			2>"$work/index.log" || fail "index: $(cat "$work/index.log")"
	done
}

# distribution: the repository `repo` of a small system for $archs, and image.yaml that uses it
distribution() {
	mkdir -p root/base/etc root/base/usr/bin root/base/tmp root/tool/usr/bin root/lib/usr/lib
	printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n' \
		>root/base/etc/passwd
	printf 'root:x:0:\nuser:x:1000:\n' >root/base/etc/group
	printf 'ID=small\nNAME="Small"\nVERSION_ID=1\n' >root/base/etc/os-release
	printf '#!/bin/sh\necho tool\n' >root/tool/usr/bin/tool
	chmod 755 root/tool/usr/bin/tool
	ln -f root/tool/usr/bin/tool root/tool/usr/bin/tool-too
	ln -sf tool root/tool/usr/bin/tool-link
	head -c 300000 /dev/zero | tr '\0' 'l' >root/lib/usr/lib/libsmall.so.1
	for arch in $archs; do
		package repo base 1.0-r0
		package repo lib 2.1-r3 'provides=so:libsmall.so.1=1'
		package repo tool 1.5-r0 'depends=base so:libsmall.so.1'
	done
	index repo
	cat >image.yaml <<-END
		contents:
		  keyring: [test.rsa.pub]
		  repositories: [repo]
		  packages: [tool]
		entrypoint: {command: /usr/bin/tool}
		archs: [x86_64]
	END
}

# hashes DIR: of every file below it, with its name and mode
hashes() {
	(cd "$1" && find . -type f -exec sha256sum {} + | LC_ALL=C sort -k2 && find . -printf '%m %p\n' | LC_ALL=C sort)
}
