#!/bin/bash
# split/* and strip, on trees made in the guest.
# shellcheck source=pipelines/tests/lib.sh
. "$SRC/pipelines/tests/lib.sh"
own_mounts "$@"

# split NAME PIPELINE INPUTS WANT: makes the package's tree with the commands on standard input
# (there `f PATH...` makes files and `l TARGET PATH` a link), then splits it. WANT is what each
# package holds afterwards, one a line without directories but empty ones: PACKAGE KIND PATH.
# shellcheck disable=SC2016 # for the guest
script() {
	printf '  - runs: |\n      mkdir -p melange-out/p\n      cd melange-out/p\n'
	printf '      f() { for x; do mkdir -p "$(dirname "$x")"; echo "$x" >"$x"; done; }\n'
	printf '      l() { mkdir -p "$(dirname "$2")"; ln -s "$1" "$2"; }\n'
	sed 's/^[ \t]*/      /'
	printf 'subpackages:\n  - name: %s\n    pipeline:\n      - uses: %s\n' "${subpackage:-p-s}" "$1"
	[ -z "$2" ] || printf '        with: {%s}\n' "$2"
}
held() {
	(cd "$ws/melange-out" && find . -mindepth 1 \( ! -type d -o -empty \) -printf '%P %y %l\n' |
		sed 's, *$,,' | LC_ALL=C sort)
}
split() {
	works "$1" < <(script "$2" "$3")
	same "$(sed 's/^[ \t]*//; /^$/d' <<<"$4" | LC_ALL=C sort)" "$(held)" 'what the packages hold'
}
no_split() {
	refused "$1" "$2" < <(script "$3" "$4")
}

docs() {
	split manpages split/manpages '' '
		p/usr/bin/x f
		p-s/usr/share/man/man1/a b.1 f
		p-s/usr/share/man/man1/c.1 f
		p-s/usr/share/man/.hidden f
		p-s/usr/share/man/man3/d.3 f' <<-'EOT'
		f usr/bin/x 'usr/share/man/man1/a b.1' usr/share/man/.hidden
		f usr/local/share/man/man1/c.1 usr/man/man3/d.3
	EOT
	split only-man split/manpages '' '
		p d
		p-s/usr/share/man/man1/a.1 f' <<-'EOT'
		f usr/share/man/man1/a.1
	EOT
	split empty-man split/manpages '' '
		p d
		p-s d' <<-'EOT'
		mkdir -p usr/share/man
	EOT
	split link-man split/manpages '' '
		p/usr/man l share/man
		p-s/usr/share/man/man1/a.1 f' <<-'EOT'
		f usr/share/man/man1/a.1
		l share/man usr/man
	EOT
	split infodir split/infodir '' '
		p/usr/share/x f
		p-s/usr/share/info/i.info f' <<-'EOT'
		f usr/share/info/i.info usr/share/info/dir usr/share/x
	EOT
	split locales split/locales '' '
		p/usr/bin/x f
		p-s/usr/share/locale/de/LC_MESSAGES/x.mo f' <<-'EOT'
		f usr/bin/x usr/share/locale/de/LC_MESSAGES/x.mo
	EOT
	split alldocs split/alldocs '' '
		p/usr/share/licenses/x f
		p/usr/share/gtk-doc/x f
		p-s/usr/share/man/man1/a.1 f
		p-s/usr/share/info/i.info f
		p-s/usr/share/doc/x/README f
		p-s/usr/share/doc/x/NEWS f' <<-'EOT'
		f usr/share/licenses/x usr/share/gtk-doc/x usr/share/man/man1/a.1 usr/share/info/i.info
		f usr/share/info/dir usr/share/doc/x/README usr/local/share/doc/x/NEWS
	EOT
	# What another step of the subpackage put there already is merged.
	split merged split/locales '' '
		p d
		p-s/usr/share/locale/de/old f
		p-s/usr/share/locale/de/new f' <<-'EOT'
		f usr/share/locale/de/new ../p-s/usr/share/locale/de/old
	EOT
	no_split in-the-way 'split/locales: .*is in the way of' split/locales '' <<-'EOT'
		f usr/share/locale/de/new ../p-s/usr/share/locale/de
	EOT
}

sources() {
	no_split itself 'Package can not split files from itself' split/manpages 'package: p-s' <<<'f x'
	split other split/manpages 'package: q' '
		p/x f
		p-s/usr/share/man/man1/a.1 f
		q d' <<-'EOT'
		f x ../q/usr/share/man/man1/a.1
	EOT
	for pipeline in alldocs debug dev infodir lib locales manpages static; do
		split "unknown-$pipeline" "split/$pipeline" 'package: nobody' '
			p/x f
			p-s d' <<<'f x'
		says "split/$pipeline: WARNING: .*nobody does not exist"
	done
	for name in ../p . .. a/b; do
		no_split "name$passed" 'is no package name' split/static "package: $name" <<<'f x'
	done
}

development() {
	split dev split/dev '' '
		p/usr/bin/x f
		p/usr/lib/libx.so.1 f
		p/usr/lib/plugin.so f
		p/lib/liby.so.1 f
		p/opt d
		p/usr/src d
		p-s/usr/include/x.h f
		p-s/usr/include/deep/y.h f
		p-s/usr/bin/x-config f
		p-s/usr/bin/x_config f
		p-s/usr/lib/pkgconfig/x.pc f
		p-s/usr/lib/cmake/x.cmake f
		p-s/usr/lib/qt6/mkspecs/m f
		p-s/usr/share/gir-1.0/x.gir f
		p-s/usr/share/aclocal/x.m4 f
		p-s/usr/lib/libx.a f
		p-s/usr/lib/with blank.a f
		p-s/usr/lib/libx.so l libx.so.1
		p-s/lib/liby.so l liby.so.1
		p-s/lib/liby.a f
		p-s/usr/src/x/x.c f
		p-s/opt/pkg/include/z.h f' <<-'EOT'
		f usr/bin/x usr/lib/libx.so.1 usr/lib/plugin.so lib/liby.so.1 usr/include/x.h
		f usr/include/deep/y.h usr/bin/x-config usr/bin/x_config usr/lib/pkgconfig/x.pc
		f usr/lib/cmake/x.cmake usr/lib/qt6/mkspecs/m usr/share/gir-1.0/x.gir
		f usr/share/aclocal/x.m4 usr/lib/libx.a 'usr/lib/with blank.a' lib/liby.a usr/src/x/x.c
		f opt/pkg/include/z.h
		l libx.so.1 usr/lib/libx.so
		l liby.so.1 lib/liby.so
	EOT
	split dev-prefix split/dev 'prefix: /opt/x' '
		p/opt/x d
		p/usr/lib/libx.a f
		p-s/opt/x/include/x.h f
		p-s/opt/x/lib/libx.a f' <<-'EOT'
		f usr/lib/libx.a opt/x/include/x.h opt/x/lib/libx.a
	EOT
	split dev-x-usr split/dev 'prefix: x/usr' '
		p/usr/lib/libx.so l libx.so.1
		p/x/usr d
		p-s/x/usr/lib/libx.so l libx.so.1
		p-s/x/lib/libx.so l libx.so.1' <<-'EOT'
		l libx.so.1 usr/lib/libx.so
		l libx.so.1 x/usr/lib/libx.so
		l libx.so.1 x/lib/libx.so
	EOT
	split dev-usrmerge split/dev '' '
		p/lib l usr/lib
		p/usr/lib/libx.so.1 f
		p-s/usr/lib/libx.a f
		p-s/usr/lib/libx.so l libx.so.1' <<-'EOT'
		f usr/lib/libx.so.1 usr/lib/libx.a
		l usr/lib lib
		l libx.so.1 usr/lib/libx.so
	EOT
	for prefix in / . usr/../.. ''; do
		[ -n "$prefix" ] || continue
		no_split "prefix$passed" 'is not a directory of the package' split/dev "prefix: $prefix" <<<'f x'
	done
	split static split/static '' "
		p/lib/x.so.1 f
		p/usr/lib d
		p-s/lib/libx.a f
		p-s/usr/lib/a b.a f
		p-s/usr/lib/deep/c.a f" <<-'EOT'
		f lib/x.so.1 lib/libx.a 'usr/lib/a b.a' usr/lib/deep/c.a
	EOT
	# Names with a line feed.
	split odd split/static '' '
		p/usr d
		p-s/usr/lib/x
		y.a f' <<-'EOT'
		f "usr/lib/x
		y.a"
	EOT
}

libraries() {
	split lib split/lib '' '
		p/usr/lib/libx.so l libx.so.1
		p/usr/lib/deep/liby.so.1 f
		p-s/lib/libz.so.1 f
		p-s/usr/lib/libx.so.1 l libx.so.1.2
		p-s/usr/lib/libx.so.1.2 f' <<-'EOT'
		f usr/lib/libx.so.1.2 usr/lib/deep/liby.so.1 lib/libz.so.1
		l libx.so.1.2 usr/lib/libx.so.1
		l libx.so.1 usr/lib/libx.so
	EOT
	says 'Moved /home/build/melange-out/p/usr/lib/libx.so.1.2 to /home/build/melange-out/p-s/usr'
	split lib-patterns split/lib '"patterns": "x\ny*"' '
		p/usr/lib/libz.so.1 f
		p-s/usr/lib/libx.so.1 f
		p-s/usr/lib/libyy.so.1 f' <<-'EOT'
		f usr/lib/libx.so.1 usr/lib/libyy.so.1 usr/lib/libz.so.1
	EOT
	for paths in '"paths": "opt/a b\nnowhere"' '"paths": "/opt/a b/"'; do
		split "lib-paths$passed" split/lib "$paths" '
			p/opt/x.so.1 f
			p-s/opt/a b/liba.so.1 f' <<-'EOT'
			f opt/x.so.1 'opt/a b/liba.so.1'
		EOT
	done
	split lib-none split/lib '' '
		p/x f
		p-s d' <<<'f x'
	says 'has no library directory'
	no_split lib-outside 'leaves the package' split/lib 'paths: ../q' <<<'f x'
	no_split lib-pattern "is no library's name" split/lib 'patterns: ../x' <<<'f usr/lib/x'
	split bin split/bin '' '
		p/usr/share/x f
		p-s/usr/bin/.hidden f
		p-s/usr/bin/a b f
		p-s/usr/bin/d/e f' <<-'EOT'
		f usr/share/x usr/bin/.hidden 'usr/bin/a b' usr/bin/d/e
		mkdir -p usr/share/empty/deep
	EOT
	subpackage=q-bin split bin-of-other split/bin '' '
		p/usr/bin/p f
		q/usr d
		q-bin/usr/bin/q f' <<-'EOT'
		f usr/bin/p ../q/usr/bin/q
	EOT
	no_split bin-none 'has no usr/bin' split/bin '' <<<'f x'
}

# ELF files of a kind each: two programs (fixed and position-independent), a library, a static
# archive, an object, a script, a hard link, a link out of the tree, odd names, one for another
# machine, an embedded one.
elf_files() {
	cat <<-'EOT'
		mkdir -p usr/bin usr/lib
		printf 'int x(void) { return 1; }\nint main(void) { return x(); }\n' >../m.c
		gcc -g -no-pie -o usr/bin/fixed ../m.c
		gcc -g -pie -o usr/bin/pie ../m.c
		gcc -g -shared -fPIC -o usr/lib/libx.so.1 ../m.c
		gcc -g -static -o usr/bin/static ../m.c
		gcc -g -c -o usr/lib/x.o ../m.c
		ar rc usr/lib/libx.a usr/lib/x.o
		printf '#!/bin/sh\n# \177ELF\n' >usr/bin/script
		cp usr/bin/pie 'usr/bin/a b'
		cp usr/bin/pie "usr/bin/a
		b"
		cp usr/bin/pie usr/bin/mode
		chmod 4511 usr/bin/mode
		touch -d @1000000000 usr/bin/mode
		ln usr/bin/pie usr/bin/hard
		ln -s /bin/ls usr/bin/out
		cp usr/lib/libx.so.1 usr/lib/foreign.so
		printf '\000\001' | dd of=usr/lib/foreign.so bs=1 seek=18 conv=notrunc 2>/dev/null
		cp usr/lib/libx.so.1 usr/lib/embedded.so
		printf '\377' | dd of=usr/lib/embedded.so bs=1 seek=7 conv=notrunc 2>/dev/null
		head -c 64 /dev/zero >usr/lib/zeros
		: >usr/lib/nothing
	EOT
}
has_debug() {
	readelf -SW "$1" 2>/dev/null | grep '\.debug_info' >/dev/null
}
strip_script() {
	printf '  - runs: |\n      mkdir -p melange-out/p\n      cd melange-out/p\n'
	elf_files | sed 's/^/      /'
	printf '  - uses: strip\n'
	printf '%s\n' "$@"
}
elves() {
	works strip < <(strip_script)
	local f
	for f in fixed pie static 'a b' $'a\nb' mode hard; do
		has_debug "$out/usr/bin/$f" && fail "$f was not stripped"
		readelf -sW "$out/usr/bin/$f" | grep ' main$' >/dev/null || fail "$f has lost its symbols"
	done
	has_debug "$out/usr/lib/libx.so.1" && fail 'libx.so.1 was not stripped'
	for f in foreign.so embedded.so x.o; do
		has_debug "$out/usr/lib/$f" || fail "$f was stripped"
	done
	same "$(stat -c %i "$out/usr/bin/pie")" "$(stat -c %i "$out/usr/bin/hard")" 'inode of the link'
	same '4511 1000000000' "$(stat -c '%a %Y' "$out/usr/bin/mode")" 'mode and time'
	same /bin/ls "$(readlink "$out/usr/bin/out")" 'the link out of the tree'
	works strip-all < <(strip_script '    with:' '      opts: --strip-all --remove-section=.comment')
	readelf -sW "$out/usr/bin/pie" | grep ' main$' >/dev/null && fail '--strip-all was not obeyed'
	refused strip-opts 'strip: ' < <(strip_script '    with:' "      opts: '-g;touch PWNED'")
	stub strip <<<$'#!/bin/sh\nexit 0'
	works strip-nothing < <(strip_script)
	has_debug "$out/usr/bin/pie" || fail 'a program was emptied'
	rm "$root_bin/strip"
	works capabilities < <(
		printf '  - runs: |\n      mkdir -p melange-out/p\n      cd melange-out/p\n'
		elf_files | sed 's/^/      /'
		printf '      setcap cap_net_raw=ep usr/bin/fixed\n  - uses: strip\n'
	)
	case $(getcap "$out/usr/bin/fixed") in
	*cap_net_raw=ep) ;;
	*) fail 'the capability is lost' ;;
	esac
	works debug < <(
		printf '  - runs: |\n      mkdir -p melange-out/p\n      cd melange-out/p\n'
		elf_files | sed 's/^/      /'
		printf '      rm usr/lib/foreign.so usr/lib/embedded.so\n'
		printf 'subpackages:\n  - name: p-s\n    pipeline:\n      - uses: split/debug\n'
	)
	local name d=$ws/melange-out/p-s/usr/lib/debug
	for f in usr/bin/pie 'usr/bin/a b' $'usr/bin/a\nb' usr/bin/mode usr/lib/libx.so.1; do
		has_debug "$out/$f" && fail "$f keeps its symbols"
		[ "$f" = usr/bin/pie ] || has_debug "$d/$f.debug" || fail "$f.debug has no symbols"
		name=${f##*/}
		[ "$name" != pie ] || name=hard # the first of its names
		readelf -p .gnu_debuglink "$out/$f" | grep -F -e "$name" >/dev/null || fail "$f has no link"
	done
	has_debug "$out/usr/bin/fixed" || fail 'a fixed program was split'
	same 1 "$(find "$d" -name pie.debug -o -name hard.debug | wc -l)" 'debug files of one inode'
	same "$(stat -c %i "$out/usr/bin/pie")" "$(stat -c %i "$out/usr/bin/hard")" 'inode of the link'
	same 4511 "$(stat -c %a "$out/usr/bin/mode")" mode
	same '' "$(find "$out" -name '.dbg*')" 'left over'
	split debug-empty split/debug '' '
		p d
		p-s d' <<<':'
}

# A header of each machine, little endian and big.
make_headers() {
	mkdir -p "$1"
	/usr/bin/python3 - "$1" <<-'EOT'
		import struct, sys
		for machine in 62, 183, 3, 40, 243, 21, 22, 258:
		    for data, order, end in (1, "<", "le"), (2, ">", "be"):
		        with open(f"{sys.argv[1]}/{machine}.{end}", "wb") as f:
		            f.write(b"\x7fELF\2" + bytes([data, 1]) + bytes(9) + struct.pack(order + "HH", 3, machine) + bytes(44))
	EOT
}

# Every architecture's own header, and no other's, is one to strip.
architectures() {
	local each arch end
	stub strip <<-'EOT'
		#!/bin/sh
		while [ $# -gt 1 ]; do shift; done
		echo "stripped $1"
	EOT
	for each in x86_64:62 aarch64:183 x86:3 armhf:40 armv7:40 riscv64:243 ppc64le:21 s390x:22 loongarch64:258; do
		arch=${each%:*}
		end=le
		[ "$arch" != s390x ] || end=be
		make_headers "$(source_of "arch-$arch")/melange-out/p/lib"
		works "arch-$arch" <<<'  - uses: strip'
		same "stripped ./lib/${each#*:}.$end" "$(grep -o 'stripped .*' "$log")" "what is stripped for $arch"
	done
	rm "$root_bin/strip"
}

cases() {
	docs
	sources
	development
	libraries
	elves
	architectures
}

each_shell cases
