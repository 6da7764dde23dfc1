#!/bin/bash
# show-config: merged with what it includes, checked, passwords hidden, without any network.
# Rows of the feature checklist (apko 9): I032 I033.
set -euo pipefail
# shellcheck source=apko/tests/cli/lib.sh
. "$SRC/apko/tests/cli/lib.sh"

mkdir more
cat >more/base.yaml <<'END'
contents:
  repositories: [https://user:secret@packages.example.invalid/os/]
  packages: [base]
environment: {LANG: C, A: base}
END
cat >image.yaml <<'END'
include: base.yaml
contents:
  keyring: [https://packages.example.invalid/key.rsa.pub]
  packages: [tool~1]
environment: {A: child}
accounts:
  run-as: 65532
  users:
  - {username: build, uid: 65532}
END
cat >expected <<'END'
contents:
    repositories:
        - https://user:xxxxx@packages.example.invalid/os
    keyring:
        - https://packages.example.invalid/key.rsa.pub
    packages:
        - base
        - tool~1
accounts:
    run-as: "65532"
    users:
        - username: build
          uid: 65532
          shell: ""
          homedir: /home/build
    groups: []
environment:
    A: child
    LANG: C
include: base.yaml
END
ok "$apko" show-config image.yaml --include-paths more
same expected stdout
[ ! -s stderr ] || fail 'something on standard error'
# the flags of the other commands are known, and change nothing
ok "$apko" show-config image.yaml --include-paths more -k k -b b -r r --offline --cache-dir cache
same expected stdout
# what is printed is a description again, of the same
sed 's/:xxxxx@/:secret@/; /^include/d' expected >again.yaml
ok "$apko" show-config again.yaml
sed -i '/^include/d' expected
same expected stdout

bad "image.yaml:1: include: cannot open 'base.yaml'" "$apko" show-config image.yaml
echo 'contents: {pakages: [a]}' >typo.yaml
bad 'unknown key "pakages" in contents; did you mean "packages"?' "$apko" show-config typo.yaml
grep -q 'typo.yaml:1:12' stderr || fail 'no position'
: >empty.yaml
bad 'empty.yaml: the file is empty' "$apko" show-config empty.yaml
bad 'CONFIG' "$apko" show-config
