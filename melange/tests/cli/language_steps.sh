#!/bin/bash
# The build-file language, second half: conditions, definitions, compilation. The names of the
# rows are those of the checklist in the specification (melange-config 10).
# shellcheck disable=SC2016 # the variables are those of build files
set -euo pipefail
# shellcheck source=melange/tests/cli/language_lib.sh
. "$SRC/melange/tests/cli/language_lib.sh"

def() {
	mkdir -p "$(dirname "d1/$1")"
	cat >"d1/$1.yaml"
}
d() {
	c "$@" --pipeline-dir d1
}
jd() {
	j "$@" --pipeline-dir d1
}

# conditions; each step that runs asks for a package
conditions() {
	local name=$1 cond
	file "$name" <<<'pipeline:'
	shift
	for cond; do
		printf '  - needs: {packages: ["%s"]}\n    if: >-\n      %s\n' "${cond%% *}" "${cond#* }" >>"$name.yaml"
	done
}
conditions ifs "t1 ('a' == 'a' && \"b\" != 'c')" "t2 'a' == 'x' || 'b'== \"b\"" "f1 'a' != 'a'" \
	"f2 ('a' == 'a' || 'b' == 'b') && 'c' == 'd'"
row I01 k ifs '["t1", "t2"]'
conditions ifassoc "f 'a'=='a' || 'b'=='b' && 'c'=='d'"
row I02 k ifassoc null
row I02b says ifassoc "'&&' and '||' bind equally"
file ifpkg <<'Y'
vars: {v: x}
pipeline:
  - {needs: {packages: [yes]}, if: "${{package.name}} == 'ifpkg' && ${{vars.v}} != 'y'"}
Y
row I03 k ifpkg '["yes"]'
file ifquoted <<'Y'
data: [{name: d, items: {"": 1, "64": 2}}]
pipeline:
  - {needs: {packages: [yes]}, if: "'${{build.arch}}' == 'x86_64' && \"a${{package.version}}\" == 'a1'"}
subpackages:
  - name: s${{range.key}}
    range: d
    pipeline: [{needs: {packages: ["n${{range.key}}"]}, if: "\"${{range.key}}\" == \"64\""}]
Y
row I04 k ifquoted '["yes", "n64"]'
file subarch <<'Y'
subpackages:
  - {name: x, if: "${{build.arch}} == 'x86_64'", pipeline: [{needs: {packages: [x]}}]}
  - {name: y, if: "${{build.arch}} == 'aarch64'", pipeline: [{needs: {packages: [y]}}]}
Y
row I05 k subarch '["x"]'
file subif <<'Y'
vars: {quote: "'"}
subpackages:
  - {name: x, if: "${{package.name}} == 'subif' && \"${{vars.quote}}\" == '\\'' && ${{build.arch}} == 'x86_64'", pipeline: [{needs: {packages: [x]}}]}
Y
row I05a k subif '["x"]'
row I05a2 j subif '.subpackages[0].if == "\"subif\" == '"'subif'"' && \"'"'"'\" == '"'\\\\''"' && ${{build.arch}} == '"'x86_64'"'"'
subarch_build() {
	cat >subemit.yaml <<-'Y'
		package: {name: subemit, version: 1, copyright: [{license: MIT}]}
		pipeline: [{runs: "mkdir -p ${{targets.destdir}}/usr && touch ${{targets.destdir}}/usr/a"}]
		subpackages:
		  - {name: x, if: "${{build.arch}} == 'x86_64'", pipeline: [{runs: "mkdir -p ${{targets.subpkgdir}}/usr/x"}]}
		  - {name: y, if: "${{build.arch}} != 'x86_64'", pipeline: [{runs: "mkdir -p ${{targets.subpkgdir}}/usr/y"}]}
	Y
	"$melange" build subemit.yaml --arch host --rootfs / --empty-workspace --no-network --out-dir out \
		--generate-index=false --git-commit unknown
	[ "$(find out -name '[xy]-1-r0.apk' | wc -l)" = 1 ]
}
row I05b subarch_build
file subneeds <<'Y'
subpackages:
  - {name: x, if: "'a' == 'b'", pipeline: [{needs: {packages: [x]}}]}
Y
row I06 k subneeds null
file iffalsebad <<'Y'
pipeline: [{if: "'a' == 'b'", runs: "${{vars.none}}"}]
Y
row I07 not c iffalsebad

# definitions
def which <<<'pipeline: [{runs: d1}]'
mkdir -p d2 impl/pipelines
echo 'pipeline: [{runs: d2}]' >d2/which.yaml
echo 'pipeline: [{runs: impl}]' >impl/pipelines/which.yaml
def strip <<<'pipeline: [{runs: own}]'
file pdir <<<'pipeline: [{uses: which}, {uses: strip}]'
row P01 j pdir '.pipeline[0].pipeline[0].runs == "d1\n" and .pipeline[1].pipeline[0].runs == "own\n"' --pipeline-dir d1
row P01b j pdir '.pipeline[0].pipeline[0].runs == "d2\n" and .pipeline[1].pipeline[0].runs == "own\n"' --pipeline-dirs d2,d1
row P01c j pdir '.pipeline[0].pipeline[0].runs == "d1\n"' --pipeline-dirs d2 --pipeline-dir d1
implicit() {
	cp pdir.yaml impl/a.yaml
	not env -C impl "$melange" compile a.yaml --arch x86_64
}
row P02 implicit
unreadable() {
	mkdir -p locked/which.yaml
	not c pdir --pipeline-dirs locked,d1 && grep -q 'cannot load pipeline "which"' "$1"
}
row P02b unreadable P02b.out
def l1 <<<'inputs: {password: {}}
pipeline: [{uses: l2, with: {password: "${{inputs.password}}"}}]'
def l2 <<<'inputs: {password: {}}
pipeline: [{uses: l3, with: {password: "${{ inputs.password }}"}}]'
def l3 <<<'inputs: {password: {default: none}}
pipeline: [{runs: "pw=${{inputs.password}}"}]'
file nest <<<'pipeline: [{uses: l1, with: {password: topsecret}}]'
row P03 jd nest '.pipeline[0].pipeline[0].pipeline[0].pipeline[0].runs == "pw=topsecret\n"'
def parent <<<'inputs: {pw: {default: parent}}
pipeline: [{uses: child}]'
def child <<<'inputs: {pw: {default: childdefault}}
pipeline: [{runs: "pw=${{inputs.pw}}"}]'
file nestdef <<<'pipeline: [{uses: parent, with: {pw: given}}]'
row P04 jd nestdef '[.. | .runs? // empty] == ["pw=childdefault\n"]'
def vparent <<<'inputs: {v: {}}
pipeline: [{uses: vchild}]'
def vchild <<<'pipeline: [{runs: "v=${{inputs.v}}"}]'
file nestvis <<<'pipeline: [{uses: vparent, with: {v: p}}]'
row P05 jd nestvis '[.. | .runs? // empty] == ["v=p\n"]'
def unknown <<<'description: d
test: {}
other: 1
pipeline: [{runs: a, description: x, pipeline: [{label: l, more: 1}]}]'
file unknown <<<'pipeline: [{uses: unknown}]'
row P05b says unknown "d1/unknown.yaml:3:1: unknown key 'other'" --pipeline-dir d1
row P05c says unknown "d1/unknown.yaml:4:60: unknown key 'more'" --pipeline-dir d1
both() {
	d unknown 2>&1 >/dev/null | grep -c 'unknown key' | grep -qx 2
}
row P05d both
def guarded <<<"if: \"'\${{build.arch}}' == 'x86_64'\"
environment: {A: definition, B: definition}
label: theirs
needs: {packages: [g]}
runs: a"
file guarded <<'Y'
pipeline:
  - {uses: guarded, if: "'a' == 'a'", environment: {A: own}}
  - {uses: guarded, if: "'a' == 'b'"}
Y
row P05e jd guarded '.environment.contents.packages == ["g"] and .pipeline[0].environment == {"A": "own", "B": "definition"}'
def wrapper <<<'uses: strip'
file wrapper <<<'pipeline: [{uses: wrapper}]'
row P05f not d wrapper
def chain <<<'inputs: {a: {default: "${{inputs.b}}"}, b: {default: "${{inputs.c}}"}, c: {default: "${{inputs.d}}"}, d: {}}
pipeline: [{runs: "v=${{inputs.a}}"}]'
file chain4 <<<'pipeline: [{uses: chain, with: {d: end}}]'
row P06 jd chain4 '[.. | .runs? // empty] == ["v=end\n"]'
def reqdef <<<'inputs: {a: {required: true, default: x}}
pipeline: [{runs: "${{inputs.a}}"}]'
file reqdef <<<'pipeline: [{uses: reqdef}]'
row P07 jd reqdef '[.. | .runs? // empty] == ["x\n"]'
sum=0123456789abcdef0123456789abcdef01234567
def fwd <<<'inputs: {expected-commit: {}}
pipeline: [{uses: fwd2, with: {expected-commit: "${{inputs.expected-commit}}"}}]'
def fwd2 <<<'inputs: {expected-commit: {required: true}}
pipeline: [{runs: "${{inputs.expected-commit}}"}]'
file fwd <<<"pipeline: [{uses: fwd, with: {expected-commit: $sum}}]"
row P08 jd fwd "[.. | .runs? // empty] == [\"$sum\\n\"]"
file fwd256 <<<"pipeline: [{uses: fwd2, with: {expected-commit: ${sum}${sum:0:24}}}]"
row P08b d fwd256
def needy <<<'needs: {packages: [p, p]}
pipeline: [{needs: {packages: [c]}}, {uses: needin, with: {v: "5.4.3"}}]'
def needin <<<'inputs: {v: {}}
needs: {packages: [busybox, "go-${{inputs.v}}"]}'
file needs <<'Y'
environment: {contents: {packages: [z]}}
pipeline: [{needs: {packages: [p]}, pipeline: [{needs: {packages: [c]}}]}]
subpackages: [{name: x, pipeline: [{needs: {packages: [s]}}]}]
Y
row P09 k needs '["z", "p", "c", "s"]'
file needsin <<<'pipeline: [{uses: needin, with: {v: 5.4.3}}]'
row P10 k needsin '["busybox", "go-5.4.3"]' --pipeline-dir d1
file needsin2 <<<'pipeline: [{uses: needy}]'
row P10b k needsin2 '["p", "p", "c", "busybox", "go-5.4.3"]' --pipeline-dir d1
file needsif <<<"pipeline: [{if: \"'a' == 'b'\", needs: {packages: [p]}, pipeline: [{needs: {packages: [c]}}]}]"
row P11 k needsif null
file tneeds <<'Y'
test:
  environment: {contents: {packages: [b]}}
  pipeline: [{needs: {packages: [b, a]}}]
Y
row P12 j tneeds '.test.environment.contents.packages == ["a", "b", "tneeds"]'
file wd <<'Y'
pipeline: [{working-directory: /work, pipeline: [{runs: a}, {runs: b, working-directory: /x}]}]
Y
row P13 j wd '[.pipeline[0].pipeline[]."working-directory"] == ["/work", "/x"]'
def where <<<'pipeline: [{runs: a}, {runs: b, working-directory: /own}]'
file wduses <<<'pipeline: [{uses: where, working-directory: "${{package.name}}"}]'
row P13b jd wduses '[.pipeline[0].pipeline[]."working-directory"] == ["wduses", "/own"]'
relative() {
	cat >wdrel.yaml <<-'Y'
		package: {name: wdrel, version: 1, copyright: [{license: MIT}]}
		pipeline:
		  - working-directory: sub
		    pipeline:
		      - runs: test "$(pwd)" = /home/build/sub
		      - {runs: 'test "$(pwd)" = /home/build/other/dir', working-directory: other/dir}
		      - {runs: 'test "$(pwd)" = /home/x', working-directory: ../x}
		  - uses: envy
		    environment: {FROM_STEP: step, BOTH: step}
		  - runs: mkdir -p ${{targets.destdir}}/usr && touch ${{targets.destdir}}/usr/a
		    environment: {SHELL_SAFE: "a'b $HOME"}
		    pipeline: [{runs: "test \"$SHELL_SAFE\" = \"a'b \\$HOME\""}]
	Y
	"$melange" build wdrel.yaml --arch host --rootfs / --empty-workspace --no-network --out-dir out \
		--generate-index=false --git-commit unknown --pipeline-dir d1
}
def envy <<<'environment: {BOTH: definition, OWN: definition}
pipeline:
  - runs: test "$FROM_STEP $BOTH $OWN" = "step step definition"
  - {runs: "test \"$FROM_STEP $BOTH\" = \"step child\"", environment: {BOTH: child}}
  - pipeline: [{runs: "test \"$FROM_STEP $OWN\" = \"step definition\""}]'
row P14 relative
file envc <<'Y'
pipeline: [{environment: {foo: FOO, bar: BAR}, pipeline: [{runs: a, environment: {foo: BAR, baz: BAZ}}]}]
Y
row P15 j envc '.pipeline[0].pipeline[0].environment == {"bar": "BAR", "baz": "BAZ", "foo": "BAR"}'
# (also E48 in the list of errors, where it is none)
file envonlychild <<<'pipeline: [{pipeline: [{runs: a, environment: {foo: BAR}}]}]'
row P16 j envonlychild '.pipeline[0].pipeline[0].environment == {"foo": "BAR"}'
file twice <<<'pipeline: [{uses: none, pipeline: [{runs: a}]}]'
row P17 says twice 'both uses and a pipeline'

# compilation
file min </dev/null
cat >min.json.want <<'J'
{"package":{"name":"min","version":"1","epoch":0,"commit":"unknown","dependencies":{},"checks":{},"cpe":{},"resources":{}},"environment":{"contents":{},"entrypoint":{},"accounts":{"users":[{"username":"build","uid":1000,"gid":1000}],"groups":[{"groupname":"build","gid":1000,"members":["build"]}]},"environment":{"COMPOSER_CACHE_DIR":"/var/cache/melange/composer","GOMODCACHE":"/var/cache/melange/gomodcache","GOPATH":"/home/build/.cache/go","HOME":"/home/build","PIP_CACHE_DIR":"/var/cache/melange/pip","UV_CACHE_DIR":"/var/cache/melange/uv","npm_config_cache":"/var/cache/melange/npm"}},"capabilities":{},"update":{"enabled":false}}
J
bytes() {
	c min | cmp - min.json.want
}
row C01 bytes
file escapes <<'Y'
  description: "<a> & \u2028 \u00e9 \t \x01 \x7f / \\ \""
Y
escapes() {
	c escapes | grep -F '"\u003ca\u003e \u0026 \u2028 é \t \u0001 '$'\x7f'' / \\ \""'
}
row C01b escapes
file strip <<'Y'
pipeline:
  - runs: |
      #!/bin/bash
      # foo

      foo   # behind
      # bar
      baz
  - runs: "# only a comment"
  - runs: "#!/bin/sh"
Y
row C02 j strip '.pipeline[0].runs == "#!/bin/bash\nfoo\nbaz\n" and (.pipeline[1] | has("runs") | not) and (.pipeline[2] | has("runs") | not)'
file striphd <<'Y'
pipeline:
  - runs: |
      # dropped
      cat <<EOF; cat <<-'B' # gone
      # kept

      EOF
      	# kept too
      	B
      echo done # gone
Y
row C03 j striphd '.pipeline[0].runs == "cat <<EOF; cat <<-'"'B'"'\n# kept\n\nEOF\n\t# kept too\n\tB\necho done\n"'
file striphash <<'Y'
pipeline: [{runs: 'echo ${x#y} $# "#" a#b ${#x} $((16#ff)) `echo "#"` $(echo \# # gone'}]
Y
sed -i "s/ # gone'/ # gone\\\\n)'/; s/runs: '\(.*\)'}/runs: \"\1\"}/; s/\"#\"/\\\\\"#\\\\\"/g; s/\\\\#/\\\\\\\\#/" striphash.yaml
row C04 r striphash 'echo ${x#y} $# "#" a#b ${#x} $((16#ff)) `echo "#"` $(echo \#'$'\n'')'
file opts <<'Y'
vars: {flag: --without}
options:
  rustls: {vars: {flag: --with-rustls}}
pipeline: [{runs: "${{vars.flag}}"}, {runs: "${{ vars.flag }}"}]
Y
row C05 j opts '[.pipeline[].runs] == ["--with-rustls\n", "--with-rustls\n"]' --build-option rustls
row C05b r opts --without
file opts2 <<'Y'
environment: {contents: {packages: [a, b, c, b]}}
options: {o: {environment: {contents: {packages: {add: [new], remove: [b]}}}}}
Y
row C06 k opts2 '["a", "c", "new"]' --build-option o
file optif <<'Y'
options: {o: {}, p: {}}
pipeline:
  - {needs: {packages: [on]}, if: "${{options.o.enabled}} == 'true'"}
  - {needs: {packages: [off]}, if: "${{options.p.enabled}} == 'true'"}
Y
row C07 k optif '["on"]' --build-option o
row C07b k min null --build-option undeclared
file novars </dev/null
echo 'a: 1' >v.yaml
row C08 j novars '.vars.a == "1"' --vars-file v.yaml
cat >e1 <<'Y'
# comment
export A=one
B="x y"
C: 'raw $A'
D=${A}two # behind
E="$A\n\$A"
Y
printf 'A=other\r\nF=last\r\n' >e2
row C09 j min '.environment.environment | .B == "x y" and .C == "raw $A" and .D == "onetwo" and .E == "one\n$A"' --env-file e1
file envwin <<<'environment: {environment: {A: yaml}}'
row C10 j envwin '.environment.environment | .A == "yaml" and .F == "last"' --env-file e1 --env-file e2
row C10b j min '.environment.environment.A == "one"' --env-file e1 --env-file e2
repository() {
	export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
	git init -q repo && cp min.yaml repo/m.yaml && git -C repo add m.yaml && git -C repo commit -qm x
	git -C repo worktree add -q ../wt -b other && git -C repo pack-refs --all
	head=$(git -C repo rev-parse HEAD)
	for dir in repo wt; do
		[ "$(env -C $dir "$melange" compile m.yaml --arch x86_64 | jq -r .package.commit)" = "$head" ] || return 1
	done
}
row C11 repository
outside() {
	local dir
	dir=$(mktemp -d) && cp min.yaml "$dir/" && env -C "$dir" "$melange" compile min.yaml --arch x86_64 >json 2>err
	rm -r "$dir"
	grep 'unable to detect git commit' err && jq -e '.package.commit == "unknown"' json
}
row C12 outside
own_file() {
	local apk
	apk=$(find out -name 'wdrel-1-r0.apk')
	tar xzOf "$apk" .melange.yaml 2>/dev/null >own.yaml
	[ "$("$melange" package-version own.yaml)" = wdrel-1-r0 ] && c own >own.json
}
row C13 own_file
row Q04 test "$("$melange" package-version min.yaml)" = min-1-r0

# the existing tool's own output is read again
file again <<'Y'
options: {o: {Vars: {a: b}, Environment: {Contents: {Packages: {Add: [x], Remove: null}}}}}
pipeline: [{needs: {Packages: [p]}}]
Y
row again j again '.options.o.environment.contents.packages.add == ["x"] and .environment.contents.packages == ["p"]'

# query
q() {
	"$melange" query "$1.yaml" "$2"
}
equal() {
	[ "$1" = "$2" ] || { echo "$1"; return 1; }
}
printf 'package: {name: oddlic, version: 1, copyright: [{license: My Lic}]}\n' >oddlic.yaml
row K08 equal "$(q oddlic '{{.Package.LicenseExpression}}')" LicenseRef-My-Lic
printf 'package: {name: hashlic, version: 1, copyright: [{license: "@#$%%^&*()"}]}\n' >hashlic.yaml
row K09 equal "$(q hashlic '{{.Package.LicenseExpression}}')" LicenseRef-a821cf5c9ba958c4
printf 'package: {name: cpe, version: 1, cpe: {vendor: v, product: p}}\n' >cpe.yaml
row K10 equal "$(q cpe '{{.Package.CPEString}}')" 'cpe:2.3:a:v:p:1:*:*:*:*:*:*:*'
row Q01 equal "$(q min '{{.Package.Name}}-{{.Package.Epoch}}')" min-0
file range <<'Y'
data: [{name: d, items: {b: 2, a: 1}}]
subpackages: [{name: first}, {name: "${{range.key}}", range: d}, {name: last}]
Y
row Q02 equal "$(q range '{{range .Subpackages}}{{.Name -}} {{end}}')" firstablast
unknown_field() {
	local out
	out=$(q min 'a{{.Nope}}' 2>err) && return 1
	[ -z "$out" ] && grep "can't evaluate field Nope" err
}
row Q03 unknown_field
mkdir -p many && cp min.yaml cpe.yaml many/
row many equal "$("$melange" query many '{{.Name}}')" $'cpe\nmin'
row several equal "$("$melange" query min.yaml cpe.yaml '{{.Name}}')" $'min\ncpe'
row extra equal "$("$melange" query min.yaml '{{.Name}}' ignored)" min

enough 59
