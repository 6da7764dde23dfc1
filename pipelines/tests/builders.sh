#!/bin/bash
# autoconf/*, cmake/*, meson/*, python/build and /install: what they call, by stubs, and small real projects.
# shellcheck source=pipelines/tests/lib.sh
. "$SRC/pipelines/tests/lib.sh"
own_mounts "$@"

# A stub that writes its arguments, one a line in brackets, and runs nothing.
logging() {
	for name; do
		stub "$name" <<-'EOT'
			#!/bin/sh
			printf '%s: DESTDIR=%s VERBOSE=%s\n' "${0##*/}" "${DESTDIR-}" "${VERBOSE-}"
			for a; do
				printf '%s: [%s]\n' "${0##*/}" "$a"
			done
		EOT
	done
}
# called NAME WANT: the calls of that stub, arguments as "[a] [b]".
called() {
	same "$2" "$(sed -n "s/.*INFO $1: //p" "$log" | xargs -d '\n')" "the call of $1"
}

case $(uname -m) in
x86_64) triplet=x86_64-pc-linux-gnu ;;
*) triplet=$(uname -m)-unknown-linux-gnu ;;
esac
standard="--prefix=/usr] [--sysconfdir=/etc] [--libdir=/usr/lib] [--mandir=/usr/share/man] \
[--infodir=/usr/share/info] [--localstatedir=/var]"
O=/home/build/melange-out/p

calls() {
	logging make cmake meson
	export MELANGE_JOBS=1
	local s
	s=$(source_of configure)
	mkdir -p "$s/a dir"
	cp "$root_bin/make" "$s/a dir/configure"
	echo 'not run' >"$s/a dir/configure.ac"
	works configure <<-EOT
		  - uses: autoconf/configure
		    with:
		      dir: a dir
		      opts: |
		        --with-x="a b" \\
		        --y=\$(echo z) \\
	EOT
	called configure "DESTDIR= VERBOSE= [--host=$triplet] [--build=$triplet] [$standard [--with-x=a b] [--y=z]"
	s=$(source_of only-ac)
	cp "$root_bin/make" "$s/saved"
	touch "$s/configure.ac"
	stub autoreconf <<-'EOT'
		#!/bin/sh
		printf 'autoreconf: %s\n' "$*"
		cp saved configure
	EOT
	works only-ac <<-'EOT'
		  - uses: autoconf/configure
		    with: {host: h-t, build: b-t, opts: --prefix=/opt}
	EOT
	called autoreconf '-vfi'
	called configure "DESTDIR= VERBOSE= [--host=h-t] [--build=b-t] [$standard [--prefix=/opt]"
	works make <<-'EOT'
		  - uses: autoconf/make
		  - uses: autoconf/make
		    with:
		      dir: a b
		      targets: all check
		      opts: |
		        CC="gcc -m64" \
		        X=$HOME
	EOT
	called make "DESTDIR= VERBOSE= [-C] [.] [-j1] [V=1] \
DESTDIR= VERBOSE= [-C] [a b] [-j1] [V=1] [all] [check] [CC=gcc -m64] [X=/home/build]"
	works make-install <<-'EOT'
		  - uses: autoconf/make-install
		    with: {dir: d, opts: DESTDIR=/x}
		  - uses: autoconf/make-install
		    with: {targets: install-lib install-bin}
	EOT
	called make "DESTDIR= VERBOSE= [-C] [d] [DESTDIR=$O] [V=1] [install] [DESTDIR=/x] \
DESTDIR= VERBOSE= [-C] [.] [DESTDIR=$O] [V=1] [install-lib] [install-bin]"
	works lines <<-'EOT'
		  - uses: autoconf/make
		    with:
		      opts: |
		        X=1
		        echo second
	EOT
	says 'lines/p.yaml:[0-9]+: input "opts" of pipeline "autoconf/make" is shell text of several lines'
	refused make-dash 'starts with a dash' <<<'  - {uses: autoconf/make, with: {targets: -f x}}'
	works cmake <<-'EOT'
		  - uses: cmake/configure
		    with:
		      output-dir: out put
		      opts: |
		        -DA="x y" \
		        -S sub \
		  - uses: cmake/build
		    with: {output-dir: -out, opts: --target all}
		  - uses: cmake/install
	EOT
	called cmake "DESTDIR= VERBOSE= [-B] [out put] [-G] [Ninja] [-DCMAKE_INSTALL_PREFIX=/usr] \
[-DCMAKE_INSTALL_LIBDIR=lib] [-DCMAKE_BUILD_TYPE=Release] [-DCMAKE_VERBOSE_MAKEFILE=ON] [-DA=x y] [-S] [sub] \
DESTDIR= VERBOSE=1 [--build] [./-out] [-j] [1] [--target] [all] DESTDIR=$O VERBOSE= [--install] [output]"
	works meson <<-'EOT'
		  - uses: meson/configure
		    with:
		      opts: |
		        -Da='x y' \
		        --buildtype=release \
		  - uses: meson/compile
		    with: {output-dir: a b}
		  - uses: meson/install
		    with: {output-dir: -x}
	EOT
	called meson "DESTDIR= VERBOSE= [setup] [.] [output] [--prefix=/usr] [--wrap-mode=nodownload] [-Da=x y] \
[--buildtype=release] DESTDIR= VERBOSE= [compile] [-j] [1] [-C] [a b] DESTDIR=$O VERBOSE= [install] [-C] [./-x]"
	logging python-real
	ln -s python-real "$root_bin/python"
	works python <<-'EOT'
		  - uses: python/build
		  - uses: python/install
	EOT
	called python-real "DESTDIR= VERBOSE= [setup.py] [build] \
DESTDIR= VERBOSE= [setup.py] [install] [--prefix=/usr] [--root=$O]"
	rm "$root_bin"/*
	unset MELANGE_JOBS
}

# A library with a header and a program that uses it, in the directory $1.
program() {
	mkdir -p "$1"
	printf 'int greet(void);\n' >"$1/greet.h"
	printf '#include <stdio.h>\n#include "greet.h"\nint greet(void) { return puts("hello") < 0; }\n' >"$1/greet.c"
	printf '#include "greet.h"\nint main(void) { return greet(); }\n' >"$1/main.c"
}
has() {
	same "$1" "$(cd "$out" && find . ! -type d -printf '%P\n' | LC_ALL=C sort | xargs)" 'what the package holds'
}
runs() {
	same hello "$(LD_LIBRARY_PATH="$out/usr/lib" "$out/usr/bin/greet")" 'what the program says'
}

real_projects() {
	local d
	d=$(source_of autotools)
	program "$d"
	cat >"$d/configure.ac" <<-'EOT'
		AC_INIT([greet], [1.0])
		AC_CONFIG_AUX_DIR([aux])
		AM_INIT_AUTOMAKE([foreign])
		LT_INIT([disable-static])
		AC_PROG_CC
		AC_CONFIG_FILES([Makefile])
		AC_OUTPUT
	EOT
	cat >"$d/Makefile.am" <<-'EOT'
		lib_LTLIBRARIES = libgreet.la
		libgreet_la_SOURCES = greet.c
		include_HEADERS = greet.h
		bin_PROGRAMS = greet
		greet_SOURCES = main.c
		greet_LDADD = libgreet.la
		dist_man_MANS = greet.1
	EOT
	echo '.TH GREET 1' >"$d/greet.1"
	works autotools <<-'EOT'
		  - uses: autoconf/configure
		  - uses: autoconf/make
		  - uses: autoconf/make-install
		  - uses: strip
	EOT
	has 'usr/bin/greet usr/include/greet.h usr/lib/libgreet.so usr/lib/libgreet.so.0 usr/lib/libgreet.so.0.0.0 usr/share/man/man1/greet.1'
	runs

	d=$(source_of cmake-real)
	program "$d"
	cat >"$d/CMakeLists.txt" <<-'EOT'
		cmake_minimum_required(VERSION 3.20)
		project(greet C)
		include(GNUInstallDirs)
		option(EXTRA "install the header" OFF)
		add_library(greetlib SHARED greet.c)
		set_target_properties(greetlib PROPERTIES OUTPUT_NAME greet)
		add_executable(greet main.c)
		target_link_libraries(greet greetlib)
		install(TARGETS greet greetlib)
		if(EXTRA)
			install(FILES greet.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
		endif()
	EOT
	works cmake-real <<-'EOT'
		  - uses: cmake/configure
		    with: {opts: -DEXTRA=ON}
		  - uses: cmake/build
		  - uses: cmake/install
		subpackages:
		  - name: p-plain
		    pipeline:
		      - uses: cmake/configure
		        with: {output-dir: other}
		      - uses: cmake/build
		        with: {output-dir: other}
		      - uses: cmake/install
		        with: {output-dir: other}
	EOT
	has 'usr/bin/greet usr/include/greet.h usr/lib/libgreet.so'
	runs
	same 'usr/bin/greet usr/lib/libgreet.so' \
		"$(cd "$ws/melange-out/p-plain" && find . -type f -printf '%P\n' | LC_ALL=C sort | xargs)" 'the other package'

	d=$(source_of meson-real)
	program "$d"
	cat >"$d/meson.build" <<-'EOT'
		project('greet', 'c', version: '1.0')
		lib = library('greet', 'greet.c', install: true)
		executable('greet', 'main.c', link_with: lib, install: true)
		install_headers('greet.h')
	EOT
	works meson-real <<-'EOT'
		  - uses: meson/configure
		    with: {opts: --libdir=lib --buildtype=release}
		  - uses: meson/compile
		  - uses: meson/install
	EOT
	has 'usr/bin/greet usr/include/greet.h usr/lib/libgreet.so'
	runs
	cp -r "$d" "$T/$shell/meson-twice.src"
	mkdir -p "$T/$shell/meson-twice" && mv "$T/$shell/meson-twice.src" "$T/$shell/meson-twice/src"
	refused meson-twice 'is configured already' <<-'EOT'
		  - uses: meson/configure
		  - uses: meson/configure
		    with: {opts: --buildtype=release}
	EOT
}

cases() {
	calls
	real_projects
}

each_shell cases
