#!/bin/bash
# Steps that turn on their builder: what they leave in the workspace never leads out of it.
set -euo pipefail
# shellcheck source=melange/tests/cli/lib.sh
. "$SRC/melange/tests/cli/lib.sh"

build=("$melange" build --arch host --git-commit unknown --git-repo-url https://example.org/x --license MIT
	--rootfs / --no-network --workspace-dir ws)
mkdir -p secret/out secret/below sources/below packages
echo secret >secret/out/file

# file NAME < text of the steps
file() {
	{
		printf 'package:\n  name: %s\n  version: "1"\n  epoch: 0\npipeline:\n  - runs: |\n' "$1"
		sed 's/^/      /'
	} >"$1.yaml"
}
contains() {
	tar tzf packages/*/"$1-1-r0.apk" >"$1.list" 2>/dev/null
	grep -q -- "$2" "$1.list"
}

file later <<'S'
true
S
works later "${build[@]}" --empty-workspace later.yaml
rm -rf ws
file out <<S
cd /home/build && rm -rf melange-out && ln -s '$work/secret' melange-out
S
refused link-out "melange-out/out' of the workspace" "${build[@]}" --empty-workspace out.yaml
rm -rf ws
file own <<S
cd /home/build/melange-out && rmdir own && ln -s '$work/secret/out' own
S
refused link-own "melange-out/own' of the workspace" "${build[@]}" --empty-workspace own.yaml
rm -rf ws
file plain <<'S'
cd /home/build/melange-out && rmdir plain && echo x > plain
S
refused plain-file "melange-out/plain' of the workspace" "${build[@]}" --empty-workspace plain.yaml
rm -rf ws

# A workspace that a hostile build left, used again: sources and our own files stay inside.
mkdir -p "ws/$(uname -m)"
ln -s "$work/secret/below" "ws/$(uname -m)/below"
ln -s "$work/secret/below" "ws/$(uname -m)/.config"
echo new >sources/below/new
echo top >sources/top
refused old-links "of the workspace" "${build[@]}" --source-dir sources later.yaml
[ -z "$(ls secret/below)" ] || fail 'a link in the workspace was followed'
rm -rf ws
works sources "${build[@]}" --source-dir sources --rm=false later.yaml
diff -r sources ws/* >diff.out || ! grep -v '^Only in ws' diff.out || fail 'sources are not in the workspace'
rm -rf ws

# Links inside packages stay links, whatever they point to.
file links <<S
d=/home/build/melange-out/links/usr/share
mkdir -p "\$d"
ln -s '$work/secret/out' "\$d/dir"
ln -s ../../../../../../../../../../../../../../etc/passwd "\$d/file"
S
works links "${build[@]}" --empty-workspace links.yaml
contains links '^usr/share/dir$' || fail 'the link is missing'
if contains links 'usr/share/dir/'; then fail 'a link was followed into the package'; fi
rm -rf ws

# Depth, size and odd names.
file deep <<'S'
cd /home/build/melange-out/deep
i=0
while [ $i -lt 200 ]; do mkdir -p d && cd -P d && i=$((i + 1)); done
echo x > file
S
works deep "${build[@]}" --empty-workspace deep.yaml
file abyss <<'S'
cd /home/build/melange-out/abyss
i=0
while [ $i -lt 1100 ]; do mkdir d && cd ./d || exit 9; i=$((i + 1)); done
S
refused abyss "(more than 1024 directories deep|failed: exit status)" "${build[@]}" --empty-workspace abyss.yaml
if [ -n "$(ls ws)" ]; then fail 'abyss: the workspace stayed'; fi
file sparse <<'S'
truncate -s 300M /home/build/melange-out/sparse/hole
S
works sparse "${build[@]}" --empty-workspace sparse.yaml
file names <<'S'
cd /home/build/melange-out/names
touch -- "$(printf 'line\nbreak')" "$(printf 'tab\there')" ' blank' '-dash' '*' '$(id)' "$(printf 'latin-\344')"
S
works names "${build[@]}" --empty-workspace names.yaml
finish
