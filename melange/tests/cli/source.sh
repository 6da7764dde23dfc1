#!/bin/bash
# `melange source get` and `source pop` with real repositories.
# Row R09 of melange-build 10.
set -euo pipefail
# shellcheck source=melange/tests/cli/lib.sh
. "$SRC/melange/tests/cli/lib.sh"

export GIT_CONFIG_GLOBAL=$work/gitconfig GIT_CONFIG_NOSYSTEM=1
git config --global user.name T
git config --global user.email t@example.test
git config --global init.defaultBranch main
mkdir -p packages up

git init -q up
(cd up && printf 'one\ntwo\nthree\n' >f && git add f && git commit -qm first && git tag v1)
head=$(git -C up rev-parse HEAD)
(cd up && printf 'later\n' >g && git add g && git commit -qm 'a fix' && git tag pick)
pick=$(git -C up rev-parse HEAD)

mkdir p
(cd up && git checkout -q v1 && sed -i s/two/TWO/ f && git commit -qam 'say it loud' &&
	git format-patch -q -1 --no-signature -o ../p && sed -i s/three/THREE/ f && git diff >../p/plain.diff)

cat >p.yaml <<EOF
# comment
package: {name: p, version: "1", epoch: 0}
pipeline:
  - uses: git-checkout
    with:
      repository: file://$work/up
      tag: v\${{package.version}}
      expected-commit: $head
      cherry-picks: |
        main/$pick: wanted

  # our changes
  - uses: patch # as they were
    with:
      patches: 0001-say-it-loud.patch plain.diff

  - runs: make
  - uses: patch
    with: {patches: plain.diff}
EOF
works get "$melange" source get p.yaml
[ "$(git -C source/p log --format=%s "$head"..)" = $'Apply plain.diff\nsay it loud\na fix' ] ||
	fail "not the commits wanted: $(git -C source/p log --format=%s)"
printf 'one\nTWO\nTHREE\n' | cmp - source/p/f || fail 'not the tree wanted'
compgen -G 'source/.get*' >/dev/null && fail 'a temporary directory was left'
refused again "source/p' exists" "$melange" source get p.yaml

cp p.yaml p.before
(cd source/p && printf 'four\n' >>f)
refused dirty 'not committed' "$melange" source pop p.yaml
cmp p.before p.yaml || fail 'dirty: the file changed'
(cd source/p && git commit -qam 'and four')
works pop "$melange" source pop p.yaml
cat >want.yaml <<EOF
# comment
package: {name: p, version: "1", epoch: 0}
pipeline:
  - uses: git-checkout
    with:
      repository: file://$work/up
      tag: v\${{package.version}}
      expected-commit: $head
      cherry-picks: |
        main/$pick: wanted

  # our changes
  - uses: git-am
    with:
      patches: 0001-say-it-loud.patch 0002-Apply-plain.diff.patch 0003-and-four.patch

  - runs: make
EOF
cmp want.yaml p.yaml || { fail 'pop: not the file wanted'; diff want.yaml p.yaml >&2 || true; }
for f in 0001-say-it-loud.patch 0002-Apply-plain.diff.patch 0003-and-four.patch plain.diff; do
	[ -f "p/$f" ] || fail "no p/$f"
done
compgen -G 'p/.pop*' >/dev/null && fail 'a temporary directory was left'

# around again: the same tree, and nothing to change
works round "$melange" source get p.yaml -o other
diff -r --exclude=.git source/p other/p || fail 'not the same tree the second time'
cp p.yaml p.before
works nothing "$melange" source pop p.yaml -o other
cmp p.before p.yaml || { fail 'a second pop changed the file'; diff p.before p.yaml >&2 || true; }

# without patches: the step comes behind the checkout, in the first place only
cat >q.yaml <<EOF
package: {name: q, version: "1", epoch: 0}
pipeline:
    - pipeline:
        - uses: git-checkout
          with: {repository: "file://$work/up", tag: v1, expected-commit: $head}
    - uses: git-checkout
      with: {repository: "file://$work/up", tag: v1, expected-commit: $head, destination: d}
EOF
works get-q "$melange" source get q.yaml --output src
(cd src/q && printf 'x\n' >x && git add x && git commit -qm 'add x')
works pop-q "$melange" source pop q.yaml -o src --source-dir elsewhere
sed '5a\    - uses: git-am\n      with:\n        patches: 0001-add-x.patch' <<EOF | cmp - q.yaml || { fail 'q'; cat q.yaml >&2; }
package: {name: q, version: "1", epoch: 0}
pipeline:
    - pipeline:
        - uses: git-checkout
          with: {repository: "file://$work/up", tag: v1, expected-commit: $head}
    - uses: git-checkout
      with: {repository: "file://$work/up", tag: v1, expected-commit: $head, destination: d}
EOF
[ -f elsewhere/0001-add-x.patch ] || fail 'no patch in --source-dir'

row() {
	local name=$1 pattern=$2
	cat >"$name.yaml"
	refused "$name" "$pattern" "$melange" source get "$name.yaml" -o out
	[ -z "$(ls -A out 2>/dev/null)" ] || fail "$name: something was left: $(ls -A out)"
}
row none "has no git-checkout step" <<<'package: {name: none, version: 1, epoch: 0}'
row moved "tag 'v1' is commit $head, expected $pick" <<EOF
package: {name: moved, version: 1, epoch: 0}
pipeline:
  - {uses: git-checkout, with: {repository: "file://$work/up", tag: v1, expected-commit: $pick}}
EOF
row missing "cannot read patch '.*/missing/no.patch'" <<EOF
package: {name: missing, version: 1, epoch: 0}
pipeline:
  - {uses: git-checkout, with: {repository: "file://$work/up", tag: v1, expected-commit: $head}}
  - {uses: patch, with: {patches: no.patch}}
EOF
mkdir bad
printf -- '--- a/f\n+++ b/f\n@@ -1 +1 @@\n-no such line\n+other\n' >bad/x.patch
row bad "cannot apply '.*/bad/x.patch'" <<EOF
package: {name: bad, version: 1, epoch: 0}
pipeline:
  - {uses: git-checkout, with: {repository: "file://$work/up", tag: v1, expected-commit: $head}}
  - {uses: patch, with: {patches: x.patch}}
EOF
cat >flow.yaml <<EOF
package: {name: flow, version: 1, epoch: 0}
pipeline: [{uses: git-checkout, with: {repository: "file://$work/up", tag: v1, expected-commit: $head}}]
EOF
cp flow.yaml flow.before
works get-flow "$melange" source get flow.yaml
(cd source/flow && printf 'x\n' >x && git add x && git commit -qm 'add x')
refused flow 'flow.yaml:2:12: the pipeline is not a block list' "$melange" source pop flow.yaml
cmp flow.before flow.yaml || fail 'flow: the file changed'
[ ! -e flow ] || fail 'flow: patches were written'
refused nopop "source get" "$melange" source pop bad.yaml
finish
