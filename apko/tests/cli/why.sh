#!/bin/bash
# Why a package is in an image, and why there is no answer: five requests that puzzle people. The
# accounts are those of docs/resolver.md, to the letter.
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"
arch=x86_64

# image NAME REPOSITORIES PACKAGES: a configuration
image() {
	printf 'contents:\n  keyring: [test.rsa.pub]\n  repositories: [%s]\n  packages: [%s]\narchs: [x86_64]\n' \
		"$2" "$3" >"$1.yaml"
}

# in_docs FILE: the document has these lines, one after the other
in_docs() {
	python3 - "$1" "$SRC/docs/resolver.md" <<-'END' || fail "docs/resolver.md does not show: $(cat "$1")"
		import sys
		want, text = (open(f).read() for f in sys.argv[1:])
		sys.exit("".join("    " + line + "\n" for line in want.splitlines()) not in text)
	END
}

# account NAME: of a refusal, without the time in front of it
account() {
	local status=0
	"$apko" show-packages "$1.yaml" >stdout 2>stderr || status=$?
	if [ $status != 1 ] || [ -s stdout ]; then fail "$1: exit $status"; fi
	sed -E 's/^[0-9/]+ [0-9:]+ ERRO //; s/^    //' stderr >"$1.account"
	in_docs "$1.account"
	status=0
	"$apko" show-packages --json "$1.yaml" >"$1.json" 2>stderr || status=$?
	[ $status = 1 ] || fail "$1: exit $status with --json"
	jq -e '.error and (.conflicts[0].facts | length > 0)' "$1.json" >/dev/null ||
		fail "$1: $(cat "$1.json")"
}

# change NAME CHANGE: the only one proposed; it has to work
change() {
	jq -e ".conflicts[0].changes == [$2]" "$1.json" >/dev/null || fail "$1: $(cat "$1.json")"
}

# 1: two that cannot agree on a library
package stable ssl 1.1.1-r4 provides=so:libssl.so.1.1=1.1
package stable ssl 3.0.8-r0 provides=so:libssl.so.3=3
package stable legacy-vpn 2.4-r1 'depends=so:libssl.so.1.1'
package stable curl 8.0.1-r0 'depends=so:libssl.so.3'
package stable fetch-tools 1.0-r0 'depends=curl>=8 sh'
# 2: a version that was rebuilt away
package stable tool 1.5-r0 depends=sh
# 3: two mail servers
package stable postfix 3.8-r0 provides=sendmail=3.8
package stable exim 4.96-r0 provides=sendmail=4.96
package stable cron 1.6-r0 depends=sendmail
# 4: what it needs is only in a tagged repository
package stable lib 2.1-r0
package edge lib 3.0-r0
package stable app 1.0-r0 'depends=lib>=3'
# 5: a library nobody packaged, and a name mistyped
package stable report 2.0-r0 'depends=pdf-writer fonts'
package stable pdf-writer 1.3-r0 'depends=so:libpng16.so.16'
package stable fonts 1-r0
# for why
package stable busybox 1.36-r2 'provides=cmd:sh=1.36-r2 sh' provider_priority=100
package stable dash 0.5-r1 'provides=cmd:sh=0.5-r1 sh' provider_priority=10
package stable docs 1-r0
package stable desk 1-r0 'depends=docs tool'
index stable
index edge
cp test.rsa.pub stable.rsa.pub

image vpn stable 'fetch-tools, legacy-vpn'
account vpn
change vpn '{"remove":"fetch-tools"},{"remove":"legacy-vpn"}'
image rebuilt stable 'tool=1.4-r0, curl'
account rebuilt
change rebuilt '{"replace":"tool=1.4-r0","with":"tool"}'
image mail stable 'cron, exim, postfix'
account mail
change mail '{"remove":"exim"},{"remove":"postfix"}'
image tagged "stable, '@edge edge'" app
account tagged
image missing stable 'report, curl'
account missing
change missing '{"remove":"report"}'

# the changes that are proposed do make an answer
image vpn stable fetch-tools
ok "$apko" show-packages vpn.yaml
image rebuilt stable 'tool, curl'
ok "$apko" show-packages rebuilt.yaml
change tagged '{"add":"lib@edge"}'
image tagged "stable, '@edge edge'" "app, 'lib@edge'"
ok "$apko" show-packages tagged.yaml

# why
image why stable 'desk, fetch-tools'
ok "$apko" why busybox why.yaml
in_docs stdout
ok "$apko" why ssl why.yaml
in_docs stdout
ok "$apko" why so:libssl.so.3 why.yaml
in_docs stdout
ok "$apko" why --json cmd:sh why.yaml
jq -e '.[0] | .package == "busybox-1.36-r2" and .chosen_over == ["dash-0.5-r1"]
	and (.chain | length) == 2 and .requested == false' stdout >/dev/null || fail "$(cat stdout)"
ok "$apko" show-packages --json why.yaml
jq -e '.architectures[0].packages | length == 7' stdout >/dev/null || fail "$(cat stdout)"
bad "no package of the image is or provides 'exim'" "$apko" why exim why.yaml
bad 'cannot open' "$apko" why tool absent.yaml
