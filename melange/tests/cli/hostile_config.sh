#!/bin/bash
# Files made to crash, to hang or to eat memory: refused (or compiled) in bounded time and space.
# shellcheck disable=SC2016 # the variables are those of build files
set -euo pipefail
# shellcheck source=melange/tests/cli/language_lib.sh
. "$SRC/melange/tests/cli/language_lib.sh"
mkdir -p d

repeat() {
	local i
	for ((i = 0; i < $1; i++)); do printf '%s' "$2"; done
}

# bounded NAME STATUS TEXT: ends with this status within a minute and 1.5 GB, and says TEXT
bounded() {
	local status=0
	rows=$((rows + 1))
	(
		ulimit -v 1500000
		exec timeout 60 "$melange" compile "$1.yaml" --arch x86_64 --git-commit x --pipeline-dir d
	) >"$1.json" 2>"$1.err" || status=$?
	[ $status = "$2" ] || fail "$1: exit $status: $(head -c 300 "$1.err")"
	[ -z "$3" ] || grep -qF -e "$3" "$1.err" || fail "$1: does not say '$3': $(head -c 600 "$1.err")"
	[ "$(stat -c %s "$1.err")" -lt 2000000 ] || fail "$1: a message of $(stat -c %s "$1.err") bytes"
}

# Without address space for the shadow memory of a sanitizer nothing starts.
if ! (ulimit -v 1500000; "$melange" version) >/dev/null 2>&1; then
	ulimit() { :; }
fi

{ printf 'vars: '; repeat 20000 '['; } >depth.yaml
bounded depth 1 'nested too deeply'
{ printf 'vars: '; repeat 20000 '{a: '; } >maps.yaml
bounded maps 1 'nested too deeply'
{ repeat 5000 '- '; } >dashes.yaml
bounded dashes 1 'nested too deeply'
{
	echo 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]'
	for i in $(seq 30); do echo "a$i: &a$i [$(repeat 10 "*a$((i - 1)), ")]"; done
} >bomb.yaml
bounded bomb 1 'too many aliases'
{
	echo 'm0: &m0 {a: 1}'
	for i in $(seq 90); do echo "m$i: &m$i {<<: [*m$((i - 1)), *m$((i - 1))], k$i: 1}"; done
} >mergebomb.yaml
bounded mergebomb 1 'mergebomb.yaml:'
echo 'a: &a [*a]' >selfish.yaml
bounded selfish 1 'contains itself'
{ echo 'vars:'; for i in $(seq 60000); do echo "  k$i: v"; done; } >nodes.yaml
bounded nodes 1 'too many nodes'
head -c 5000000 /dev/urandom >noise.yaml
bounded noise 1 'noise.yaml:1:'
printf 'package: {name: a, version: 1}\nvars: {a: "x\0y"}\n' >nul.yaml
bounded nul 1 'NUL byte'
printf 'package:\n  name: a\0b\n' >rawnul.yaml
bounded rawnul 1 'rawnul.yaml:2:10: NUL byte'
printf 'package: {name: a, version: 1, description: !!binary AAAAAGEK}\n' >binary.yaml
bounded binary 0 ''
printf 'package: {name: !!binary YQBi, version: 1}\n' >binname.yaml
bounded binname 1 'must match'
file big <<Y
  description: $(head -c 10000000 /dev/zero | tr '\0' x)
pipeline: [{runs: "echo \${{package.name}}"}]
Y
bounded big 0 ''
file bigruns <<Y
pipeline:
  - runs: |
      echo $(head -c 10000000 /dev/zero | tr '\0' x) # gone
Y
bounded bigruns 0 ''
file bigvar <<Y
vars: {a: $(head -c 900000 /dev/zero | tr '\0' x)}
pipeline: [$(repeat 2000 '{runs: "echo ${{vars.a}}"}, ')]
Y
bounded bigvar 1 'too large'
file bigkey <<Y
$(head -c 3000000 /dev/zero | tr '\0' k): 1
Y
bounded bigkey 1 'bigkey.yaml:'
file errors <<Y
$(for i in $(seq 20000); do echo "key$i: 1"; done)
Y
bounded errors 1 '... 19950 more'
file badvars <<Y
vars: {$(for i in $(seq 5000); do printf 'abc%d: x, ' "$i"; done)}
pipeline: [$(repeat 5000 '{runs: "${{vars.abcd}}"}, ')]
Y
bounded badvars 1 'variable vars.abcd not defined'

# what refers to itself, and what multiplies
file double <<Y
vars: {a0: xxxxxxxxxxxxxxxx, $(for i in $(seq 15); do printf 'a%d: "%s", ' "$i" "$(repeat 20 "\${{vars.a$((i - 1))}}")"; done)}
pipeline: [{runs: "\${{vars.a15}}"}]
Y
bounded double 1 'double.yaml'
file empty <<Y
vars: {a0: "", $(for i in $(seq 15); do printf 'a%d: "%s", ' "$i" "$(repeat 200 "\${{vars.a$((i - 1))}}")"; done)}
pipeline: [{runs: "\${{vars.a15}}"}]
Y
bounded empty 1 'too large'
file nested <<Y
vars: {a0: x, $(for i in $(seq 40); do printf 'a%d: "${{vars.a%d}}", ' "$i" "$((i - 1))"; done)}
pipeline: [{runs: "\${{vars.a40}}"}]
Y
bounded nested 1 'nested more than 16 deep'
for i in $(seq 30); do
	printf 'pipeline: [%s]\n' "$(repeat 10 "{uses: p$((i + 1))}, ")" >"d/p$i.yaml"
done
echo 'pipeline: [{runs: x}]' >d/p31.yaml
file fanout <<<'pipeline: [{uses: p1}]'
bounded fanout 1 'too large'
for i in $(seq 40); do echo "pipeline: [{uses: q$((i + 1))}]" >"d/q$i.yaml"; done
file chain <<<'pipeline: [{uses: q1}]'
bounded chain 1 'nested more than 32 deep'
echo 'pipeline: [{uses: loop}]' >d/loop.yaml
file loop <<<'pipeline: [{uses: loop}]'
bounded loop 1 'pipeline cycle: loop -> loop'
mkfifo d/fifo.yaml
file fifo <<<'pipeline: [{uses: fifo}]'
bounded fifo 1 'fifo'
file ranges <<Y
data:
  - {name: d, items: {$(for i in $(seq 20000); do printf 'k%d: , ' "$i"; done)}}
subpackages:
$(for i in $(seq 500); do echo "  - {name: \"s$i-\${{range.key}}\", range: d, pipeline: [{runs: a}, {runs: b}]}"; done)
Y
bounded ranges 1 'too large'
file deepsteps <<Y
pipeline: $(repeat 45 '[{pipeline: ')[]$(repeat 45 '}]')
Y
bounded deepsteps 1 'nested more than 32 deep'
file inputs <<Y
pipeline:
  - uses: many
    with: {$(for i in $(seq 5000); do printf 'i%d: "${{inputs.i%d}}", ' "$i" "$((i % 5000 + 1))"; done)}
Y
{ echo 'inputs:'; for i in $(seq 5000); do echo "  i$i: {required: true}"; done; } >d/many.yaml
bounded inputs 1 'inputs.yaml'

# expressions and scripts
transform() {
	file "$1" <<Y
vars: {in: "$3"}
var-transforms: [$(repeat "${4-1}" "{from: \"\${{vars.in}}\", match: '$2', replace: x, to: out}, ")]
Y
}
transform backtrack '(a|aa)+$' "$(repeat 3000 a)b"
bounded backtrack 1 'too much work'
transform backtracks '(a|aa)+$' "$(repeat 300 a)b" 100
bounded backtracks 1 'var-transforms[1'
transform grow '' "$(repeat 60000 a)"
sed -i "s/replace: x/replace: '$(repeat 100 y)'/" grow.yaml
bounded grow 1 'too much work or space'
transform groups "$(repeat 1500 '(')a$(repeat 1500 ')')" a
bounded groups 1 'invalid regular expression'
transform counts '((((a{1000}){1000}){1000}){1000}){1000}' a
bounded counts 1 'invalid regular expression'
file conds <<Y
pipeline: [{if: "$(repeat 5000 '(')'a' == 'a'$(repeat 5000 ')')"}]
Y
bounded conds 1 'too many parentheses'
file longcond <<Y
pipeline: [{if: "'a' == 'a'$(repeat 20000 " && 'a' == 'a'")"}]
Y
bounded longcond 0 ''
file quotes <<Y
pipeline: [{runs: '$(repeat 5000 '"$(')'}]
Y
bounded quotes 1 'nested too deeply'
file heredocs <<Y
pipeline:
  - runs: |
      $(repeat 5000 'cat <<E; ')
Y
bounded heredocs 1 'unterminated here-document'

enough 35
