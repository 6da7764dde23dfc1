#!/bin/bash
# What the specification asks of building (melange-build 10), row by row: command line, build
# process, packages and their documents. Rows that need more of a world stand in other tests.
set -euo pipefail
# shellcheck source=melange/tests/cli/lib.sh
. "$SRC/melange/tests/cli/lib.sh"

arch=$(uname -m)
mkdir -p packages
plain=("$melange" build --arch host --rootfs / --no-network)
known=(--git-commit 89abcdef --git-repo-url https://github.com/example/pkgs)
works key "$melange" keygen local.rsa --key-size 2048

# file NAME [TEXT OF THE PACKAGE'S KEYS]: the rest of the build file comes from standard input
file() {
	printf 'package:\n  name: %s\n  version: "1"\n  epoch: 0\n  copyright: [{license: MIT}]\n%s\n' "$1" "${2:-}" >"$1.yaml"
	cat >>"$1.yaml"
}
# b ROW FILE FLAGS...: it builds
b() { works "$1" "${plain[@]}" "${known[@]}" --empty-workspace "$2.yaml" "${@:3}"; }
# no ROW FILE PATTERN FLAGS...: it does not, and says why
no() { refused "$1" "$3" "${plain[@]}" "${known[@]}" --empty-workspace "$2.yaml" "${@:4}"; }
says() { grep -qE -- "$2" "$1.out" || { fail "$1 does not say '$2'"; cat "$1.out" >&2; }; }
quiet() { ! grep -qE -- "$2" "$1.out" || fail "$1 says '$2'"; }
# member PACKAGE NAME; k PACKAGE = .PKGINFO; l PACKAGE = its list; s PACKAGE = its SBOM
member() { tar xzOf "packages/$arch/$1-1-r0.apk" "$2" 2>/dev/null; }
k() { member "$1" .PKGINFO; }
l() { tar tvzf "packages/$arch/$1-1-r0.apk" 2>/dev/null; }
s() { member "$1" "var/lib/db/sbom/$1-1-r0.spdx.json"; }
holds() { # ROW PATTERN < text
	local text
	text=$(cat)
	grep -qE -- "$2" <<<"$text" || fail "$1: no '$2' in: $text"
}

file min <<'Y'
pipeline:
  - runs: mkdir -p ${{targets.destdir}}/usr/bin && echo x >${{targets.destdir}}/usr/bin/min && chmod 755 ${{targets.destdir}}/usr/bin/min
Y
file broken <<'Y'
pipeline: [{runs: exit 7}]
Y

# The command line.
mkdir auto && cp min.yaml auto/.melange.yaml
works C01 sh -c 'cd auto && exec "$@"' sh "${plain[@]}" "${known[@]}"
[ -s "auto/packages/$arch/min-1-r0.apk" ] || fail 'C01: no package'
mkdir bare
refused C02 'melange.yaml is missing' sh -c 'cd bare && exec "$@"' sh "${plain[@]}"
b C04 min --log-level debug
no C03 broken 'exit status 7'
says C04 ' DEBU '
b C05 min
says C05 '^[0-9/]{10} [0-9:]{8} INFO '
file twostreams <<'Y'
pipeline: [{runs: "echo to-stdout; echo to-stderr >&2; printf unfinished"}]
Y
b C06 twostreams
says C06 ' INFO to-stdout$'
says C06 ' WARN to-stderr$'
says C06 ' INFO unfinished$'
file onlyother '  target-architecture: [s390x]' <<'Y'
pipeline: [{runs: "true"}]
Y
b C08 onlyother
says C08 'nothing to build'
no C09 min 'unknown runner: x' --runner x
works C10 "$melange" compile min.yaml --arch x86_64
tail -1 C10.out | jq -e '.package.name == "min"' >/dev/null || fail 'C10: no JSON'
refused C11 'arch' "$melange" compile min.yaml
works C12 "$melange" query min.yaml '{{.Package.Name}}'
[ "$(cat C12.out)" = min ] || fail 'C12'
works C13 "$melange" package-version min.yaml
[ "$(cat C13.out)/$(wc -l <C13.out)" = min-1-r0/0 ] || fail 'C13'
works C14 "$melange" version --json
jq -er .gitVersion C14.out >/dev/null || fail 'C14'
works C15 "$melange" completion bash
bash -n C15.out || fail 'C15'
refused C17 HTTP_AUTH env HTTP_AUTH=x "${plain[@]}" "${known[@]}" --empty-workspace min.yaml
b C20 min --trace C20.json
jq -se 'length > 3' C20.json >/dev/null || fail 'C20'

# The build process.
rm -rf packages && mkdir packages
b B01 min
[ -s "packages/$arch/min-1-r0.apk" ] || fail B01
sed 's/"1"/"1.x-"/' min.yaml >badver.yaml
no B02 badver 'version'
file subif <<'Y'
subpackages:
  - {name: subif-yes, if: "${{build.arch}} != 'none'"}
  - {name: subif-no, if: "${{build.arch}} == 'none'", pipeline: [{runs: exit 9}]}
Y
b B03 subif
[ -e "packages/$arch/subif-yes-1-r0.apk" ] || fail 'B03: yes'
[ ! -e "packages/$arch/subif-no-1-r0.apk" ] || fail 'B03: no'
mkdir -p src/dir src/empty src/out/deep src/kept
echo f >src/dir/file && chmod 750 src/dir/file
ln -s file src/dir/link
for f in src/a.log src/b.txt src/out/deep/x src/kept/k.log; do echo "$f" >"$f"; done
file srccopy <<'Y'
pipeline:
  - runs: |
      test -f dir/file && test "$(stat -c %a dir/file)" = 750
      test ! -e dir/link && test ! -e empty && test -f a.log
Y
works B04 "${plain[@]}" "${known[@]}" --source-dir src srccopy.yaml
[ ! -e src/test-dirfs-0 ] || fail 'B04: the sources were written to'
printf '# none\n*.log\n/out\n!kept/k.log\n' >src/.melangeignore
file ignore <<'Y'
pipeline: [{runs: "test ! -e a.log && test ! -e out && test -f b.txt && test -f kept/k.log"}]
Y
works B05 "${plain[@]}" "${known[@]}" --source-dir src ignore.yaml
file emptyws <<'Y'
pipeline: [{runs: "test \"$(ls -A | grep -vx melange-out | wc -l)\" = 0"}]
Y
b B07 emptyws
file compilers '  cpe: {vendor: v, product: p}' <<'Y'
pipeline:
  - runs: |
      grep -qxF '*link:' .melange.gcc.spec # B08
      grep -q '^+ %{!r:--package-metadata={"type":"apk","os":"wolfi","name":"compilers","version":"1-r0","architecture":"[a-z0-9_]*","appCpe":"cpe:2.3:a:v:p:.*"}}$' .melange.gcc.spec
      grep -q "^-Xlinker --package-metadata='{\"type\":\"apk\"" .melange.clang.cfg
      test "$(find .config -name '*.cfg' | wc -l)" = 112 # B09
      grep -qx '@/etc/clang-15/aarch64-unknown-linux-gnu-clang++.cfg' .config/clang-15/aarch64-unknown-linux-gnu-clang++.cfg
      printf '#include ".melange.fdo.h"\nint main(void) { return 0; }\n' >x.c # B10
      cc -I. -o x x.c
      readelf -n x | grep -A4 FDO | grep -qi 'cafe1a7e\|packaging'
Y
works B10 "${plain[@]}" "${known[@]}" --namespace wolfi --source-dir bare compilers.yaml
file envs '' <<'Y'
environment:
  environment: {GLOBAL: from-file, EMPTY: ""}
pipeline:
  - environment: {GLOBAL: from-step, OUTER: "1"}
    pipeline:
      - runs: test "$GLOBAL" = from-step && test "$OUTER" = 1 && test "$FROMFILE" = "of the file"
      - environment: {OUTER: "2"}
        runs: test "$OUTER" = 2 && test "$SOURCE_DATE_EPOCH" = 1700000000
  - runs: test "$GLOBAL" = from-file && test -z "${SECRET:-}"
Y
printf 'GLOBAL=lowest\nFROMFILE=of the file\n' >e.env
SECRET=1 b B15 envs --env-file e.env # and B11, B12, B14, B17
file novars <<'Y'
pipeline: [{runs: 'test "${{vars.word}}" = said'}]
Y
echo 'word: said' >v.yaml
b B18 novars --vars-file v.yaml
file pipefail <<'Y'
pipeline: [{runs: "false | true"}]
Y
if sh -c 'set -o pipefail' 2>/dev/null; then
	no B19 pipefail 'failed: exit status 1'
else
	b B19 pipefail
	says B19 'does not know pipefail'
fi
file middle <<'Y'
pipeline: [{runs: "false\ntrue"}]
Y
no B19-e middle 'failed: exit status 1'
b B20 min --debug
says B20 ' \+ mkdir -p '
file workdir <<'Y'
pipeline:
  - working-directory: new/deep
    pipeline:
      - runs: test "$(pwd)" = /home/build/new/deep
      - {working-directory: /tmp/abs, runs: 'test "$(pwd)" = /tmp/abs'}
  - {working-directory: only/made}
  - runs: test -d only/made
Y
b B21 workdir
file assert2of1 <<'Y'
pipeline:
  - assertions: {required-steps: 2}
    pipeline: [{if: "'1' == '1'", runs: "true"}, {if: "'1' == '2'", runs: "true"}]
Y
no B23 assert2of1 'required|steps'
sed 's/steps: 2/steps: 1/' assert2of1.yaml >assert1of1.yaml
b B23-right assert1of1
file runas <<'Y'
environment:
  accounts: {run-as: other, users: [{username: other, uid: 1234}]}
pipeline: [{runs: "true"}]
Y
sed 's/run-as: other/run-as: nobody-at-all/' runas.yaml >runas-none.yaml
no B26 runas-none "nobody-at-all"
file caps <<'Y'
capabilities: {add: [CAP_NET_ADMIN], drop: [CAP_KILL]}
pipeline: [{runs: grep CapEff /proc/self/status}]
Y
b B27 caps
file pidns <<'Y'
pipeline: [{runs: 'test "$(ls /proc | grep -cE "^[0-9]+$")" -le 6'}]
Y
b B28 pidns
file writeresolv <<'Y'
pipeline: [{runs: "echo bad >>/etc/resolv.conf"}]
Y
no B29 writeresolv 'failed: exit status'
mkdir c
file cache <<'Y'
pipeline: [{runs: "echo kept >/var/cache/melange/x"}]
Y
b B30 cache --cache-dir c
[ "$(cat c/x)" = kept ] || fail B30
printf 'fetched text\n' >fetched.txt
sum=$(sha256sum fetched.txt | cut -d' ' -f1)
cp fetched.txt "c/sha256:$sum"
file fetchcached <<Y
pipeline:
  - uses: fetch
    with: {uri: "https://unreachable.example/fetched.txt", expected-sha256: $sum, extract: false}
  - runs: grep -qx 'fetched text' fetched.txt
Y
b B32 fetchcached --cache-dir c
file sleep <<'Y'
pipeline: [{runs: "echo it has begun; sleep 61.5"}]
Y
no B33 sleep 'time|deadline' --timeout 1s
mkdir tmp
TMPDIR=$work/tmp timeout -s INT 3 "${plain[@]}" "${known[@]}" --empty-workspace sleep.yaml >B34.out 2>&1 || true
[ -z "$(ls tmp)" ] || fail "B34: left $(ls tmp)"
quiet B34 'panic'
! pgrep -f '[s]leep 61\.5' >/dev/null || fail 'B34: the step lives on'
no B35 broken 'exit status 7' --rm=false --workspace-dir w
[ -d "w/$arch" ] || fail B35
TMPDIR=$work/tmp b B36 min
[ -z "$(ls tmp)" ] || fail "B36: left $(ls tmp)"
file noarch <<'Y'
pipeline: [{runs: "mkdir -p ${{targets.destdir}}/usr && echo ${{build.arch}} >${{targets.destdir}}/usr/arch"}]
Y
works B37 "$melange" build noarch.yaml --arch x86_64,aarch64 --rootfs / --no-network --empty-workspace "${known[@]}"
for a in x86_64 aarch64; do
	[ "$(tar xzOf "packages/$a/noarch-1-r0.apk" usr/arch 2>/dev/null)" = "$a" ] || fail "B37: $a"
done
file opts <<'Y'
vars: {word: plain}
options: {foo: {vars: {word: chosen}}}
pipeline: [{runs: 'test "${{vars.word}} ${{options.foo.enabled}}" = "chosen true"'}]
Y
b B39 opts --build-option foo
no B39-off opts 'failed: exit status'
mkdir d1 d2
for d in d1 d2; do printf 'pipeline: [{runs: "test %s = d1"}]\n' $d >$d/which.yaml; done
printf 'pipeline: [{runs: "true"}]\n' >d2/second.yaml
file pdir <<'Y'
pipeline: [{uses: which}, {uses: second}]
Y
b B42 pdir --pipeline-dir d1 --pipeline-dirs d2
before=$(snapshot packages)
file subfail <<'Y'
subpackages: [{name: subfail-a, pipeline: [{runs: exit 4}]}]
Y
no B46 subfail 'exit status 4'
[ "$before" = "$(snapshot packages)" ] || fail B46
b B47 min --out-dir o1 --signing-key local.rsa
TZ=Asia/Tokyo b B47-again min --out-dir o2 --signing-key local.rsa
diff -r o1 o2 >&2 || fail B47
file sub <<'Y'
subpackages: [{name: sub-a}]
Y
b B48 sub --strip-origin-name
k sub-a | holds B48 '^origin = sub-a$'
b B49 min --create-build-log
[ "$(tail -1 packages.log)" = "$arch|min|min|1-r0" ] || fail B49
b B50 sub --dependency-log dep
jq -se 'length == 2' "dep.$arch" >/dev/null || fail B50

# Packages.
b E01 min
l min | awk '{ print $2 }' | sort -u | holds E01 '^(root/root|0/0)$'
[ "$(l min | awk '{ print $2 }' | sort -u | wc -l)" = 1 ] || fail 'E01: other owners'
file suid '  checks: {disabled: [setuidgid]}' <<'Y'
pipeline:
  - runs: |
      cd ${{targets.destdir}} && mkdir -p usr/bin usr/share/d && touch usr/bin/x && chmod 4755 usr/bin/x && chmod 1775 usr/share/d
      echo one >usr/share/one && ln usr/share/one usr/share/two
Y
b E04 suid
l suid | holds E04 '^-rws.* usr/bin/x$'
l suid | holds E05 '^d.*wxr-t.* usr/share/d'
l suid | holds E06 'usr/share/two link to usr/share/one$'
file setcap '  setcap:
    - {path: /usr/bin/x, add: {cap_net_raw: +ep}, reason: raw sockets}' <<'Y'
pipeline: [{runs: "mkdir -p ${{targets.destdir}}/usr/bin && echo >${{targets.destdir}}/usr/bin/x"}]
subpackages:
  - name: setcap-sub
    setcap: [{path: /usr/bin/y, add: {cap_net_admin: +ep}, reason: interfaces}]
    pipeline: [{runs: "mkdir -p ${{targets.subpkgdir}}/usr/bin && echo >${{targets.subpkgdir}}/usr/bin/y"}]
Y
b E10 setcap
# capability PACKAGE PATH: permitted bits of security.capability
capability() {
	gunzip -c "packages/$arch/$1-1-r0.apk" 2>/dev/null | python3 -c '
import io, sys, tarfile
with tarfile.open(fileobj=io.BytesIO(sys.stdin.buffer.read()), ignore_zeros=True, errors="surrogateescape") as t:
    value = t.getmember(sys.argv[1]).pax_headers["SCHILY.xattr.security.capability"]
print(value.encode("utf-8", "surrogateescape")[:8].hex())' "$2"
}
[ "$(capability setcap usr/bin/x)" = 0100000300200000 ] || fail "E10: $(capability setcap usr/bin/x)"
[ "$(capability setcap-sub usr/bin/y)" = 0100000300100000 ] || fail E11
sed '/reason: raw/s/, reason: raw sockets//' setcap.yaml >setcapnoreason.yaml
no E12 setcapnoreason 'reason'
k min | holds E13 '^size = [0-9]+$'
files=$(s min | wc -c)
[ "$(k min | sed -n 's/^size = //p')" = "$((files + 2))" ] || fail 'E13: not the size of files and links'
SOURCE_DATE_EPOCH=9 b E14 min
k min | holds E14 '^builddate = 9$'
SOURCE_DATE_EPOCH=0 b E21 min --namespace wolfi
! k min | grep -q builddate || fail 'E14: a date of nothing'
k min | holds E15 '^maintainer = wolfi$'
[ "$(l min | awk '{ print $4 }' | sort -u)" = 1970-01-01 ] || fail E21
file twolic <<'Y'
Y
sed -i 's/^  copyright.*/  copyright: [{license: MIT}, {license: Apache-2.0}]/' twolic.yaml
b E16 twolic
[ "$(k twolic | grep -c '^license = ')" = 2 ] || fail E16
file scripts '  scriptlets:
    pre-install: "#!/bin/sh\n"
    trigger: {paths: [/a, /b], script: "#!/bin/sh\n"}' <<'Y'
Y
b E17 scripts
l scripts | holds E17 '^-rwxr-xr-x .*\.pre-install$'
k scripts | holds E18 '^triggers = /a /b $'
b E22 min --git-commit abc
k min | holds E22 '^commit = abc$'

# SBOMs.
l min | holds S01 'var/lib/db/sbom/min-1-r0.spdx.json$'
b S02 sub --namespace wolfi
[ "$(s sub | jq -r .documentNamespace)" != "$(s sub-a | jq -r .documentNamespace)" ] || fail 'S02: one name for two'
s sub | jq -r .documentNamespace | holds S02 '^https://spdx.org/spdxdocs/chainguard/melange/[0-9a-f]{32}$'
s sub | jq -r '..|.referenceLocator?' | holds S03 "^pkg:apk/wolfi/sub@1-r0\?arch=$arch&distro=wolfi$"
file sources '' <<Y
pipeline:
  - uses: fetch
    with: {uri: "https://unreachable.example/fetched.txt", expected-sha256: $sum, extract: false}
  - if: "'1' == '2'"
    uses: fetch
    with: {uri: "https://unreachable.example/never.txt", expected-sha256: $sum}
subpackages: [{name: sources-sub}]
Y
b S04 sources --cache-dir c
s sources | jq -r '..|.referenceLocator?' | holds S04 "^pkg:generic/sources@1\?checksum=sha256:$sum&download_url="
s sources-sub | jq -e '[.relationships[] | select(.relationshipType == "GENERATED_FROM")] | length == 1' >/dev/null || fail S07
for p in sources sources-sub; do
	s $p | jq -e '[.packages[].SPDXID] | length == (unique | length)' >/dev/null || fail "S08: $p"
done
! s sources | grep -q never.txt || fail S13
git init -q upstream && git -C upstream -c user.name=x -c user.email=x@example.org commit -q --allow-empty -m x
commit=$(git -C upstream rev-parse HEAD)
file git '' <<Y
pipeline:
  - uses: git-checkout
    with: {repository: "file:///home/build/upstream", branch: $(git -C upstream branch --show-current), expected-commit: $commit, destination: x}
Y
cp -r upstream gitsrc && mkdir gits && mv gitsrc gits/upstream
works S06 "${plain[@]}" "${known[@]}" --source-dir gits git.yaml
s git | jq -r '..|.referenceLocator?' | holds S06 "vcs_url=git%2Bfile:.*$commit"
file oddlic '' <<'Y'
Y
sed -i 's/^  copyright.*/  copyright: [{license: My Own_Licence!}, {license: GPL-2.0-only OR MIT}, {license: Custom, license-path: own.txt}]/' oddlic.yaml
mkdir lic && echo 'the own text' >lic/own.txt
works S09 "${plain[@]}" "${known[@]}" --source-dir lic oddlic.yaml
s oddlic | jq -r '.packages[1].licenseDeclared' | holds S09 '^LicenseRef-My-Own-Licence AND \(GPL-2.0-only OR MIT\) AND LicenseRef-Custom$'
s oddlic | jq -e '.hasExtractedLicensingInfos[] | select(.licenseId == "LicenseRef-Custom").extractedText == "the own text\n"' >/dev/null || fail S10
rm -r packages
works S11 "${plain[@]}" "${known[@]}" --namespace wolfi --source-dir bare compilers.yaml
s compilers | jq -r '..|.referenceLocator?' | holds S11 '^cpe:2.3:a:v:p:1:'
TZ=Asia/Tokyo b S12 min
s min | jq -r .creationInfo.created | holds S12 '^2023-11-14T22:13:20Z$'
b S14 min --generate-provenance
tar xzOf "packages/$arch/min-1-r0.attest.tar.gz" 2>/dev/null >S14.json
jq -e --arg d "$(sha256sum "packages/$arch/min-1-r0.apk" | cut -d' ' -f1)" \
	'._type == "https://in-toto.io/Statement/v1" and .predicateType == "https://slsa.dev/provenance/v1" and .subject[0].digest.sha256 == $d' \
	S14.json >/dev/null || { fail S14; cat S14.json >&2; }

# What a scan finds in the end, and what a linter says.
file rel '  options: {no-provides: true}' <<'Y'
pipeline: [{runs: "mkdir -p ${{targets.destdir}}/usr/bin; printf '#!/bin/bash\n' >${{targets.destdir}}/usr/bin/r; chmod 755 ${{targets.destdir}}/usr/bin/r"}]
Y
b D22 rel
! k rel | grep -q '^provides' || fail D22
k rel | holds D17 '^depend = cmd:bash$'
sed 's/no-provides/no-depends/' rel.yaml >rel2.yaml
b D23 rel2
! k rel | grep -q '^depend' || fail D23
k rel | holds D01 '^provides = cmd:r=1-r0$'
sed 's/no-provides/no-commands/' rel.yaml >rel3.yaml
b D24 rel3
! k rel | grep -q 'cmd:' || fail D24
file mods <<'Y'
pipeline:
  - runs: |
      cd ${{targets.destdir}} && mkdir -p usr/lib/modules/6 && cd usr/lib/modules/6
      printf 'x\0vermagic=6.1.0-gz SMP\0' | gzip >a.ko.gz
      printf 'x\0vermagic=6.1.0-xz SMP\0' | xz >b.ko.xz
      printf 'x\0vermagic=6.1.0-zst SMP\0' | zstd -q >c.ko.zst
Y
b D20 mods
for v in gz xz zst; do k mods | holds D20 "^depend = linux:6.1.0-$v\$"; done
# A Go program by its build settings, inline: magic, flags, then two texts behind their lengths.
python3 - <<'P'
def text(s):
    n, out = len(s), b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n]) + s
mod = b"\x30" * 16 + b"path\tx\nbuild\tCGO_ENABLED=1\nbuild\tGOEXPERIMENT=systemcrypto\n" + b"\x31" * 16
open("buildinfo", "wb").write(b"\xff Go buildinf:" + b"\x08\x02" + bytes(16) + text(b"go1.24") + text(mod))
P
mkdir go && cp buildinfo go
file gofips <<'Y'
pipeline:
  - runs: |
      echo 'int main(void) { return 0; }' >x.c && cc -o x x.c
      mkdir -p ${{targets.destdir}}/usr/bin
      objcopy --add-section .go.buildinfo=buildinfo --set-section-flags .go.buildinfo=alloc,data x ${{targets.destdir}}/usr/bin/x
Y
works D21 "${plain[@]}" "${known[@]}" --source-dir go gofips.yaml
k gofips | holds D21 '^depend = openssl-config-fipshardened$'
no N04 min 'unknown linter: "nope"' --lint-require nope
file isolated '  checks: {disabled: [dev]}' <<'Y'
pipeline: [{runs: "mkdir -p ${{targets.destdir}}/dev && touch ${{targets.destdir}}/dev/x"}]
subpackages: [{name: isolated-sub, pipeline: [{runs: "mkdir -p ${{targets.subpkgdir}}/dev && touch ${{targets.subpkgdir}}/dev/x"}]}]
Y
no N03 isolated "linter \"dev\" failed: isolated-sub"
file objects <<'Y'
pipeline: [{runs: "mkdir -p ${{targets.destdir}}/usr && touch ${{targets.destdir}}/usr/x.o"}]
Y
b N06 objects --persist-lint-results
says N06 '\[object\]'
jq -e '.findings.object[0].message' "packages/$arch/lint-objects-1-r0.json" >/dev/null || fail N06

# Indexes, signatures and keys.
b I04-made min --signing-key local.rsa
apk=packages/$arch/min-1-r0.apk
works I01 "$melange" index -o I01.tar.gz "$apk"
tar xzOf I01.tar.gz APKINDEX 2>/dev/null | holds I01 '^P:min$'
works I03 "$melange" index -a s390x -o I03.tar.gz "$apk"
! tar xzOf I03.tar.gz APKINDEX 2>/dev/null | grep -q '^P:min' || fail I03
works I04 "$melange" index --signing-key local.rsa -o I04.tar.gz "$apk"
tar tzf I04.tar.gz 2>/dev/null | holds I04 '^\.SIGN\.RSA256\.local\.rsa\.pub$'
cp I04.tar.gz I05.tar.gz
works I05 "$melange" sign-index --signing-key local.rsa I05.tar.gz
cmp I04.tar.gz I05.tar.gz >&2 || fail I05
works key2 "$melange" keygen k2.rsa --key-size 2048
works I06 "$melange" sign-index -f --signing-key k2.rsa I05.tar.gz
tar tzf I05.tar.gz 2>/dev/null | holds I06 '^\.SIGN\.RSA256\.k2\.rsa\.pub$'
cp "$apk" I07.apk
works I07 "$melange" sign -k k2.rsa I07.apk
tar tzf I07.apk 2>/dev/null | holds I07 '^\.SIGN\.RSA256\.k2\.rsa\.pub$'
works I08 "$melange" keygen I08.rsa
openssl rsa -in I08.rsa -noout -text 2>/dev/null | head -1 | holds I08 '4096'
head -1 I08.rsa | holds I08 '^-----BEGIN RSA PRIVATE KEY-----$'
head -1 I08.rsa.pub | holds I08 '^-----BEGIN PUBLIC KEY-----$'
refused I09 '2048' "$melange" keygen --key-size 1024 I09.rsa # and X27
[ ! -e I09.rsa ] || fail I09
[ "$(stat -c %a I08.rsa)" = 600 ] || fail I10

# Attacks that a build file makes.
# shellcheck disable=SC2016 # it is the point
for text in 'x'"'"'$(touch /tmp/owned-row)'"'"'x' 'a;touch owned' 'b`touch owned`' 'c d' '-e' '"$HOME"'; do
	jq -n --arg d "$text" '{package: {name: "quoted", version: "1", epoch: 0}, pipeline: [
		{"working-directory": $d, runs: "pwd"}, {runs: "test ! -e owned && test ! -e /tmp/owned-row"}]}' >quoted.yaml
	b X12 quoted
	says X12 "INFO /home/build/"
done
for name in /etc/passwd ../x a/../../x; do
	printf 'package: {name: u, version: "1", epoch: 0}\npipeline: [{uses: "%s"}]\n' "$name" >uses.yaml
	no X14 uses 'must not contain|absolute|\.\.'
done
mkdir out1 && printf 'pipeline: [{runs: "true"}]\n' >outside.yaml && ln -s ../outside.yaml out1/escape.yaml
printf 'package: {name: u, version: "1", epoch: 0}\npipeline: [{uses: escape}]\n' >uses.yaml
no X15 uses 'leads out of the directory' --pipeline-dir out1
printf 'pipeline: [{runs: "true"}]\n' >out1/inside.yaml && ln -sf inside.yaml out1/escape.yaml && ln -s out1 out2
b X15-inside uses --pipeline-dir out2
printf 'package: {name: u, version: "1", epoch: 0}\npipeline: [{uses: fetch, with: {uri: "https://example.org/x", expected-sha256: zz}}]\n' >sum.yaml
no X18 sum 'expected-sha256'
for path in /etc/passwd ../../etc/passwd; do
	printf 'package: {name: q, version: "1", epoch: 0}\npipeline:\n  - uses: git-checkout\n    with: {repository: "file://%s/upstream", branch: %s, expected-commit: %s}\n  - {uses: patch, with: {patches: %s}}\n' \
		"$work" "$(git -C upstream branch --show-current)" "$commit" "$path" >q.yaml
	refused X20 "'?$path" "$melange" source get q.yaml -o q
	[ ! -e q/q ] || fail 'X20: the checkout stayed'
	sed 's/patches/series/' q.yaml >q2.yaml
	refused X20-series "'?$path" "$melange" source get q2.yaml -o q
done
for path in /etc/passwd ../../etc/passwd own/../../x; do
	sed "s,own.txt,$path," oddlic.yaml >badlic.yaml
	refused X22 "license-path" "${plain[@]}" "${known[@]}" --source-dir lic badlic.yaml
done
ln -s /etc/passwd lic/linked 2>/dev/null
file socket <<'Y'
pipeline:
  - runs: cd ${{targets.destdir}} && python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("s")'
Y
no X07 socket 'is a socket'
# shellcheck disable=SC2016 # it is the point
sed 's,/usr/bin/x,"/usr/bin/x$(touch /tmp/owned-row)",' setcap.yaml >setcapshell.yaml
"${plain[@]}" "${known[@]}" --empty-workspace setcapshell.yaml >X13.out 2>&1 || true
[ ! -e /tmp/owned-row ] || fail 'X13: the path of a capability was run'
# shellcheck disable=SC2016 # it is the point
printf 'package: {name: x, version: "1", epoch: 0}\npipeline: [{uses: fetch, with: {uri: "https://127.0.0.1:1/$(touch owned-row)", expected-sha256: %s}}]\n' "$sum" >uri.yaml
works X19 "$melange" license-check uri.yaml
refused X19-update 'uri|URL|connect' "$melange" update-cache uri.yaml --cache-dir c2
[ ! -e owned-row ] || fail 'X19: a URL was run'
no X23 min 'unknown runner: qemu' --runner qemu
for bad in 'name: ../x' 'name: a/b' 'name: ""' 'name: -x'; do
	printf 'package: {%s, version: "1", epoch: 0}\n' "$bad" >badname.yaml
	no X24 badname 'name'
done
finish
