#!/bin/bash
# The build-file language, first half: YAML, keys, ranges, variables, the second spelling. The
# names of the rows are those of the checklist in the specification (melange-config 10).
# shellcheck disable=SC2016 # the variables are those of build files
set -euo pipefail
# shellcheck source=melange/tests/cli/language_lib.sh
. "$SRC/melange/tests/cli/language_lib.sh"

# YAML
printf 'package:\n  name: a\n  version: 1.10\n' >v110.yaml
row Y01 j v110 '.package.version == "1.10" and .package.epoch == 0'
file rawvars <<'Y'
vars: {a: 00303, b: 0x10, c: yes, d: 2024-01-01, e: 1_0}
pipeline:
  - runs: ${{vars.a}} ${{vars.b}} ${{vars.c}} ${{vars.d}} ${{vars.e}}
Y
row Y02 r rawvars '00303 0x10 yes 2024-01-01 1_0'
file varnull <<'Y'
vars: {a: , b: ~}
pipeline: [{runs: "echo x${{vars.a}}x${{vars.b}}x"}]
Y
row Y03 j varnull '.vars.a == "" and .vars.b == ""'
row Y03b r varnull 'echo xxx'
file nulls <<'Y'
  dependencies:
  copyright:
environment:
pipeline:
subpackages:
  - name: b
    dependencies: {runtime: , provides: [a, ~, b]}
    pipeline:
      - uses: strip
        with:
    test:
vars:
update: ~
Y
row Y04 j nulls '.subpackages[0].dependencies.provides == ["a", "b"] and (has("pipeline") | not)'
file boolyes <<'Y'
update: {enabled: yes, manual: on, shared: "true", require-sequential: Off}
Y
row Y05 j boolyes '.update | .enabled and .manual and .shared and (has("require-sequential") | not)'
file alias <<'Y'
vars: {a: &v same}
pipeline:
  - runs: *v
Y
row Y06 r alias same
file merge <<'Y'
pipeline:
  - uses: sub
    with: &one {first: 1, runs: none}
  - uses: sub
    with: {<<: [{second: own, first: 2}, *one], runs: own}
Y
mkdir -p d1
printf 'inputs: {first: {}, second: {}, runs: {}}\npipeline: [{runs: "${{inputs.runs}} ${{inputs.second}} ${{inputs.first}}"}]\n' >d1/sub.yaml
row Y07 j merge '.pipeline[1].pipeline[0].runs | endswith("own own 2\n")' --pipeline-dir d1
printf '\xef\xbb\xbfpackage: {name: bom, version: 1}\n' >bom.yaml
printf 'package:\r\n  name: crlf\r\n  version: 1\r\n  epoch: 2\r\nvars:\r\n  a: b\r\n' >crlf.yaml
row Y08 j bom '.package.name == "bom"'
row Y08b j crlf '.vars.a == "b" and .package.epoch == 2'
file timeout <<'Y'
  timeout: 1h30m
Y
file timeouts <<'Y'
  timeout: 90
Y
row Y09 j timeout '.package.timeout == 5400000000000'
row Y09b j timeouts '.package.timeout == 90000000000'
file bad3 <<'Y'
  one: 1
vars: [x]
update: {enabled: maybe}
Y
bad3() {
	local n
	n=$(c bad3 2>&1 | grep -c 'yaml:') || true
	[ "$n" = 3 ]
}
row Y10 bad3
printf 'package: {name: a, version: 1}\nvars: {\xc3\xa4: \xc3\xbc, b: c, b: d}\n' >utf8col.yaml
utf8col() {
	(c utf8col 2>&1 || true) | grep -F 'utf8col.yaml:2:20: duplicate'
}
row Y11 utf8col

# every key
file allpackage <<'Y'
  description: text
  url: https://example.org
  commit: abc
  annotations: {a: b}
  target-architecture: [x86_64]
  copyright:
    - {license: MIT, paths: ["*"], attestation: who, license-path: COPYING, detection-override: MIT}
  dependencies:
    runtime: [x]
    provides: [y=1]
    replaces: [z]
    provider-priority: 10
    replaces-priority: -1
  options: {no-provides: true, no-depends: true, no-commands: true, no-versioned-shlib-deps: true}
  scriptlets:
    trigger: {script: "#!/bin/sh", paths: [/usr]}
    pre-install: a
    post-install: b
    pre-deinstall: c
    post-deinstall: d
    pre-upgrade: e
    post-upgrade: f
  checks: {disabled: [usrmerge]}
  cpe: {part: a, vendor: v, product: p, edition: e, language: en, sw_edition: s, target_sw: t, target_hw: h, other: o}
  setcap:
    - {path: /usr/bin/x, add: {cap_net_raw: +eip}, reason: why}
  timeout: 10m
  resources: {cpu: 1, cpumodel: m, memory: 1Gi, disk: 2Gi}
  test-resources: {cpu: 1, cpumodel: m, memory: 1Gi, disk: 2Gi}
capabilities: {add: [CAP_NET_ADMIN], drop: [chown]}
data: [{name: d, items: {k: v}}]
vars: {a: b}
var-transforms: [{from: "${{package.version}}", match: x, replace: y, to: t}]
options: {o: {vars: {a: c}, environment: {contents: {packages: {add: [p], remove: [q]}}}}}
Y
row K01 j allpackage '.package.scriptlets.trigger.paths == ["/usr"] and .package.dependencies["replaces-priority"] == "-1"
	and .package.cpe.target_hw == "h" and .package.setcap[0].reason == "why" and .package["test-resources"].disk == "2Gi"
	and .options.o.environment.contents.packages.remove == ["q"] and (has("data") | not)'
file allstep <<'Y'
pipeline:
  - name: n
    label: l
    working-directory: /w
    environment: {A: b}
    if: "'a' == 'a'"
    needs: {packages: [p]}
    inputs: {i: {description: d, default: x, required: false}}
    assertions: {required-steps: 1}
    runs: echo ${{inputs.i}}
    pipeline: [{runs: make}]
  - uses: strip
    with: {}
Y
row K01b j allstep '.pipeline[0] | .label == "l" and .assertions["required-steps"] == 1 and .runs == "echo x\n" and .environment.A == "b"'
file allsub <<'Y'
data: [{name: d, items: {k: v}}]
subpackages:
  - name: s-${{range.key}}
    range: d
    if: "'a' == 'a'"
    description: text
    url: u
    commit: c
    annotations: {a: b}
    dependencies: {runtime: [r]}
    options: {no-depends: true}
    scriptlets: {post-install: x}
    checks: {disabled: [empty]}
    pipeline: [{runs: make}]
    test: {environment: {contents: {packages: [p]}}, pipeline: [{runs: "true"}]}
    setcap: [{path: /x, add: {cap_net_raw: "=ep"}, reason: y}]
Y
row K01c j allsub '.subpackages[0] | .name == "s-k" and .commit == "c" and .options["no-depends"] and .checks.disabled == ["empty"]'
file allupdate <<'Y'
update:
  enabled: true
  manual: true
  require-sequential: true
  shared: true
  enable-prerelease-tags: true
  version-separator: _
  exclude-reason: none
  ignore-regex-patterns: ['^v0\.']
  version-transform: [{match: a, replace: b}]
  schedule: {period: daily, reason: r}
  github: {identifier: o/r, strip-prefix: v, strip-suffix: s, tag-filter: t, tag-filter-prefix: p, tag-filter-contains: c, use-tag: true}
  git: {strip-prefix: v, strip-suffix: s, tag-filter-prefix: p, tag-filter-contains: c}
  release-monitor: {identifier: "38", strip-prefix: v, strip-suffix: s, version-filter-contains: c, version-filter-prefix: p}
  oci: {identifier: i, strip-prefix: v, strip-suffix: s, tag-filter-prefix: p, tag-filter-contains: c}
  version_data: {version_format: f, sources: [{name: n, stream: s, ignore: [i], commit_source: c, use_release: true}]}
Y
row K02 j allupdate '.update.oci.identifier == "i" and .update["release-monitor"].identifier == 38 and .update.version_data.sources[0].ignore == ["i"] and .update.version_data.sources[0].use_release'
file allenv <<'Y'
environment:
  contents:
    repositories: [https://example.org/r]
    build_repositories: [https://example.org/b]
    keyring: [https://example.org/k]
    packages: [p]
  entrypoint: {command: /x}
  cmd: c
  stop-signal: TERM
  work-dir: /w
  accounts:
    run-as: u
    users: [{username: u, uid: 5, gid: 6, shell: /bin/sh, homedir: /home/u}]
    groups: [{groupname: g, gid: 6, members: [u]}]
  archs: [x86_64]
  environment: {A: b}
  paths: [{path: /p, type: directory, uid: 1, gid: 2, permissions: 0o755}]
  vcs-url: v
  annotations: {a: b}
  volumes: [/v]
Y
row K03 j allenv '.environment | .contents.keyring == ["https://example.org/k"] and .paths[0].permissions == 493
	and .archs == ["amd64"] and .accounts.users[0].homedir == "/home/u" and .accounts.users[1].username == "build"'
file noeffect <<'Y'
environment: {include: x, layering: {strategy: origin, budget: 2}, contents: {runtime_repositories: [r]}}
Y
row K03b says noeffect "noeffect.yaml:5:15: 'include' has no effect"
row K03c says noeffect "noeffect.yaml:5:27: 'layering' has no effect"
row K03d says noeffect "noeffect.yaml:5:79: 'runtime_repositories' has no effect"
file vdata <<'Y'
update: {enabled: true, version_data: {version_format: "${{a.b}}"}}
Y
row K04 j vdata '.update.version_data.version_format == "${{a.b}}"'
file min </dev/null
row K05 j min '.environment.accounts | .users[0].uid == 1000 and .users[0].gid == 1000 and .groups[0].members == ["build"]'
file testuser <<'Y'
subpackages:
  - {name: one, test: {pipeline: [{runs: "true"}]}}
  - {name: two, test: {environment: {contents: {packages: [x]}}}}
Y
row K06 j testuser '.subpackages[1].test.environment.accounts == {} and .subpackages[0].test.environment.accounts.users[0].username == "build"'
file emptyhome <<'Y'
environment: {environment: {HOME: "", GOPATH: /own}}
Y
row K07 j emptyhome '.environment.environment | .HOME == "/home/build" and .GOPATH == "/own"'
printf 'package: {name: tarm, version: 1, target-architecture: [arm64]}\n' >tarm.yaml
row K11 "$melange" compile tarm.yaml --arch aarch64
row K11b not c tarm
file subcap <<'Y'
subpackages: [{name: s, setcap: [{path: /x, add: {cap_net_raw: +ep}, reason: y}]}]
Y
row K12 j subcap '.subpackages[0].setcap[0].path == "/x"'
file commits <<'Y'
subpackages: [{name: s}, {name: t, commit: own}]
Y
row K13 j commits '[.subpackages[].commit] == ["abc", "own"]' --git-commit abc

# ranges
file range <<'Y'
data: [{name: d, items: {b: 2, a: 1}}, {name: none, items: {}}]
subpackages:
  - name: first
  - {name: "${{range.key}}", range: d}
  - {name: "x${{range.key}}", range: none}
  - name: last
Y
row R01 j range '[.subpackages[].name] == ["first", "a", "b", "last"]'
file range3 <<'Y'
data: [{name: d, items: {A: x, B: }}]
subpackages:
  - name: s-${{range.key}}
    range: d
    description: of ${{range.value}}
    dependencies: {provides: ["${{range.key}}-${{range.value}}"], provider-priority: "1"}
    scriptlets: {post-install: "echo ${{range.key}}"}
    annotations: {k: "${{range.value}}"}
    pipeline: [{name: "${{range.key}}", runs: "echo ${{range.value}}", working-directory: "/${{range.key}}"}]
    test: {environment: {contents: {packages: ["${{range.key}}-${{range.value}}"]}}}
Y
row R02 j range3 '.subpackages[0] | .test.environment.contents.packages[0] == "A-x" and .description == "of x"
	and .scriptlets["post-install"] == "echo A" and .annotations.k == "x" and .pipeline[0]["working-directory"] == "/A"'
row R02b j range3 '.subpackages[1].description == "of "'
file range0 <<'Y'
subpackages: [{name: s, range: ""}]
Y
row R03 j range0 '.subpackages | length == 1'
file rtok <<'Y'
data: [{name: d, items: {k: "lib-${{package.version}}.0"}}]
subpackages:
  - {name: s, range: d, pipeline: [{runs: "${{range.value}}"}]}
Y
row R04 j rtok '.subpackages[0].pipeline[0].runs == "lib-1.0\n"'

# variables
file subst <<'Y'
pipeline: [{runs: "${{package.name}} ${{package.version}} ${{package.epoch}} ${{package.full-version}}"}]
Y
row S01 r subst 'subst 1 0 1-r0'
file spaces <<'Y'
pipeline:
  - runs: "${{ package.version }} ${{\tpackage.version}} ${{package.version\n}}"
Y
row S02 r spaces '1 1 1'
file spdep <<'Y'
  dependencies: {provides: ["a=${{ package.full-version }}"]}
Y
row S03 j spdep '.package.dependencies.provides == ["a=1-r0"]'
file lax <<'Y'
  description: ${{nope.x}}
environment: {environment: {A: "${{ package.name }}"}}
Y
row S04 j lax '.package.description == "${{nope.x}}" and .environment.environment.A == "${{ package.name }}"'
row S04b says lax 'lax.yaml:5:16: package.description holds a variable reference'
file laxreal <<'Y'
data: [{name: d, items: {"64": v}}]
subpackages:
  - name: s-${{range.key}}
    range: d
    description: x${{range.key == "64" && " (ILP64)" || ""}}
  - {name: t, description: "${{package.name} libraries"}
Y
file laxspaces <<'Y'
  description: ${{ package.name }}
pipeline: [{runs: "${{ package.name }}", environment: {A: "${{ package.name }}"}}]
Y
row S04c j laxspaces '.package.description == "${{ package.name }}" and .pipeline[0].runs == "laxspaces\n" and .pipeline[0].environment.A == "laxspaces"'
row S05 j laxreal '[.subpackages[].description] == ["x${{range.key == \"64\" && \" (ILP64)\" || \"\"}}", "${{package.name} libraries"]'
file ctx <<'Y'
pipeline: [{runs: "${{targets.contextdir}} ${{targets.destdir}} ${{targets.outdir}} ${{package.srcdir}} ${{context.name}}"}]
subpackages: [{name: s, pipeline: [{runs: "${{targets.contextdir}} ${{targets.subpkgdir}} ${{targets.destdir}} ${{subpkg.name}}"}]}]
Y
o=/home/build/melange-out
row S06 j ctx ".subpackages[0].pipeline[0].runs == \"$o/s $o/s $o/ctx s\\n\""
row S06b r ctx "$o/ctx $o/ctx $o /home/build ctx"
file ctxtest <<'Y'
test: {pipeline: [{runs: "${{context.name}}"}]}
subpackages: [{name: s, test: {pipeline: [{runs: "${{context.name}}"}]}}]
Y
row S07 j ctxtest '.subpackages[0].test.pipeline[0].runs == "s\n" and .test.pipeline[0].runs == "ctxtest\n"'
file tpkg <<'Y'
pipeline: [{runs: "${{targets.package.libx++}}"}]
subpackages: [{name: libx++}]
Y
row S08 r tpkg $o/libx++
file trip <<'Y'
pipeline: [{runs: "${{build.arch}} ${{build.goarch}} ${{host.triplet.gnu}} ${{host.triplet.rust}} ${{cross.triplet.gnu.musl}} ${{cross.triplet.rust.glibc}}"}]
Y
cat >trip.want <<'Y'
x86_64 amd64 x86_64-pc-linux-gnu x86_64-unknown-linux-gnu x86_64-pc-linux-musl x86_64-unknown-linux-gnu
aarch64 arm64 aarch64-unknown-linux-gnu aarch64-unknown-linux-gnu aarch64-unknown-linux-musl aarch64-unknown-linux-gnu
x86 386 i486-pc-linux-gnu i686-unknown-linux-gnu i486-pc-linux-musl i686-unknown-linux-gnu
armhf arm arm-unknown-linux-gnueabihf armv6-unknown-linux-gnueabihf arm-unknown-linux-musleabihf armv6-unknown-linux-gnueabihf
armv7 arm armv7l-unknown-linux-gnueabihf armv7-unknown-linux-gnueabihf armv7l-unknown-linux-musleabihf armv7-unknown-linux-gnueabihf
ppc64le ppc64le powerpc64le-unknown-linux-gnu powerpc64le-unknown-linux-gnu powerpc64le-unknown-linux-musl powerpc64le-unknown-linux-gnu
s390x s390x s390x-ibm-linux-gnu s390x-unknown-linux-gnu s390x-ibm-linux-musl s390x-unknown-linux-gnu
riscv64 riscv64 riscv64-unknown-linux-gnu riscv64-unknown-linux-gnu riscv64-unknown-linux-musl riscv64-unknown-linux-gnu
loongarch64 loong64 loongarch64-unknown-linux-gnu loongarch64-unknown-linux-gnu loongarch64-unknown-linux-musl loongarch64-unknown-linux-gnu
Y
triplets() {
	local arch
	cut -d' ' -f1 trip.want >trip.archs
	while read -r arch; do
		"$melange" compile trip.yaml --arch "$arch" --git-commit x | jq -r '.pipeline[0].runs | rtrimstr("\n")'
	done <trip.archs >trip.got
	diff trip.want trip.got
}
row S09 triplets
row S09b not "$melange" compile trip.yaml --arch foo
row S10 j trip '.pipeline[0].runs | contains("x86_64-pc-linux-musl x86_64-unknown-linux-musl")' --override-host-triplet-libc-substitution-flavor musl

file vtalt <<'Y'
vars: {in: abcd}
var-transforms: [{from: '${{vars.in}}', match: '(a|ab)(c|bcd)', replace: '$2', to: out}]
pipeline: [{runs: 'echo ${{vars.out}}'}]
Y
row S11-alternatives r vtalt 'echo bcd'
n=0
while IFS='|' read -r match replace input want; do
	n=$((n + 1))
	file vt <<Y
vars: {in: '$input'}
var-transforms: [{from: '\${{vars.in}}', match: '$match', replace: '$replace', to: out}]
pipeline: [{runs: "echo ':\${{vars.out}}'"}]
Y
	row "S11-$n" r vt "echo ':$want'"
done <<'T'
^(\d+\.\d+)\.\d+$|$1|1.2.3|1.2
^(\d+\.\d+)\.\d+$|$1|1.2|1.2
\.|_|1.2.3|1_2_3
\.(\d+)$|+$1|1.2.3.9|1.2.3+9
(.*)|${1}t|3.14|3.14t
x*|-|abc|-a-b-c-
^(\d+)\.(\d+)$|$1_$2|1.2|2
^(\d+)\.(\d+)$|${1}_$2|1.2|1_2
^(\d+)\..*|$1.x|4.5|4.x
.*-(\d+)|/llvm-\$1|a-21|/llvm-\21
a|$$1|xa|x$1
(?P<major>\d+)\.(?<minor>\d+)|${minor}-$major|1.2|2-1
(?i)RC|_rc|1RC2|1_rc2
[^.]+|<$0>|a.b|<a>.<b>
\d{2,}?|n|1234|nn
é|e|café|cafe
.|x|é|x
\Qa.b\E|c|a.b axb|c axb
[[:alpha:]]+|w|ab1|w1
\s+|_|a b|a_b
a{,2}|x|a{,2}|x
$|end|a|aend
T
row S11 test "$n" -ge 12
file vt12 <<'Y'
vars: {in: a__t__}
var-transforms: [{from: "${{vars.in}}", match: __t__, replace: "${{host.triplet.gnu}}", to: out}]
pipeline: [{runs: "${{vars.out}}"}]
Y
row S11-token r vt12 'ax86_64-pc-linux-gnu'
file vtchain <<'Y'
vars: {v: x}
var-transforms:
  - {from: "${{package.version}}.14.5", match: '^(\d+)\.(\d+).*', replace: '3.$2', to: v}
  - {from: "${{vars.v}}", match: '$', replace: t, to: v}
pipeline: [{runs: "${{vars.v}}"}]
Y
row S12 r vtchain 3.14t
file vttok <<'Y'
var-transforms: [{from: "${{package.name}}", match: '.*', replace: "${{host.triplet.gnu}}", to: v}]
pipeline: [{runs: "${{vars.v}}"}]
Y
row S13 r vttok x86_64-pc-linux-gnu
file varnest <<'Y'
vars: {a: "${{vars.b}}", b: "${{vars.c}}", c: "${{ vars.d }}", d: "v${{package.version}}"}
pipeline: [{runs: "${{vars.a}}"}]
Y
row S14 r varnest v1
file stepenv <<'Y'
pipeline: [{runs: make, environment: {D: "${{targets.destdir}}"}}]
Y
row S15 j stepenv '.pipeline[0].environment.D | endswith("melange-out/stepenv")'
file upd <<'Y'
update: {enabled: true, github: {identifier: "o/${{package.name}}"}}
Y
row S16 j upd '.update.github.identifier == "o/upd"'

# the second spelling
cat >one.text <<'Y'
  description: d ${{package.name}}
  dependencies: {runtime: ["x=${{package.full-version}}"]}
vars: {a: b}
var-transforms: [{from: "${{package.version}}", match: '1', replace: '2', to: t}]
pipeline:
  - {runs: "echo ${{vars.a}} ${{ build.arch }}", if: "${{vars.t}} == '2' && '${{build.arch}}' == 'x86_64'", working-directory: "${{vars.t}}"}
Y
file one <one.text
cp one.yaml one-alias.yaml
sed -Ei 's/\$\{\{( ?[a-z.-]+ ?)\}\}/$<<\1>>/g' one-alias.yaml
same_alias() {
	grep -q '<< build.arch >>' one-alias.yaml && not grep -q '{{' one-alias.yaml || return 1
	c one >one.out && c one-alias >one-alias.out || return 1
	# what is printed as it was written keeps its spelling
	sed -i 's/\$\\u003c\\u003cpackage.version\\u003e\\u003e/${{package.version}}/' one-alias.out
	cmp one.out one-alias.out
}
row A01 same_alias
file aliastext <<'Y'
pipeline:
  - runs: |
      cat $<<EOF
      $<<<x $<<other.x>> $<<vars
      EOF
Y
row A02 j aliastext '.pipeline[0].runs | contains("$<<EOF") and contains("$<<other.x>> $<<vars\n")'
file aliasmix <<'Y'
vars: {x: y}
pipeline: [{runs: "echo ${{vars.x>>"}]
Y
row A03 not c aliasmix
file aliasif <<'Y'
pipeline: [{needs: {packages: [yes]}, if: "$<<build.arch>> == 'x86_64'"}, {needs: {packages: [no]}, if: "\"$<<build.arch>>\" != 'x86_64'"}]
Y
row A04 k aliasif '["yes"]'

enough 78
