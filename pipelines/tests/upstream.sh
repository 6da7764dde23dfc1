#!/bin/bash
# Real releases, one of each build system, from the source archives of the distribution: each is
# fetched into melange's cache from a loopback server, then built with the built-in pipelines alone
# on this host's root with no network at all. Says how much time went into anything but the
# upstream's own build.
set -euo pipefail
T=$(mktemp -d)
server=
clean_up() {
	[ -z "$server" ] || kill "$server" || true
	rm -rf "$T"
}
trap clean_up EXIT
export XDG_CACHE_HOME=$T/xdg

fail() {
	echo "FAIL: $*" >&2
	[ ! -f "$T/log" ] || sed 's/^/    /' "$T/log" >&2
	exit 1
}

# The host's package sources, as sources of sources, in a configuration of our own.
apt_configuration() {
	mkdir -p "$T/apt/parts" "$T/apt/lists/partial" "$T/apt/cache/archives/partial"
	local f
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ ! -f "$f" ] || sed -n 's/^deb /deb-src /p' "$f"
	done >"$T/apt/sources.list"
	for f in /etc/apt/sources.list.d/*.sources; do
		[ ! -f "$f" ] || sed 's/^Types:.*/Types: deb-src/' "$f" >"$T/apt/parts/${f##*/}"
	done
	cat >"$T/apt/conf" <<-EOT
		Dir::Etc::sourcelist "$T/apt/sources.list";
		Dir::Etc::sourceparts "$T/apt/parts";
		Dir::State::lists "$T/apt/lists";
		Dir::Cache "$T/apt/cache";
		APT::Sandbox::User "";
		Acquire::Languages "none";
		Acquire::Retries "3";
	EOT
	export APT_CONFIG=$T/apt/conf
	apt-get update -qq
}

# Archives stay in the build tree, so that another preset need not load them again.
archives=$SRC/build/sources
load() {
	mkdir -p "$archives"
	archive=$(find "$archives" -name "$1_*.orig.tar.*" | head -n 1)
	if [ -z "$archive" ]; then
		[ -f "$T/apt/conf" ] || apt_configuration
		mkdir -p "$T/load"
		(cd "$T/load" && apt-get source -qq --download-only --tar-only "$1")
		rm -f "$T"/load/*.asc
		mv "$T"/load/*.orig.tar.* "$archives"
		archive=$(find "$archives" -name "$1_*.orig.tar.*" | head -n 1)
	fi
	archive=${archive##*/}
	version=${archive#"$1"_}
	version=${version%.orig.tar.*}
}

# Times every sandbox: the first for what it costs in itself, then those of the steps.
mkdir "$T/bin"
cat >"$T/bin/bwrap" <<EOT
#!/bin/bash
PATH=$PATH
begin=\$(date +%s%N)
bwrap "\$@"
status=\$?
for script; do :; done
case \$script in
*'cd '*./configure* | *'make -C'* | *'cmake -'* | *'meson '* | *setup.py*) kind=upstream ;;
*'wget '* | *'strip -p'* | *'melange-out'*) kind=other ;;
*) kind=empty ;;
esac
echo "\$kind \$((\$(date +%s%N) - begin))" >>$T/times
exit \$status
EOT
chmod 755 "$T/bin/bwrap"

# build NAME: the steps on standard input, behind the fetch of its archive. $T/NAME/out then holds
# what the packages hold.
build() {
	local name=$1 sum begin end
	load "$name"
	sum=$(sha256sum <"$archives/$archive")
	mkdir -p "$T/$name/out" "$T/cache"
	{
		printf 'package:\n  name: %s\n  version: %s\n  epoch: 0\n  description: a release\n' "$name" "$version"
		printf '  copyright:\n    - license: MIT\npipeline:\n  - uses: fetch\n    with:\n'
		printf '      uri: %s/%s\n      expected-sha256: %s\n' "$url" "$archive" "${sum%% *}"
	} >"$T/$name/fetch.yaml"
	{
		cat "$T/$name/fetch.yaml"
		cat
	} >"$T/$name/build.yaml"
	local common=(--rootfs / --arch host --cache-dir "$T/cache" --empty-workspace --git-repo-url
		https://example.test/repo --out-dir "$T/$name/packages")
	"$BIN/melange" build "$T/$name/fetch.yaml" "${common[@]}" >"$T/log" 2>&1 || fail "$name: fetch"
	: >"$T/times"
	begin=$(date +%s%N)
	# The address no longer answers for this: nothing listens in an empty network namespace.
	PATH=$T/bin:$PATH "$BIN/melange" build "$T/$name/build.yaml" "${common[@]}" --no-network \
		>"$T/log" 2>&1 || fail "$name: build"
	end=$(date +%s%N)
	awk -v name="$name-$version" -v whole=$((end - begin)) '
		$1 == "upstream" { own += $2; steps++ }
		$1 == "empty" { empty = empty ? (empty < $2 ? empty : $2) : $2 }
		END { rest = whole - own + steps * empty
			printf "%-16s %6.2f s, of it %5.2f s (%4.1f %%) beside the build of its own\n", name,
				whole / 1e9, rest / 1e9, 100 * rest / whole }' "$T/times"
	for apk in "$T/$name"/packages/*/*.apk; do
		tar -C "$T/$name/out" --warning=no-unknown-keyword -xzf "$apk" || fail "$apk"
	done
	out=$T/$name/out
}
has() {
	local path
	for path; do
		[ -e "$out/$path" ] || fail "the packages do not hold $path"
	done
}

# The server ends with the last fetch, which the first build of each does.
for name in libestr tree cjson fribidi python-toml; do
	load "$name"
done
/usr/bin/python3 "$SRC/pipelines/tests/server.py" "$archives" "$T/port" "$T/requests" &
server=$!
for _ in $(seq 100); do
	[ ! -s "$T/port" ] || break
	sleep 0.05
done
url=http://127.0.0.1:$(cat "$T/port")

build libestr <<'EOT'
  - uses: autoconf/configure
  - uses: autoconf/make
  - uses: autoconf/make-install
  - uses: strip
subpackages:
  - name: libestr-dev
    pipeline:
      - uses: split/dev
  - name: libestr-static
    pipeline:
      - uses: split/static
EOT
has usr/include/libestr.h usr/lib/libestr.so usr/lib/libestr.so.0
[ ! -e "$out/usr/lib/libestr.la" ] || fail 'a libtool archive was packaged'

build tree <<'EOT'
  - uses: autoconf/make
  - uses: autoconf/make-install
    with:
      opts: DESTDIR=${{targets.destdir}}/usr/bin MANDIR=${{targets.destdir}}/usr/share/man
  - uses: strip
subpackages:
  - name: tree-doc
    pipeline:
      - uses: split/alldocs
EOT
has usr/bin/tree usr/share/man/man1/tree.1
"$out/usr/bin/tree" --version >/dev/null || fail 'tree does not run'

build cjson <<'EOT'
  - uses: cmake/configure
    with:
      opts: |
        -DENABLE_CJSON_TEST=OFF \
        -DBUILD_SHARED_AND_STATIC_LIBS=ON
  - uses: cmake/build
  - uses: cmake/install
  - uses: strip
subpackages:
  - name: cjson-static
    pipeline:
      - uses: split/static
  - name: cjson-dev
    pipeline:
      - uses: split/dev
EOT
has usr/include/cjson/cJSON.h usr/lib/libcjson.so usr/lib/libcjson.a usr/lib/pkgconfig/libcjson.pc
printf '#include <stdio.h>\n#include <cjson/cJSON.h>\nint main(void) { return !puts(cJSON_Version()); }\n' >"$T/x.c"
gcc -I"$out/usr/include" -o "$T/x" "$T/x.c" -L"$out/usr/lib" -lcjson
[ "$(LD_LIBRARY_PATH=$out/usr/lib "$T/x")" = "$version" ] || fail 'the library does not say its version'

build fribidi <<'EOT'
  - uses: meson/configure
    with:
      opts: --libdir=lib --buildtype=release -Ddocs=false
  - uses: meson/compile
  - uses: meson/install
  - uses: strip
subpackages:
  - name: fribidi-dev
    pipeline:
      - uses: split/dev
EOT
has usr/bin/fribidi usr/lib/libfribidi.so usr/lib/pkgconfig/fribidi.pc usr/include/fribidi/fribidi.h
LD_LIBRARY_PATH=$out/usr/lib "$out/usr/bin/fribidi" --version | grep -F "$version" >/dev/null || fail 'fribidi does not run'

build python-toml <<'EOT'
  - uses: python/build
  - uses: python/install
EOT
module=$(find "$out" -path '*/toml/__init__.py' | head -n 1)
[ -n "$module" ] || fail 'there is no Python module'
(cd / && PYTHONPATH=${module%/toml/*} /usr/bin/python3 -c 'import toml; assert toml.loads("a = 1") == {"a": 1}')
