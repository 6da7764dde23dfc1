#!/bin/bash
# Recorded builds of the existing tool, where they lie beside the source tree: the groups that must
# be equal. What differs by design is left out: see the list below.
set -euo pipefail
golden=$SRC/../shared/data/build-golden
if [ ! -d "$golden" ]; then
	echo "skipped: no recorded builds in $golden"
	exit 0
fi
if [ "$(id -u)" != 0 ]; then
	echo 'skipped: owners, devices and attributes need root'
	exit 0
fi
copy=$PWD/cli/build_golden
rm -rf "$copy"
mkdir -p "$copy"
cp -r "$golden/." "$copy"
chmod -R u+w "$copy"
failed=0
for case in minimal empty subpackages options deps scripts dates links modes dirs workspace devices owners \
	owners-names licence-errors licences licence-one sbom-sources sca-so sca-vendored sca-exe sca-cross sca-cmd \
	sca-shebang sca-pc sca-langs sca-kernel sca-doc sca-odd so-ver failing index test; do
	python3 "$copy/compare.py" --only "$case" "$BIN/melange" >"$copy/log" 2>&1 || { cat "$copy/log"; failed=1; }
done
exit $failed
