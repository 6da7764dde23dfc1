#!/bin/bash
# go/*, ruby/*, perl/*, python/import and /test on small real projects; cargo, npm, pecl, R and maven
# by stubs that show what is called (ecosystems.sh has the real ones).
# shellcheck disable=SC2016 # files written by the test expand their own variables
# shellcheck source=pipelines/tests/lib.sh
. "$SRC/pipelines/tests/lib.sh"
own_mounts "$@"

go_module() {
	mkdir -p "$1/cmd/one" "$1/cmd/two"
	printf 'module example.test/m\n\ngo 1.18\n' >"$1/go.mod"
	for n in one two; do
		printf 'package main\n\nvar version = "none"\n\nfunc main() { println("%s " + version) }\n' "$n" >"$1/cmd/$n/main.go"
	done
}

go_cases() {
	local s
	s=$(source_of go)
	go_module "$s"
	export GOFLAGS=-buildvcs=false
	works go --no-network <<-'EOT'
		  - uses: go/build
		    environment: {GOFLAGS: -buildvcs=false, GOPROXY: "off", GOTOOLCHAIN: local}
		    with:
		      packages: ./cmd/one
		      output: one
		      ldflags: -X main.version=$(echo 1.2)
		  - runs: test "$(melange-out/p/usr/bin/one 2>&1)" = 'one 1.2'
	EOT
	s=$(source_of go2)
	go_module "$s"
	works go2 --no-network <<-'EOT'
		  - uses: go/build/v2
		    environment: {GOFLAGS: -buildvcs=false, GOPROXY: "off", GOTOOLCHAIN: local}
		    with: {packages: ./cmd/one ./cmd/two, install-dir: libexec}
	EOT
	same "$(printf 'f usr/libexec/one\nf usr/libexec/two')" "$(tree "$out" | grep '^f')" 'the programs of go/build/v2'
	says '"strip"'
	refused no-module 'go/build: there is no go.mod' --no-network <<-'EOT'
		  - uses: go/build
		    with: {packages: ., output: x}
	EOT
	s=$(source_of maybe)
	go_module "$s"
	refused maybe "go/build: tidy must be true or false, not 'maybe'" --no-network <<-'EOT'
		  - uses: go/build
		    with: {packages: ., output: x, tidy: maybe}
	EOT
}

# What a binary says of the tree it was built from: only changed tracked files make it dirty, unless
# untracked ones are asked for.
go_stamp() {
	local name=$1 ignore=$2 want=$3 s
	s=$(source_of "$name")
	go_module "$s"
	git init -q "$s"
	git -C "$s" add .
	git -C "$s" -c user.name=t -c user.email=t@example.test commit -qm c
	eval "$4"
	works "$name" --no-network <<-EOT
		  - uses: go/build
		    environment:
		      GOPROXY: "off"
		      GOTOOLCHAIN: local
		      GOFLAGS: -buildvcs=true
		      GIT_CONFIG_COUNT: "1"
		      GIT_CONFIG_KEY_0: safe.directory
		      GIT_CONFIG_VALUE_0: "*"
		    with: {packages: ./cmd/one, output: one, ignore-untracked-files: "$ignore"}
		  - runs: |
		      go version -m melange-out/p/usr/bin/one >stamp
		      grep -q 'vcs.modified=$want' stamp || { cat stamp; git status --short; exit 1; }
		      test ! -e "\$HOME/.config/git/ignore"
	EOT
}

go_stamps() {
	unset GOFLAGS
	# shellcheck disable=SC2016 # evaluated where $s is known
	{
		go_stamp stamp-clean true false ':'
		go_stamp stamp-untracked true false 'echo x >"$s/untracked"'
		go_stamp stamp-seen false true 'echo x >"$s/untracked"'
		go_stamp stamp-changed true true 'echo "// x" >>"$s/cmd/one/main.go"'
	}
}

# A module proxy of one module with a program, as files.
go_proxy() {
	local d=$1/proxy/example.test/prog/@v
	mkdir -p "$d"
	/usr/bin/python3 - "$d" <<-'P'
		import sys, zipfile
		top = sys.argv[1]
		mod = "module example.test/prog\n\ngo 1.18\n"
		main = 'package main\n\nfunc main() { println("installed") }\n'
		open(top + "/v1.2.0.mod", "w").write(mod)
		open(top + "/list", "w").write("v1.2.0\n")
		open(top + "/v1.2.0.info", "w").write('{"Version":"v1.2.0","Time":"2024-01-01T00:00:00Z"}')
		with zipfile.ZipFile(top + "/v1.2.0.zip", "w") as z:
		    for name, text in (("go.mod", mod), ("cmd/prog/main.go", main)):
		        z.writestr("example.test/prog@v1.2.0/" + name, text)
	P
}

go_install_cases() {
	local s step
	step=$(printf '%s\n' '  - uses: go/install' \
		'    environment: {GOPROXY: "file:///home/build/proxy", GOSUMDB: "off", GOTOOLCHAIN: local, GOFLAGS: -modcacherw}')
	s=$(source_of go-install)
	go_proxy "$s"
	works go-install --no-network <<-EOT
		$step
		    with: {package: example.test/prog/cmd/prog, version: v1.2.0, install-dir: libexec}
		  - runs: test "\$(melange-out/p/usr/libexec/prog 2>&1)" = installed
	EOT
	same 'f usr/libexec/prog' "$(tree "$out" | grep '^f')" 'what go/install installs'
	s=$(source_of go-install-none)
	go_proxy "$s"
	refused go-install-none 'v9.9.9' --no-network <<-EOT
		$step
		    with: {package: example.test/prog/cmd/prog, version: v9.9.9}
	EOT
	stub go <<-'EOT'
		#!/bin/sh
		echo "go $*" >&2
		cat table
	EOT
	works covdata --no-network <<-'EOT'
		  - runs: printf 'a.go:3:\tmain\t\t50.0%%\ntotal\t(statements)\t\t66.7%%\n' >table
		  - uses: go/covdata
		    with: {cover-dir: "a b"}
	EOT
	says 'Statements coverage: 66.7%'
	says 'go tool covdata func -i a b'
	refused covdata-none "go/covdata: no coverage in '/home/build'" --no-network <<-'EOT'
		  - runs: ': >table'
		  - uses: go/covdata
	EOT
	rm "$root_bin/go"
}

ruby_cases() {
	local s
	s=$(source_of gem)
	mkdir -p "$s/lib"
	echo 'module Tiny; WORD = "tiny"; end' >"$s/lib/tiny.rb"
	cat >"$s/tiny.gemspec" <<-'G'
		Gem::Specification.new do |g|
		  g.name = "tiny"
		  g.version = "0.3"
		  g.summary = "t"
		  g.authors = ["a"]
		  g.signing_key = "/none"
		  g.files = ["lib/tiny.rb"]
		end
	G
	works gem --no-network <<-'EOT'
		  - uses: ruby/build
		    with: {gem: tiny}
		  - uses: ruby/install
		    with: {gem: tiny, version: "0.3"}
		  - uses: ruby/clean
		  - runs: |
		      gems=melange-out/p$(ruby -e 'puts Gem.default_dir')
		      test "$(ruby -I "$gems/gems/tiny-0.3/lib" -r tiny -e 'puts Tiny::WORD')" = tiny
		      test ! -e "$gems/cache"
		      test ! -e "$gems/build_info"
	EOT
	refused no-gem 'ruby/install: give gem or gem-file' --no-network <<-'EOT'
		  - uses: ruby/install
		    with: {version: "1"}
	EOT
}

perl_cases() {
	local s
	s=$(source_of perl)
	mkdir -p "$s/lib"
	printf 'package Tiny;\nour $VERSION = "0.1";\n1;\n' >"$s/lib/Tiny.pm"
	printf 'use ExtUtils::MakeMaker;\nprint "cflags $ENV{CFLAGS}\\n";\nWriteMakefile(NAME => "Tiny", VERSION_FROM => "lib/Tiny.pm");\n' >"$s/Makefile.PL"
	works perl --no-network <<-'EOT'
		  - uses: perl/make
		  - uses: autoconf/make
		  - uses: autoconf/make-install
		  - runs: touch melange-out/p/usr/.packlist melange-out/p/perllocal.pod melange-out/p/usr/packlist
		  - uses: perl/cleanup
	EOT
	says 'cflags .*-D_'
	same '' "$(find "$out" -name .packlist -o -name perllocal.pod)" 'what perl/cleanup leaves'
	[ -e "$out/usr/packlist" ] || fail 'perl/cleanup takes too much'
	[ -n "$(find "$out" -name Tiny.pm)" ] || fail 'the module is missing'
}

python_cases() {
	works import --no-network <<-'EOT'
		  - runs: mkdir json && echo 'raise Exception("the sources hide the package")' > json/__init__.py
		  - uses: python/import
		    with: {python: python3, import: json}
		  - uses: python/import
		    with: {python: python3, from: os.path, import: join}
		  - uses: python/import
		    with:
		      python: python3
		      imports: |
		        import json  # a comment

		        from   os import   path
		  - uses: python/test
		    with: {command: python3 -c 'print("tested")'}
	EOT
	says 'python3 -c "from os import path": PASS'
	says tested
	works import-venv --no-network <<-'EOT'
		  - runs: |
		      python3 -m venv --without-pip v
		      dir=$(v/bin/python3 -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
		      echo 'WORD = 1' >"$dir/onlyhere.py"
		  - uses: python/import
		    with: {venv: v, import: onlyhere}
		  - uses: python/import
		    with: {python: v/bin/python3 -I, import: onlyhere}
	EOT
	refused import-venv-none 'python/import' --no-network <<-'EOT'
		  - uses: python/import
		    with: {venv: none, import: json}
	EOT
	refused import-venv-python 'python/import' --no-network <<-'EOT'
		  - uses: python/import
		    with: {venv: v, python: python3, import: json}
	EOT
	local s
	s=$(source_of wheel)
	mkdir "$s/tinywheel"
	echo 'WORD = "tiny"' >"$s/tinywheel/__init__.py"
	printf '[build-system]\nrequires = ["setuptools", "wheel"]\nbuild-backend = "setuptools.build_meta"\n[project]\nname = "tinywheel"\nversion = "0.4"\n[tool.setuptools]\npackages = ["tinywheel"]\n' >"$s/pyproject.toml"
	works wheel --no-network <<-'EOT'
		  - uses: python/build-wheel
	EOT
	[ -n "$(find "$out" -path '*/tinywheel/__init__.py')" ] || fail 'the wheel is not installed'
	same '' "$(find "$out" -name '*.pyc')" 'compiled files'
	refused import-fails 'python/import: not everything can be imported' --no-network <<-'EOT'
		  - uses: python/import
		    with: {python: python3, imports: "import json\nimport nosuchmodule"}
	EOT
	says 'import json": PASS'
	says 'import nosuchmodule": FAIL'
	refused import-both 'exclude each other' --no-network <<-'EOT'
		  - uses: python/import
		    with: {import: a, imports: import b}
	EOT
	refused import-none 'nothing to import' --no-network <<-'EOT'
		  - uses: python/import
	EOT
}

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

stub_cases() {
	calling cargo <<-'EOT'
		mkdir -p target/release/deps
		for f in tool libx.so tool.d; do echo x >"target/release/$f"; chmod 755 "target/release/$f"; done
		echo "cargo flags ${RUSTFLAGS-unset}"
	EOT
	works cargo <<-'EOT'
		  - uses: cargo/build
		    with: {jobs: "3"}
	EOT
	called cargo '[auditable] [build] [--target-dir] [target] [--jobs] [3] [--release]'
	says 'cargo flags unset'
	same 'f usr/bin/tool' "$(tree "$out" | grep '^f')" 'what cargo/build installs'
	works cargo-output <<-'EOT'
		  - uses: cargo/build
		    with: {output: tool, rustflags: -C x, install-dir: libexec}
	EOT
	says 'cargo flags -C x'
	same 'f usr/libexec/tool' "$(tree "$out" | grep '^f')" 'what cargo/build installs'
	refused cargo-none "cargo/build: './target/release/none' was not built" <<-'EOT'
		  - uses: cargo/build
		    with: {output: none}
	EOT

	calling gobump </dev/null
	works gobump <<-'EOT'
		  - uses: go/bump
		    with: {deps: a@v1 b@v2, tidy-compat: "1.20"}
	EOT
	called gobump '[--packages] [a@v1 b@v2] [--replaces] [] [--tidy=true] [--show-diff=false] [--go-version=] [--compat=1.20] [--work=false]'

	calling npm <<-'EOT'
		[ ! -f package.json ] || tr -d ' \n' <package.json
	EOT
	works npm <<-'EOT'
		  - uses: npm/install
		    with: {package: "@s/p", version: "1.2"}
	EOT
	called npm '[install] [-g] [@s/p@1.2] [-prefix] [/home/build/melange-out/p/usr/]'
	refused npm-tool "npm/install: npm-package must be npm or pnpm, not 'yarn'" <<-'EOT'
		  - uses: npm/install
		    with: {package: p, version: "1", npm-package: yarn}
	EOT

	stub phpize <<<$'#!/bin/sh\nprintf \'#!/bin/sh\\necho "configured $*"\\n\' >configure; chmod 755 configure'
	calling make </dev/null
	works pecl <<-'EOT'
		  - uses: pecl/phpize
		  - uses: pecl/install
		    with: {extension: ext}
		  - runs: grep -qx extension=ext.so melange-out/p/etc/php/conf.d/ext.ini
	EOT
	says 'configured --prefix=/usr --with-php-config=php-config'

	calling Rscript </dev/null
	refused r-nothing "R/build: 'pkg' 1 was not installed" <<-'EOT'
		  - uses: R/build
		    with: {package: pkg, version: "1"}
	EOT
	calling Rscript <<-'EOT'
		for library; do :; done
		mkdir -p "$library/pkg"
		echo x >"$library/pkg/DESCRIPTION"
	EOT
	works r <<-'EOT'
		  - uses: R/build
		    with: {package: pkg, version: "1", path: "a'b"}
	EOT
	says "Rscript: \[a'b\]"

	works mirror <<-'EOT'
		  - uses: maven/configure-mirror
		  - runs: grep -q '<mirrorOf>central</mirrorOf>' .m2/settings.xml
	EOT
	calling pombump <<<'echo "<new/>"'
	local s
	s=$(source_of pombump)
	echo '<old/>' >"$s/pom.xml"
	echo x >"$s/pombump-deps.yaml"
	works pombump <<-'EOT'
		  - uses: maven/pombump
		    with: {properties: a@1 b@2}
		  - runs: grep -q '<new/>' pom.xml
	EOT
	calling pombump <<<'exit 3'
	s=$(source_of pombump-fails)
	echo '<old/>' >"$s/pom.xml"
	if run pombump-fails <<<'  - uses: maven/pombump'; then fail 'pombump fails'; fi
	same '<old/>' "$(cat "$ws/pom.xml")" 'the file after a failure'
	[ ! -e "$ws/pom.xml.new" ] || fail 'a file is left behind'
	passed=$((passed + 1))
}

cases() {
	go_cases
	go_stamps
	go_install_cases
	ruby_cases
	perl_cases
	python_cases
	stub_cases
}

each_shell cases
