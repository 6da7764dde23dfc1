#!/bin/bash
# cargo/build, R/build, pecl/*, npm/install and maven/configure-mirror with the real tools on small
# real projects. Only cargo-auditable, which Debian does not have, is a stub: it calls cargo.
# shellcheck disable=SC2016 # files written by the test expand their own variables
# shellcheck source=pipelines/tests/lib.sh
. "$SRC/pipelines/tests/lib.sh"
own_mounts "$@"

crate() {
	mkdir -p "$1/src" "$1/helper/src"
	cat >"$1/Cargo.toml" <<-'T'
		[package]
		name = "tool"
		version = "0.1.0"
		edition = "2021"
		[dependencies]
		helper = { path = "helper" }
		[profile.small]
		inherits = "release"
		opt-level = "s"
	T
	printf '[package]\nname = "helper"\nversion = "0.1.0"\nedition = "2021"\n' >"$1/helper/Cargo.toml"
	echo 'pub fn word() -> &'"'"'static str { if cfg!(special) { "special" } else { "plain" } }' >"$1/helper/src/lib.rs"
	echo 'fn main() { println!("{}", helper::word()); }' >"$1/src/main.rs"
}

cargo_cases() {
	stub cargo-auditable <<<$'#!/bin/sh\nshift\nexec cargo "$@"'
	crate "$(source_of crate)"
	works crate --no-network <<-'EOT'
		  - uses: cargo/build
		    environment: {CARGO_NET_OFFLINE: "true"}
		  - runs: test "$(melange-out/p/usr/bin/tool)" = plain
	EOT
	same 'f usr/bin/tool' "$(tree "$out" | grep '^f')" 'what cargo/build installs'
	crate "$(source_of crate-flags)/sub"
	works crate-flags --no-network <<-'EOT'
		  - uses: cargo/build
		    environment: {CARGO_NET_OFFLINE: "true"}
		    with:
		      modroot: sub
		      opts: --profile small
		      output-dir: target/small
		      output: tool
		      rustflags: --cfg special
		      install-dir: libexec
		      jobs: "2"
		  - runs: test "$(melange-out/p/usr/libexec/tool)" = special
	EOT
	crate "$(source_of crate-broken)"
	echo 'fn main() {' >"$(source_of crate-broken)/src/main.rs"
	refused crate-broken 'could not compile' --no-network <<-'EOT'
		  - uses: cargo/build
		    environment: {CARGO_NET_OFFLINE: "true"}
	EOT
}

r_package() {
	mkdir -p "$1/R"
	printf 'Package: tiny\nVersion: 0.2\nTitle: T\nDescription: D.\nLicense: MIT\n' >"$1/DESCRIPTION"
	echo 'export(word)' >"$1/NAMESPACE"
	echo 'word <- function() "from R"' >"$1/R/word.R"
}

r_cases() {
	r_package "$(source_of r)"
	works r --no-network <<-'EOT'
		  - uses: R/build
		    with: {package: tiny, version: "0.2"}
		  - runs: |
		      Rscript -e 'library(tiny, lib.loc = "melange-out/p/usr/lib/R/library"); cat(word())' >said
		      test "$(cat said)" = 'from R'
	EOT
	r_package "$(source_of r-path)/it's here"
	works r-path --no-network <<-'EOT'
		  - uses: R/build
		    with: {package: tiny, version: "0.2", path: "it's here"}
	EOT
	r_package "$(source_of r-broken)"
	echo 'word <- function( {' >"$(source_of r-broken)/R/word.R"
	refused r-broken 'installation of package .* had non-zero exit status' --no-network <<-'EOT'
		  - uses: R/build
		    with: {package: tiny, version: "0.2"}
	EOT
}

extension() {
	printf 'PHP_ARG_ENABLE(tiny, tiny, [tiny], yes)\nPHP_NEW_EXTENSION(tiny, tiny.c, $ext_shared)\n' >"$1/config.m4"
	cat >"$1/tiny.c" <<-'C'
		#include "php.h"
		ZEND_BEGIN_ARG_INFO(none, 0)
		ZEND_END_ARG_INFO()
		PHP_FUNCTION(tiny) { RETURN_STRING("from PHP"); }
		static const zend_function_entry functions[] = { PHP_FE(tiny, none) PHP_FE_END };
		zend_module_entry tiny_module_entry = { STANDARD_MODULE_HEADER, "tiny", functions, NULL, NULL, NULL,
			NULL, NULL, "0.1", STANDARD_MODULE_PROPERTIES };
		ZEND_GET_MODULE(tiny)
	C
}

pecl_cases() {
	extension "$(source_of pecl)"
	works pecl --no-network <<-'EOT'
		  - uses: pecl/phpize
		  - uses: autoconf/make
		  - uses: pecl/install
		    with: {extension: tiny}
		  - runs: |
		      dir=$(cd melange-out/p && find usr -name tiny.so)
		      test "$(php -n -d "extension=$PWD/melange-out/p/$dir" -r 'echo tiny();')" = 'from PHP'
		      test "$(cat melange-out/p/etc/php/conf.d/tiny.ini)" = extension=tiny.so
	EOT
}

# A registry of two packages, one of which needs the other.
registry() {
	local d=$1 v
	mkdir -p "$d/npm/@s" "$d/tar"
	for v in 1.0.0 1.0.1 1.1.0; do
		mkdir -p "$T/dep/package"
		printf '{"name":"dep","version":"%s","main":"i.js"}' "$v" >"$T/dep/package/package.json"
		printf 'module.exports = "%s"\n' "$v" >"$T/dep/package/i.js"
		tar czf "$d/tar/dep-$v.tgz" -C "$T/dep" package
	done
	mkdir -p "$T/tiny/package"
	printf '{"name":"@s/tiny","version":"2.0.0","bin":{"tiny":"cli.js"},"dependencies":{"dep":"^1.0.0"}}' >"$T/tiny/package/package.json"
	printf '#!/usr/bin/env node\nconsole.log("dep " + require("dep"))\n' >"$T/tiny/package/cli.js"
	tar czf "$d/tar/tiny.tgz" -C "$T/tiny" package
	/usr/bin/python3 - "$d" "$url" <<-'P'
		import json, sys
		top, url = sys.argv[1:]
		def entry(name, version, file, **more):
		    return dict(name=name, version=version, dist={"tarball": f"{url}/tar/{file}"}, **more)
		def document(name, versions):
		    last = sorted(versions)[-1]
		    return {"name": name, "dist-tags": {"latest": last}, "versions": versions}
		dep = document("dep", {v: entry("dep", v, f"dep-{v}.tgz") for v in ("1.0.0", "1.0.1", "1.1.0")})
		tiny = document("@s/tiny", {"2.0.0": entry("@s/tiny", "2.0.0", "tiny.tgz", bin={"tiny": "cli.js"},
		                                          dependencies={"dep": "^1.0.0"})})
		json.dump(dep, open(f"{top}/npm/dep", "w"))
		json.dump(tiny, open(f"{top}/npm/@s/tiny", "w"))
	P
}

npm_step() {
	cat <<-EOT
		  - uses: npm/install
		    environment:
		      npm_config_registry: $url/npm/
		      npm_config_audit: "false"
		      npm_config_fund: "false"
		      npm_config_update_notifier: "false"
		      npm_config_fetch_retries: "0"
	EOT
	printf '    with: {%s}\n' "$1"
}

npm_cases() {
	works npm < <(
		npm_step 'package: "@s/tiny", version: 2.0.0'
		echo "  - runs: test \"\$(melange-out/p/usr/bin/tiny)\" = 'dep 1.1.0'"
	)
	works npm-override < <(
		npm_step 'package: "@s/tiny", version: 2.0.0, overrides: "dep@1.0.1 # pinned"'
		echo "  - runs: test \"\$(node melange-out/p/usr/lib/node_modules/@s/tiny/cli.js)\" = 'dep 1.0.1'"
	)
	for f in package.json package-lock.json node_modules/.package-lock.json; do
		[ ! -e "$out/usr/lib/$f" ] || fail "npm/install leaves $f"
	done
	refused npm-missing '404|No matching version' < <(npm_step 'package: "@s/tiny", version: 9.9.9')
}

maven_cases() {
	local s
	s=$(source_of maven)
	cat >"$s/pom.xml" <<-'X'
		<project xmlns="http://maven.apache.org/POM/4.0.0">
		  <modelVersion>4.0.0</modelVersion>
		  <groupId>g</groupId><artifactId>a</artifactId><version>1</version><packaging>pom</packaging>
		</project>
	X
	mkdir -p "$T/$shell/m2cache"
	works maven --no-network --cache-dir "$T/$shell/m2cache" <<-'EOT'
		  - uses: maven/configure-mirror
		  - runs: |
		      mvn -o -B -X -Duser.home="$HOME" validate >said 2>&1 || { cat said; exit 1; }
		      grep -q 'BUILD SUCCESS' said
		      grep -q "Reading user settings from $HOME/.m2/settings.xml" said
		      grep -q "Using local repository at $HOME/.m2/repository" said
		      test "$(readlink "$HOME/.m2/repository")" = /var/cache/melange/m2repository
	EOT
}

cases() {
	cargo_cases
	r_cases
	pecl_cases
	npm_cases
	maven_cases
}

mkdir -p "$T/serve"
serve "$T/serve"
registry "$T/serve"
each_shell cases
