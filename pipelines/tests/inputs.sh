#!/bin/bash
# What the pipelines of languages make of their inputs and of what the guest has: go/build and its
# modules, Pythons and Rubies that are there or not, overrides of npm, files and links of maven.
# shellcheck disable=SC2016 # files written by the test expand their own variables
# shellcheck source=pipelines/tests/lib.sh
. "$SRC/pipelines/tests/lib.sh"
own_mounts "$@"

# A stub that writes its arguments, one a line in brackets, then runs the rest of standard input.
calling() {
	local name=$1
	{
		printf '#!/bin/sh\nfor a; do printf "%s: [%%s]\\n" "$a"; done\n' "$name"
		cat
	} | stub "$name"
}
called() {
	same "$2" "$(sed -n "s/.*INFO $1: //p" "$log" | xargs -d '\n')" "the call of $1"
}

go_calls() {
	calling go <<<'echo "env $GOAMD64 $GOARM64 ($GOEXPERIMENT) $GOMODCACHE"'
	touch "$(source_of go-stub)/go.mod"
	works go-stub <<-'EOT'
		  - uses: go/build
		    with: {packages: ./a ./b, output: x}
	EOT
	called go '[build] [-o] [/home/build/melange-out/p/usr/bin/x] [-tags] [netgo,osusergo,] [-trimpath] [-buildmode] [default] [-ldflags] [-w ] [./a] [./b]'
	says 'env v2 v8.0 \(\) /var/cache/melange/gomodcache'
	touch "$(source_of go-all)/go.mod"
	works go-all <<-'EOT'
		  - uses: go/build
		    with:
		      packages: .
		      output: x
		      deps: a@v1 b@v2
		      vendor: "true"
		      tidy: "true"
		      tags: t,u
		      toolchaintags: k
		      extra-args: -v -race
		      buildmode: pie
		      strip: -s -w
		      ldflags: -X 'm.v=a b'
		      prefix: opt
		      install-dir: sbin
		      experiments: e,f
		      amd64: v3
		      arm64: v9.0
	EOT
	called go "[mod] [tidy] [get] [a@v1] [get] [b@v2] [mod] [tidy] [mod] [vendor] [build] [-o] \
[/home/build/melange-out/p/opt/sbin/x] [-tags] [k,t,u] [-trimpath] [-buildmode] [pie] [-v] [-race] [-ldflags] \
[-s -w -X 'm.v=a b'] [.]"
	says 'env v3 v9.0 \(e,f\) '
	touch "$(source_of go-vendor)/go.mod"
	works go-vendor <<-'EOT'
		  - uses: go/build
		    with: {packages: ., output: x, vendor: "true"}
	EOT
	says 'go/build: vendor does nothing without deps'
	touch "$(source_of go-dash)/go.mod"
	refused go-dash "'-toolexec=touch' starts with a dash" <<-'EOT'
		  - uses: go/build
		    with: {packages: -toolexec=touch PWNED, output: x}
	EOT
	calling go <<<'exit 3'
	touch "$(source_of go-fails)/go.mod"
	refused go-fails 'exit status 3' <<-'EOT'
		  - uses: go/build
		    with: {packages: ., output: x}
	EOT
	[ ! -e "$ws/.config/git/ignore" ] || fail 'HOME was written to'
	rm "$root_bin/go"
}

# A module proxy, as files, of example.test/lib in two versions.
go_proxy() {
	mkdir -p "$1/proxy/example.test/lib/@v"
	/usr/bin/python3 - "$1/proxy/example.test/lib/@v" <<-'P'
		import sys, zipfile
		top = sys.argv[1]
		mod = "module example.test/lib\n\ngo 1.18\n"
		open(top + "/list", "w").write("v1.0.0\nv1.1.0\n")
		for v in ("v1.0.0", "v1.1.0"):
		    open(f"{top}/{v}.mod", "w").write(mod)
		    open(f"{top}/{v}.info", "w").write('{"Version":"%s","Time":"2024-01-01T00:00:00Z"}' % v)
		    with zipfile.ZipFile(f"{top}/{v}.zip", "w") as z:
		        z.writestr(f"example.test/lib@{v}/go.mod", mod)
		        z.writestr(f"example.test/lib@{v}/lib.go", 'package lib\n\nconst Word = "%s"\n' % v)
	P
	printf 'package main\n\nimport "example.test/lib"\n\nfunc main() { println(lib.Word) }\n' >"$1/main.go"
	printf 'module example.test/m\n\ngo 1.18\n' >"$1/go.mod"
}
# go_module NAME INPUTS VERSION [COMMANDS]: a build with them has the library in that version.
go_module() {
	local s
	s=$(source_of "$1")
	go_proxy "$s"
	(cd "$s" && eval "${4-}")
	mkdir -p "$T/$shell/cache"
	works "$1" --no-network --cache-dir "$T/$shell/cache" <<-EOT
		  - uses: go/build
		    environment:
		      GOPROXY: "file:///home/build/proxy"
		      GOSUMDB: "off"
		      GOTOOLCHAIN: local
		      GOFLAGS: ${flags--modcacherw -buildvcs=false}
		    with: {packages: ., output: x, $2}
		  - runs: test "\$(melange-out/p/usr/bin/x 2>&1)" = $3
	EOT
}
go_modules() {
	local old='printf "\nrequire example.test/lib v1.0.0\n"' other='example.test/other v1.0.0 h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='
	go_module go-tidy 'tidy: "true"' v1.1.0
	go_module go-deps 'deps: example.test/lib@v1.1.0' v1.1.0 "$old >>go.mod"
	go_module go-deps-vendor 'deps: example.test/lib@v1.0.0, vendor: "true"' v1.0.0
	[ -e "$ws/vendor/example.test/lib/lib.go" ] || fail 'nothing was vendored'
	# The files that lie beside the sources come over the module's own, after it was tidied.
	flags='-modcacherw -buildvcs=false -mod=mod' go_module go-local 'tidy: "true"' v1.0.0 \
		"{ cat go.mod; $old; } >go.mod.local; echo $other >go.sum.local"
	grep -qxF "$other" "$ws/go.sum" || fail 'go.sum.local was not taken'
	refused go-none 'no required module provides package example.test/lib' --no-network < <(
		go_proxy "$(source_of go-none)" >&2
		cat <<-'EOT'
			  - uses: go/build
			    environment: {GOPROXY: "off", GOTOOLCHAIN: local, GOFLAGS: -buildvcs=false}
			    with: {packages: ., output: x}
		EOT
	)
}

# Another /usr/bin for the guest, in which names can be made and removed: links to the real one.
own_usr_bin() {
	local f
	usr_bin=$T/usr-bin.$shell
	mkdir "$usr_bin"
	mount --rbind "$root/usr/bin" "$root/usr/local/games"
	for f in "$root"/usr/bin/*; do
		ln -s "/usr/local/games/${f##*/}" "$usr_bin/${f##*/}"
	done
	mount --bind "$usr_bin" "$root/usr/bin"
}
guest_programs() {
	local p
	works python-one --no-network <<<'  - {uses: python/import, with: {import: json}}'
	own_usr_bin
	printf '#!/bin/sh\n' >"$usr_bin/python3.99"
	chmod 755 "$usr_bin/python3.99"
	refused python-two 'one Python must be installed, not 2: /usr/bin/python3.1[0-9] /usr/bin/python3.99' --no-network <<<'  - {uses: python/import, with: {import: json}}'
	rm -f "$usr_bin"/python3.[0-9]*
	refused python-none 'one Python must be installed, not 0' --no-network <<<'  - {uses: python/import, with: {import: json}}'
	rm -f "$usr_bin"/ruby*
	for p in 'ruby/build, with: {gem: x}' 'ruby/install, with: {gem: x, version: "1"}' 'ruby/clean'; do
		refused "no-ruby$passed" "${p%%,*}: there is no ruby: add a ruby package" --no-network <<<"  - {uses: $p}"
	done
	umount "$root/usr/bin"
	umount -l "$root/usr/local/games"
}

ruby_files() {
	local s
	s=$(source_of gem-file)
	mkdir -p "$s/sub/lib"
	echo 'module Tiny; end' >"$s/sub/lib/tiny.rb"
	printf 'Gem::Specification.new { |g| g.name = "tiny"; g.version = "0.3"; g.summary = "t"; g.authors = ["a"]; g.files = ["lib/tiny.rb"] }\n' \
		>"$s/sub/tiny.gemspec"
	works gem-file --no-network <<-'EOT'
		  - uses: ruby/build
		    with: {gem: tiny, dir: sub, output: other name.gem}
		  - uses: ruby/install
		    with: {gem-file: other name.gem, dir: sub, version: $(echo 0.3)}
		  - runs: |
		      cd melange-out/p$(ruby -e 'puts Gem.default_dir')
		      mkdir -p build_info cache gems/tiny-0.3/ext
		      touch build_info/x cache/x gems/tiny-0.3/ext/gem_make.out gems/tiny-0.3/ext/mkmf.log gems/tiny-0.3/ext/mkmf.rb
		  - uses: ruby/clean
	EOT
	same 'mkmf.rb tiny.rb' "$(cd "$out" && find . -path '*/gems/tiny-0.3/*' -type f -printf '%f\n' | LC_ALL=C sort | xargs)" 'what is left of the gem'
	same '' "$(find "$out" -name build_info -o -name cache)" 'what ruby/clean leaves'
}

npm_overrides() {
	calling npm <<-'EOT'
		[ ! -f package.json ] || printf 'json %s\n' "$(tr -d ' \n' <package.json)"
	EOT
	works npm-overrides <<-'EOT'
		  - uses: npm/install
		    with:
		      package: p
		      version: "1"
		      overrides: |
		        @a/b@1.0 # the scope stays, @not/this@1
		        c@2,d@^3.1  @e/f@npm:g@4
	EOT
	says 'json \{"dependencies":\{"p":"1"\},"overrides":\{"@a/b":"1.0","c":"2","d":"\^3.1","@e/f@npm:g":"4"\}\}'
	refused npm-override-name "override @a/b is not NAME@VERSION" <<-'EOT'
		  - uses: npm/install
		    with: {package: p, version: "1", overrides: "@a/b"}
	EOT
	rm "$root_bin/npm"
}

maven_files() {
	local s
	mkdir -p "$T/$shell/m2"
	s=$(source_of m2-existing)
	mkdir -p "$s/.m2/repository"
	touch "$s/.m2/repository/mine"
	echo '<mine/>' >"$s/.m2/settings.xml"
	works m2-existing --cache-dir "$T/$shell/m2" <<-'EOT'
		  - uses: maven/configure-mirror
		  - runs: test -e .m2/repository/mine && grep -q '<mine/>' .m2/settings.xml
	EOT
	s=$(source_of m2-dangling)
	mkdir -p "$s/.m2"
	ln -s nowhere "$s/.m2/repository"
	works m2-dangling --cache-dir "$T/$shell/m2" <<-'EOT'
		  - uses: maven/configure-mirror
		  - runs: test "$(readlink .m2/repository)" = /var/cache/melange/m2repository
	EOT
	works m2-no-cache <<-'EOT'
		  - uses: maven/configure-mirror
		  - runs: test ! -e .m2/repository && test -e .m2/settings.xml
	EOT

	calling mvn </dev/null
	stub pombump <<-'EOT'
		#!/bin/sh
		for a; do printf 'pombump: [%s]\n' "$a" >&2; done
		echo '<new/>'
	EOT
	for given in '' pombump-deps.yaml 'pombump-deps.yaml pombump-properties.yaml'; do
		s=$(source_of "pombump$passed")
		echo '<old/>' >"$s/my pom.xml"
		for f in $given; do touch "$s/$f"; done
		works "pombump$passed" <<-'EOT'
			  - uses: maven/pombump
			    with: {pom: my pom.xml, dependencies: a@b@1 c@d@2, debug: "true", show-dependency-tree: "true"}
		EOT
		same '<new/>' "$(cat "$ws/my pom.xml")" 'the file'
		says '[-<] ?<old/>'
		says '[+>] ?<new/>'
		called mvn '[dependency:tree]'
		case $given in
		'') ;;
		pombump-deps.yaml) given=' [--patch-file] [./pombump-deps.yaml]' ;;
		*) given=' [--patch-file] [./pombump-deps.yaml] [--properties-file] [./pombump-properties.yaml]' ;;
		esac
		same "[my pom.xml]$given [--dependencies] [a@b@1 c@d@2]" \
			"$(sed -n 's/.* pombump: //p' "$log" | xargs -d '\n')" 'the call of pombump'
	done
	refused pombump-flag "debug must be true or false, not '1'" <<<'  - {uses: maven/pombump, with: {debug: "1"}}'
	rm "$root_bin/pombump" "$root_bin/mvn"
}

cases() {
	go_calls
	go_modules
	guest_programs
	ruby_files
	npm_overrides
	maven_files
}

each_shell cases
