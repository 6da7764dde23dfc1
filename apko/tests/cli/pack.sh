#!/bin/bash
# One architecture's root file system as tar and cpio; the packages as lines and as a graph.
# Rows of the feature checklist (apko 9): I036 I039 I041 I042 I043 I044.
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"
distribution

ok "$apko" build-minirootfs image.yaml root.tar --build-arch x86_64
ok "$apko" build-minirootfs image.yaml root.tar.gz --build-arch x86_64
gzip -dc root.tar.gz | cmp - root.tar
[ "$(tar xOf root.tar etc/apk/world)" = tool ] || fail 'the world is not what was asked for'
grep -q "WARN the configuration's archs are not used, only 'amd64'" stderr || fail 'no warning'

ok "$apko" build-cpio image.yaml root.cpio --build-arch x86_64
ok "$apko" build-cpio image.yaml root.cpio.gz --build-arch amd64
gzip -dc root.cpio.gz | cmp - root.cpio
# the same names as the tar has, and the root; owners, times, links are kept
{
	echo .
	tar tf root.tar
} | sort >expected
cpio -t --quiet <root.cpio | sort >got
same expected got
cpio -tv --quiet --numeric-uid-gid <root.cpio >list
grep -q '^-rwxr-xr-x   2 0        0 .* Nov 14  2023 usr/bin/tool$' list || fail 'tool in cpio'
grep -q '^lrwxrwxrwx .* usr/bin/tool-link -> tool$' list || fail 'symbolic link in cpio'
grep -q '^drwx------   2 1000     1000 .* home/user$' list || fail 'owner in cpio'
mkdir out
(cd out && cpio -id --quiet --no-absolute-filenames 'usr/*' 'etc/passwd' <../root.cpio)
[ out/usr/bin/tool -ef out/usr/bin/tool-too ] || fail 'hard link in cpio'
cmp out/usr/lib/libsmall.so.1 root/lib/usr/lib/libsmall.so.1
bad 'unknown architecture' "$apko" build-cpio image.yaml x.cpio --build-arch pdp11
bad 'takes one architecture' "$apko" build-cpio image.yaml x.cpio --build-arch all
bad 'limit is 100 bytes' "$apko" build-cpio image.yaml x.cpio --max-apk-data-size 100
bad 'missing-package' "$apko" build-cpio image.yaml x.cpio -p missing-package
[ ! -e x.cpio ] || fail 'a refused build left something'

while IFS='|' read -r format line; do
	ok "$apko" show-packages image.yaml --format "$format"
	[ "$(tail -n1 stdout)" = "$line" ] || fail "--format '$format': $(tail -n1 stdout)"
done <<'END'
name-version|tool 1.5-r0
name=version|tool=1.5-r0
name-(version)|tool (1.5-r0)
packagelock|- tool=1.5-r0
name-version-source|tool 1.5-r0 repo/x86_64/tool-1.5-r0.apk
name=version-source|tool=1.5-r0 repo/x86_64/tool-1.5-r0.apk
name-(version)-source|tool (1.5-r0) repo/x86_64/tool-1.5-r0.apk
packagelock-source|- tool=1.5-r0 # repo/x86_64/tool-1.5-r0.apk
{{ .Version }} of {{.Name}}|1.5-r0 of tool
END
bad "no field '.Nome'" "$apko" show-packages image.yaml --format '{{.Nome}}'

ok "$apko" dot image.yaml
cat >expected <<'END'
digraph images {
graph [
  rankdir=LR;
];
"image.yaml";
tool [label="tool-1.5-r0", tooltip="package tool"];
"image.yaml" -> tool
base [label="base-1.0-r0", tooltip="package base"];
lib [label="lib-2.1-r3", tooltip="package lib"];
tool -> base
"so:libsmall.so.1" [shape=rect];
tool -> "so:libsmall.so.1"
"so:libsmall.so.1" -> lib
}

END
same expected stdout
ok "$apko" dot image.yaml -S
# what cannot be resolved is drawn
sed 's/packages:.*/packages: [tool, absent]/' image.yaml >broken.yaml
ok "$apko" dot broken.yaml
grep -q '^"❌ error";$' stdout || fail 'no error node'
grep -q '^"❌ error" -> ' stdout || fail 'the error leads nowhere'
grep -q 'nothing provides .*absent' stdout || fail 'no reason'

# in a browser, played by a script, with pictures by another one
mkdir bin
cat >bin/dot <<'END'
#!/bin/sh
[ "$1" = -Tsvg ] && echo '<svg>' && cat
END
cat >bin/xdg-open <<'END'
#!/bin/sh
echo "$1" >"$OPENED.new" && mv "$OPENED.new" "$OPENED"
END
chmod +x bin/dot bin/xdg-open
bad "needs the program 'dot'" env PATH=/nowhere "$apko" dot image.yaml --web
OPENED=$work/opened PATH=$work/bin:$PATH "$apko" dot image.yaml --web -e explorer.example.invalid \
	>stdout 2>stderr &
web=$!
trap 'kill "$web" 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 100); do
	[ ! -e opened ] || break
	sleep 0.1
done
url=$(cat opened)
# get PATH [HOST]: status and body
get() {
	python3 - "$url" "$@" <<-'END'
		import sys, http.client, urllib.parse
		u = urllib.parse.urlsplit(sys.argv[1])
		c = http.client.HTTPConnection('127.0.0.1', u.port, timeout=10)
		c.request('GET', sys.argv[2], headers={'Host': sys.argv[3]} if len(sys.argv) > 3 else {})
		r = c.getresponse()
		print(r.status, r.getheader('Content-Type'))
		print(r.read().decode())
	END
}
get / >got
grep -qx '200 image/svg+xml' got || fail "browser: $(cat got)"
grep -q 'URL="https://explorer.example.invalid/repo/x86_64/tool-1.5-r0.apk"' got || fail 'no links'
get '/?node=lib&node=%74ool' >got
grep -q '^lib \[' got || fail 'nodes'
get '/?node=absent' >got
grep -q '^404' got || fail 'a package that is not there'
get /other >got
grep -q '^404' got || fail 'another path'
get / attacker.example.invalid >got
grep -q '^403' got || fail 'another host'
kill -TERM $web
status=0
wait $web || status=$?
trap 'rm -rf "$work"' EXIT
[ $status = 1 ] || fail "browser: status $status"
[ ! -s stdout ] || fail 'browser: standard output'

mkdir -p sys/etc/apk
bad 'sys/etc/apk/repositories' "$apko" install-keys --root sys
printf '# none remote\n\n%s/repo\n' "$work" >sys/etc/apk/repositories
ok "$apko" install-keys --root sys
grep -q 'WARN none of the repositories announces a key' stderr || fail 'no warning'

# clean: what would go, what is too old, what is too much, all
ok "$apko" clean --dry-run
grep -q 'INFO would remove [1-9]' stderr || fail 'dry run'
before=$(find cache -type f | wc -l)
ok "$apko" clean --max-age 1h
[ "$(find cache -type f | wc -l)" -ge "$before" ] || fail 'what is new was removed'
find cache -type f -exec touch -a -m -d '2 days ago' {} +
ok "$apko" clean --max-age 24h
[ "$(find cache -type f -size +0 | wc -l)" -lt "$before" ] || fail 'what is old stayed'
ok "$apko" build-minirootfs image.yaml root2.tar --build-arch x86_64
cmp root.tar root2.tar
ok "$apko" clean --max-size 1KB
ok "$apko" build-minirootfs image.yaml root2.tar --build-arch x86_64 --cache-dir gone
ok "$apko" clean --cache-dir gone --dry-run
[ -e gone ] || fail 'a dry run removed it'
touch gone/control/mine
ok "$apko" clean --cache-dir gone
grep -q 'INFO removed [0-9]* of [0-9]* objects, [0-9.]* KB of ' stderr || fail 'no report'
[ "$(find gone -mindepth 1)" = "$(printf 'gone/control\ngone/control/mine')" ] || fail 'not only ours'
rm gone/control/mine
ok "$apko" clean --cache-dir gone
[ ! -e gone ] || fail 'the directory stayed'
ok "$apko" clean --cache-dir nowhere
grep -q 'INFO nowhere does not exist' stderr || fail 'no cache is no error'
bad "'image.yaml' is not a directory" "$apko" clean --cache-dir image.yaml
