#!/bin/bash
# `melange test`: the package under test is installed in the guest, each subpackage has its own.
set -euo pipefail
# shellcheck source=melange/tests/cli/lib.sh
. "$SRC/melange/tests/cli/lib.sh"

common=(--arch host)
build=("$melange" build "${common[@]}" --git-commit unknown --git-repo-url https://example.org/x --license MIT
	--signing-key local.rsa --no-network --rootfs / --empty-workspace)
check=("$melange" test "${common[@]}" -r "$work/packages" -k "$work/local.rsa.pub")
works keygen "$melange" keygen local.rsa --key-size 2048

cat >toolbox.yaml <<'Y'
package:
  name: toolbox
  version: 1.35.0
  epoch: 0
  checks:
    disabled: [usrmerge, tempdir]
pipeline:
  - runs: |
      mkdir -p ${{targets.destdir}}/bin ${{targets.destdir}}/tmp
      cp "$(command -v busybox)" ${{targets.destdir}}/bin/busybox
      ln -s busybox ${{targets.destdir}}/bin/sh
Y
works toolbox "${build[@]}" toolbox.yaml
cat >thing.yaml <<'Y'
package:
  name: thing
  version: "2"
  epoch: 0
pipeline:
  - runs: mkdir -p ${{targets.destdir}}/usr/share && echo "thing ${{package.version}}" > ${{targets.destdir}}/usr/share/thing
subpackages:
  - name: thing-data
    pipeline:
      - runs: mkdir -p ${{targets.subpkgdir}}/usr/share && echo data > ${{targets.subpkgdir}}/usr/share/data
    test:
      environment: {contents: {packages: [toolbox]}}
      pipeline:
        - runs: test ! -e /usr/share/thing; grep -qx data /usr/share/data
test:
  environment:
    contents: {packages: [toolbox]}
    environment: {WANT: thing 2}
  pipeline:
    - name: content
      runs: |
        test "$(cat /usr/share/thing)" = "$WANT"
        test ! -e /usr/share/data
        test -z "${SOURCE_DATE_EPOCH:-}"
        test "$HOME" = /home/build
Y
works thing "${build[@]}" thing.yaml
works passes "${check[@]}" thing.yaml
grep -q 'running test pipeline for subpackage thing-data' passes.out || fail 'the subpackage is not tested'
works version "${check[@]}" thing.yaml thing=2-r0
refused other-version 'thing' "${check[@]}" thing.yaml thing=9
sed 's/WANT: thing 2/WANT: thing 3/' thing.yaml >fails.yaml
refused fails "failed to test package 'thing': .*fails.yaml:20:[0-9]+: step 'content' failed: exit status 1" "${check[@]}" fails.yaml
sed 's/-qx data/-qx date/' thing.yaml >subfails.yaml
refused subfails "failed to test subpackage 'thing-data'" "${check[@]}" subfails.yaml
works no-tests "${check[@]}" toolbox.yaml
grep -q 'has no tests' no-tests.out || fail 'no tests: says nothing'
finish
