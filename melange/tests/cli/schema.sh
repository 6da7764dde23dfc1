#!/bin/bash
# The JSON Schema of build files accepts what loads and rejects what a schema can, by a public
# validator (row K14 of the language's checklist).
set -euo pipefail
# shellcheck source=melange/tests/cli/lib.sh
. "$SRC/melange/tests/cli/lib.sh"

"$melange" schema >build.json
"$melange" schema pipeline >pipeline.json
[ "$(jq -r .title build.json)" = 'melange build file' ] || fail 'no title'
valid() {
	/usr/bin/python3 "$SRC/melange/tests/cli/schema.py" "$@" || fail "$1 $2"
}
mapfile -t builds < <(find "$SRC/examples" -name '*.yaml' ! -path '*/pipelines/*' ! -name image.yaml)
mapfile -t pipelines < <(find "$SRC/pipelines" -name '*.yaml')
valid build.json good "${builds[@]}"
valid pipeline.json good "${pipelines[@]}"

# bad NAME < file: the loader and the schema both refuse it.
bad() {
	cat >"$1.yaml"
	if "$melange" compile "$1.yaml" --arch x86_64 >"$1.out" 2>&1; then fail "$1 compiles"; fi
	valid build.json bad "$1.yaml"
}
bad unknown <<'Y'
package: {name: a, version: "1", epoch: 0}
pipelines: []
Y
bad unknown-below <<'Y'
package: {name: a, version: "1", epoch: 0, dependencies: {runtim: [b]}}
Y
bad text-for-list <<'Y'
package: {name: a, version: "1", epoch: 0, dependencies: {runtime: b}}
Y
bad list-for-map <<'Y'
package: {name: a, version: "1", epoch: 0}
environment: {environment: [A=b]}
Y
bad float-epoch <<'Y'
package: {name: a, version: "1", epoch: 1.5}
Y
bad negative-epoch <<'Y'
package: {name: a, version: "1", epoch: -1}
Y
bad step-text <<'Y'
package: {name: a, version: "1", epoch: 0}
pipeline: [make]
Y
bad flag-text <<'Y'
package: {name: a, version: "1", epoch: 0, options: {no-provides: maybe}}
Y

# Real files, where they lie beside the source tree.
configs=$SRC/../shared/data/configs
if [ -d "$configs" ]; then
	valid build.json good "$configs"/wolfi/*.yaml "$configs"/melange-examples/*.yaml
else
	echo "skipped: no real build files in $configs"
fi
finish
