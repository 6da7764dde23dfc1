#!/bin/bash
# Every script of the built-in pipelines, as compiled: each shell parses it, shellcheck has nothing
# to say, and each definition begins with a line that says what it does.
set -euo pipefail
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT

"$BIN/melange" pipelines >"$T/list"
bad=0
mapfile -t names < <(sed -n 's/^\([^ ]*\).*/\1/p' "$T/list" | grep .)
for name in "${names[@]}"; do
	"$BIN/melange" pipelines "$name" | sed -n 1p >"$T/first"
	grep -qE '^# [A-Z].*\.$' "$T/first" || { echo "$name: no first line that says what it does"; bad=1; }
	{
		printf 'package: {name: p, version: 1, epoch: 0, copyright: [{license: MIT}]}\n'
		printf 'pipeline:\n  - uses: %s\n    with:\n      {' "$name"
		awk -v name="$name" '
			/^[^ ]/ { inside = $1 == name }
			inside && $2 == "(required)" { print $1 ": x," }' "$T/list"
		printf '}\n'
	} >"$T/p.yaml"
	"$BIN/melange" compile "$T/p.yaml" --arch x86_64 --git-commit "$(printf '%040d' 0)" >"$T/p.json"
	n=$(jq '[.. | .runs? // empty] | length' "$T/p.json")
	for ((i = 0; i < n; i++)); do
		script=$T/${name//\//_}.$i.sh
		{
			echo '#!/bin/sh'
			jq -r --argjson i "$i" '[.. | .runs? // empty][$i]' "$T/p.json"
		} >"$script"
		for shell in 'busybox ash' dash bash; do
			$shell -n "$script" || { echo "$name: $shell cannot parse it"; bad=1; }
		done
	done
done
shellcheck --shell=dash "$T"/*.sh || bad=1
[ "$bad" = 0 ]

# Installed, they are data beside the program that has them built in.
cmake --install "${BIN%/bin}" --prefix "$T/root" >/dev/null
same=$(cd "$T/root/share/melange/pipelines" && find . -name '*.yaml' | sed 's,^\./,,; s,\.yaml$,,' | LC_ALL=C sort)
[ "$same" = "$(printf '%s\n' "${names[@]}" | LC_ALL=C sort)" ] || { echo "not what is installed: $same"; exit 1; }
for name in "${names[@]}"; do
	"$T/root/bin/melange" pipelines "$name" | cmp - "$T/root/share/melange/pipelines/$name.yaml"
done
echo "${#names[@]} pipelines"
