#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "melange/scan/scan.h"
#include "shared/archive/gz.h"
#include "shared/os/fd.h"
#include "shared/rootfs/import.h"
#include "shared/rootfs/tests/elfmake.h"

#define V "1.2-r3"

/* A package of one file, and what must be found. Lists are separated by commas, since items may
 * hold blanks. */
struct file {
	const char *path, *text;
	unsigned mode;		/* 0: 0644 */
	char type;		/* 0: a file; '2': a link to `text`; '5': a directory */
};
struct scan_case {
	const char *name;	/* of the package; NULL: pkg */
	struct file files[6];
	const char *declared;	/* runtime */
	const char *runtime, *provides, *vendored;
	unsigned warnings;
};

static const struct scan_case cases[] = {
	/* commands */
	{ .files = { { "usr/bin/a", "", 0755, 0 }, { "bin/b", "", 0555, 0 }, { "sbin/c", "", 04755, 0 },
		{ "usr/bin/with space", "", 0755, 0 }, { "usr/sbin/d", "", 0754, 0 },
		{ "usr/libexec/e", "", 0755, 0 } },
		.provides = "cmd:a=" V ",cmd:b=" V ",cmd:c=" V ",cmd:with space=" V },
	{ .files = { { "usr/bin/deep/a", "", 0755, 0 }, { "usr/bin/l", "a", 0, '2' },
		{ "usr/bin/x\ny", "", 0755, 0 } } },
	/* documentation */
	{ .name = "x-doc", .files = { { "usr/share/man/man1/a.1", "", 0, 0 },
		{ "usr/share/info/a.info", "", 0, 0 } }, .runtime = "man-db,texinfo" }, /* D16 */
	{ .files = { { "usr/share/man/man1/a.1", "", 0, 0 }, { "usr/share/info/x", "", 0, 0 } } },
	{ .name = "x-doc", .files = { { "usr/share/doc/a", "", 0, 0 } } },
	/* shebangs */
	{ .files = { { "usr/bin/a", "#!/bin/bash -e\nx", 0, 0 },
		{ "usr/local/bin/b", "#!/usr/bin/env ruby", 0, 0 },
		{ "usr/local/sbin/c", "#! \t/x/y/lua\r\n", 0, 0 },
		{ "usr/bin/deep/d", "#!/usr/bin/env -S node --flag\n", 0, 0 },
		{ "usr/bin/e", "#!relative/fish\n", 0, 0 },
		{ "usr/libexec/f", "#!/bin/zsh\n", 0, 0 } },
		.runtime = "cmd:bash,cmd:fish,cmd:lua,cmd:node,cmd:ruby" },
	{ .files = { { "usr/bin/a", "#!/usr/bin/env -i perl\n", 0, 0 },
		{ "usr/bin/b", "#!/usr/bin/env\n", 0, 0 }, { "usr/bin/c", "#!/usr/bin/env A=1 x\n", 0, 0 },
		{ "usr/bin/d", "#!/usr/bin/env lua x\n", 0, 0 },
		{ "usr/bin/e", "#!/usr/bin/env -S -i x\n", 0, 0 },
		{ "usr/bin/f", "#!/usr/bin/env -S\n", 0, 0 } }, .warnings = 6 },
	{ .files = { { "usr/bin/a", " #!/bin/bash\n", 0, 0 }, { "usr/bin/b", "#!\n", 0, 0 },
		{ "usr/bin/c", "#!/bin/sh\n", 0, 0 }, { "usr/bin/d", "#!/usr/bin/python3\n", 0, 0 },
		{ "usr/bin/e", "#!/usr/bin/\n", 0, 0 }, { "usr/bin/f", "e", 0, '2' } } },
	/* a directory called like the interpreter of a package's own */
	{ .files = { { "usr/bin/me", "", 0755, 0 }, { "usr/bin/s", "#!/usr/bin/me\n", 0, 0 } },
		.provides = "cmd:me=" V },
	/* languages */
	{ .files = { { "usr/lib/python3.10/site-packages", "", 0, '5' },
		{ "usr/lib/python3.9/site-packages/x", "", 0, 0 } }, .runtime = "python-3.9-base" },
	{ .files = { { "usr/lib/python3.9/site-packages/x", "", 0, 0 } }, .declared = "python-3.11",
		.runtime = "python-3.11" },
	{ .files = { { "usr/lib/python3/site-packages", "", 0, '5' } } },
	{ .files = { { "usr/lib/perl5/vendor_perl/X.pm", "", 0, 0 } }, .runtime = "perl~5" }, /* D13 */
	{ .files = { { "lib/perl5/core_perl/X.pm", "", 0, 0 } }, .runtime = "perl~5" },
	{ .files = { { "usr/lib/perl5/vendor_perl/X.pm", "", 0, 0 } }, .declared = "perl",
		.runtime = "perl" },
	{ .files = { { "usr/share/perl5/vendor_perl/X.pm", "", 0, 0 } } },
	{ .files = { { "usr/lib/ruby/gems/3.2.0/gems/x/y", "", 0, 0 } }, .runtime = "ruby-3.2" }, /* D15 */
	{ .files = { { "usr/lib/ruby/gems/3.2.0/gems/x", "", 0, 0 } }, .declared = "ruby-3.1",
		.runtime = "ruby-3.1" },
	/* pkg-config: D11 D12 */
	{ .files = { { "usr/lib/pkgconfig/a.pc",
		"v=1\nName: a\nRequires: zlib >= ${v}, gtk+-3.0 x\nRequires.private: p \\\n q\n"
		"Requires.internal: i\nConflicts: no\n", 0, 0 },
		{ "usr/share/pkgconfig/empty.pc", "", 0, 0 }, { "usr/lib/pkgconfig/l.pc", "a.pc", 0, '2' },
		{ "opt/v.pc", "Name: v\nRequires: hidden\n", 0, 0 },
		{ "usr/lib64/pkgconfig/bad.pc", "no such thing\n", 0, 0 } },
		.runtime = "pc:gtk+-3.0,pc:i,pc:p,pc:q,pc:x,pc:zlib",
		.provides = "pc:a=" V ",pc:empty=" V, .vendored = "pc:v=" V, .warnings = 1 },
	{ .files = { { "usr/lib/pkgconfig/loop.pc",
		"a=${b}${b}${b}${b}${b}${b}${b}${b}\nb=${c}${c}${c}${c}${c}${c}${c}${c}\n"
		"c=${d}${d}${d}${d}${d}${d}${d}${d}\nd=${e}${e}${e}${e}${e}${e}${e}${e}\n"
		"e=${a}${a}${a}${a}${a}${a}${a}${a}\nRequires: ${a}\n", 0, 0 } },
		.provides = "pc:loop=" V },
	/* kernels: D19 */
	{ .files = { { "boot/vmlinux", "..Linux version 6.1.2-text+x ..", 0, 0 } },
		.provides = "linux:6.1.2-text" },
	{ .files = { { "usr/lib/modules/6/a.ko", "xx\0yy", 0, 0 },
		{ "lib/modules/6/b.ko", "xvermagic=6.2.3-a SMP", 0, 0 } }, .runtime = "linux:6.2.3-a" },
	{ .files = { { "usr/share/vmlinux", "Linux version 6.1.2", 0, 0 },
		{ "boot/l", "vmlinux", 0, '2' } } },
};

static void add_file(struct tree *t, const struct file *f)
{
	auto_err struct err err = ERR_INIT;
	bool ok;
	if (f->type == '5')
		ok = tree_mkdirs(t, str_of(f->path), 0755, &err);
	else if (f->type == '2')
		ok = tree_symlink(t, str_of(f->path), str_of(f->text), &err);
	else
		ok = tree_put(t, str_of(f->path), str_of(f->text), f->mode ? f->mode : 0644, &err);
	if (!ok)
		fail_msg("%s: %s", f->path, err.msg);
}

static struct ystrs declared(const char *list, struct arena *a)
{
	struct ystrs out = { 0 };
	struct str rest = str_of(list), item;
	while (list && str_next(&rest, ',', &item)) {
		struct ystr y = { .s = arena_str(a, item) };
		vec_push(a, &out, y);
	}
	return out;
}

static void same(const char *what, const char *want, const struct strs *got, struct arena *a)
{
	const char *text = "";
	for (size_t i = 0; i < got->n; i++)
		text = arena_printf(a, "%s%s%.*s", text, i ? "," : "", STR_ARG(got->v[i]));
	if (strcmp(text, want ? want : "") != 0)
		fail_msg("%s: expected '%s', found '%s'", what, want ? want : "", text);
}

static void run(const struct scan_pkg *pkgs, size_t n, size_t which, struct arena *a,
	struct scan_result *ret)
{
	auto_err struct err err = ERR_INIT;
	if (!scan(pkgs, n, which, a, ret, &err))
		fail_msg("%s", err.msg);
}

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		const struct scan_case *c = &cases[i];
		auto_arena struct arena a = ARENA_INIT;
		struct dependencies d = { .runtime = declared(c->declared, &a) };
		struct scan_result r;
		struct tree t;
		tree_init(&t);
		for (size_t k = 0; k < countof(c->files) && c->files[k].path; k++)
			add_file(&t, &c->files[k]);
		const struct scan_pkg pkg = { .name = c->name ? c->name : "pkg", .version = V,
			.tree = &t, .declared = &d };
		run(&pkg, 1, 0, &a, &r);
		const char *what = arena_printf(&a, "case %zu (%s)", i, c->files[0].path);
		same(what, c->runtime, &r.runtime, &a);
		same(what, c->provides, &r.provides, &a);
		same(what, c->vendored, &r.vendored, &a);
		if (r.warnings.n != c->warnings)
			fail_msg("%s: %zu warnings", what, r.warnings.n);
		tree_release(&t);
	}
}

static void put_elf(struct tree *t, const char *path, struct elfmake m)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf b = BUF_INIT(1 << 20);
	m.is64 = true;
	m.machine = 62;
	elf_make(&m, &b);
	if (!tree_put(t, str_of(path), buf_str(&b), 0644, &err))
		fail_msg("%s", err.msg);
}

static const struct {
	const char *path;
	struct elfmake elf;
	const char *runtime, *provides, *vendored;
} elves[] = {
	/* melange-build 10: D02 D03 D04 D07 D09 D10 */
	{ "usr/lib/liba.so.1.2", { .soname = "liba.so.1", .needed = "libc.so.6 libb.so" }, "so:libc.so.6",
		"so-ver:liba.so.1=" V ",so:liba.so.1=1", "" },
	{ "usr/lib/deep/liba.so.1.2", { .soname = "liba.so.1" }, "", "",
		"so-ver:liba.so.1=" V ",so:liba.so.1=1" },
	{ "lib64/libx.so", { .soname = "libx-2.so" }, "", "so-ver:libx-2.so=" V ",so:libx-2.so=0", "" },
	{ "lib/l.so.1", { .soname = "l.so.0unstable" }, "",
		"so-ver:l.so.0unstable=" V ",so:l.so.0unstable=0", "" },
	{ "lib/l.so.1", { .soname = "l.so.1.2.so.3" }, "",
		"so-ver:l.so.1.2.so.3=" V ",so:l.so.1.2.so.3=1.2", "" },
	{ "usr/x/app", { .interp = "/lib64/ld-linux-x86-64.so.2", .needed = "libc.so.6",
		.soname = "app.so.1" }, "so:ld-linux-x86-64.so.2,so:libc.so.6", "", "" },
	{ "usr/lib/run.so.1", { .interp = "/lib/ld-musl-x86_64.so.1", .soname = "run.so.1" },
		"so:libc.musl-x86_64.so.1", "so-ver:run.so.1=" V ",so:run.so.1=1", "" },
	{ "usr/lib/libcuda.so.1", { .soname = "libcuda.so.1", .needed = "libnvidia-ml.so.1 libnvidia-x.so.1" },
		"so:libnvidia-x.so.1", "", "" },
	/* no section headers: the segments tell */
	{ "usr/lib/liba.so.1", { .no_sections = true, .soname = "liba.so.1" }, "",
		"so-ver:liba.so.1=" V ",so:liba.so.1=1", "" },
};

static void test_elves(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(elves); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct dependencies d = { 0 };
		struct scan_result r;
		struct tree t;
		tree_init(&t);
		put_elf(&t, elves[i].path, elves[i].elf);
		const struct scan_pkg pkg = { .name = "pkg", .version = V, .tree = &t,
			.declared = &d };
		run(&pkg, 1, 0, &a, &r);
		same(elves[i].path, elves[i].runtime, &r.runtime, &a);
		same(elves[i].path, elves[i].provides, &r.provides, &a);
		same(elves[i].path, elves[i].vendored, &r.vendored, &a);
		assert_int_equal(r.warnings.n, 0);
		tree_release(&t);
	}
}

/* A library, a development package with a link to it, and a package that names a directory. */
struct siblings {
	struct arena a;
	struct tree trees[3];
	struct dependencies declared[3];
	struct pkg_options options[3];
	struct scan_pkg pkgs[3];
};

static int siblings_open(void **state)
{
	static const char *const names[] = { "lib", "lib-dev", "conf" };
	struct siblings *s = calloc(1, sizeof(*s));
	for (size_t i = 0; i < 3; i++) {
		tree_init(&s->trees[i]);
		s->pkgs[i] = (struct scan_pkg){ names[i], V, &s->trees[i], &s->options[i],
			&s->declared[i], NULL };
	}
	put_elf(&s->trees[0], "usr/lib/far/liba.so.1.2",
		(struct elfmake){ .soname = "liba.so.1", .needed = "libz.so.1 libmine.so.5" });
	add_file(&s->trees[1], &(struct file){ "usr/lib/liba.so", "far/liba.so.1.2", 0, '2' });
	add_file(&s->trees[2], &(struct file){ "etc/ld.so.conf.d/x/a.conf",
		"# no\n  /usr/lib/far/ \nrelative\n", 0, 0 });
	*state = s;
	return 0;
}

static int siblings_close(void **state)
{
	struct siblings *s = *state;
	for (size_t i = 0; i < 3; i++)
		tree_release(&s->trees[i]);
	arena_release(&s->a);
	free(s);
	return 0;
}

/* D05, D08 */
static void test_siblings(void **state)
{
	struct siblings *s = *state;
	struct scan_result r;
	run(s->pkgs, 3, 0, &s->a, &r);
	same("lib", "so:libmine.so.5,so:libz.so.1", &r.runtime, &s->a);
	same("lib", "so-ver:liba.so.1=" V ",so:liba.so.1=1", &r.provides, &s->a);
	run(s->pkgs, 3, 1, &s->a, &r);
	same("dev", "so:liba.so.1", &r.runtime, &s->a);
	/* without the directory's name, the library is nobody's but its package's */
	run(s->pkgs, 2, 0, &s->a, &r);
	same("alone", "", &r.provides, &s->a);
	same("alone", "so-ver:liba.so.1=" V ",so:liba.so.1=1", &r.vendored, &s->a);
	run(s->pkgs, 2, 1, &s->a, &r);
	same("dev alone", "", &r.runtime, &s->a);
}

/* D06 */
static void test_merge(void **state)
{
	struct siblings *s = *state;
	struct scan_result r;
	s->declared[0].runtime = declared("zz,so:liba.so.1,own,own>1,so:libz.so.1", &s->a);
	s->declared[0].provides = declared("own=3,p", &s->a);
	put_elf(&s->trees[0], "opt/libmine.so.5", (struct elfmake){ .soname = "libmine.so.5" });
	run(s->pkgs, 3, 0, &s->a, &r);
	same("merged", "own>1,so:libz.so.1,zz", &r.runtime, &s->a);
	same("merged", "own=3,p,so-ver:liba.so.1=" V ",so:liba.so.1=1", &r.provides, &s->a);
	same("found", "so:libz.so.1", &r.found_runtime, &s->a);
	s->options[0].no_provides = true;
	run(s->pkgs, 3, 0, &s->a, &r);
	same("no-provides", "own=3,p", &r.provides, &s->a);
	same("no-provides", "own>1,so:liba.so.1,so:libz.so.1,zz", &r.runtime, &s->a);
	s->options[0].no_depends = true;
	run(s->pkgs, 3, 0, &s->a, &r);
	same("no-depends", "", &r.found_runtime, &s->a);
	assert_int_equal(r.vendored.n, 2);
	add_file(&s->trees[2], &(struct file){ "usr/bin/c", "#!/bin/bash", 0755, 0 });
	s->options[2].no_commands = true;
	run(s->pkgs, 3, 2, &s->a, &r);
	same("no-commands", "", &r.provides, &s->a);
	same("no-commands", "", &r.runtime, &s->a);
}

static const struct {
	const char *soname;
	struct scan_lib lib;
} known[] = {
	{ "libz.so.1", { { "zlib", 4 }, { "1.3-r1", 6 }, { "1.3-r0", 6 }, { "1.3-r0", 6 } } },
	{ "libnov.so.2", { { "nov", 3 }, { "1-r0", 4 }, { "1-r0", 4 }, { NULL, 0 } } },
	{ "libold.so.3", { { "old", 3 }, { "1-r0", 4 }, { "1-r1", 4 }, { "1-r1", 4 } } },
	{ "ld-linux-x86-64.so.2", { { "glibc", 5 }, { "2-r0", 4 }, { "2-r0", 4 }, { "2-r0", 4 } } },
	{ "libown.so.4", { { "pkg", 3 }, { "0-r0", 4 }, { "0-r0", 4 }, { "0-r0", 4 } } },
};

static bool find_lib(void *user, struct str soname, struct scan_lib *ret)
{
	++*(unsigned *)user;
	for (size_t i = 0; i < countof(known); i++) {
		if (!str_is(soname, known[i].soname))
			continue;
		*ret = known[i].lib;
		return true;
	}
	return false;
}

/* D25 */
static void test_versioned(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct dependencies d = { 0 };
	struct pkg_options o = { 0 };
	struct scan_result r;
	struct tree t;
	unsigned calls = 0;
	const struct scan_libs libs = { find_lib, &calls };
	const struct scan_pkg pkg = { "pkg", V, &t, &o, &d, &libs };
	(void)state;
	tree_init(&t);
	put_elf(&t, "opt/x", (struct elfmake){
		.needed = "libz.so.1 libnov.so.2 ld-linux-x86-64.so.2 libown.so.4 libgone.so.9" });
	run(&pkg, 1, 0, &a, &r);
	same("versioned", "so-ver:libgone.so.9>=" V ",so-ver:libown.so.4>=" V ",so-ver:libz.so.1>=1.3-r0,"
		"so:ld-linux-x86-64.so.2,so:libgone.so.9,so:libnov.so.2,so:libown.so.4,so:libz.so.1",
		&r.runtime, &a);
	assert_int_equal(calls, 4);
	put_elf(&t, "opt/y", (struct elfmake){ .needed = "libold.so.3" });
	assert_false(scan(&pkg, 1, 0, &a, &r, &err));
	assert_non_null(strstr(err.msg, "'old' is installed in version 1-r1, the newest in the indexes "
					"is 1-r0"));
	o.no_versioned_shlib_deps = true;
	calls = 0;
	run(&pkg, 1, 0, &a, &r);
	assert_int_equal(calls, 0);
	assert_int_equal(r.runtime.n, 6);
	tree_release(&t);
}

/* Bytes of a file in boot, made by the tests below. */
static void check_image(const struct buf *b, const char *want)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct dependencies d = { 0 };
	struct scan_result r;
	struct tree t;
	tree_init(&t);
	assert_non_null(tree_put(&t, S("boot/vmlinuz"), buf_str(b), 0644, &err));
	const struct scan_pkg pkg = { .name = "pkg", .version = V, .tree = &t, .declared = &d };
	run(&pkg, 1, 0, &a, &r);
	same("image", want, &r.provides, &a);
	tree_release(&t);
}

static void add_bzimage(struct buf *b)
{
	size_t start = b->n;
	buf_addzero(b, 514);
	buf_adds(b, "HdrS");
	buf_addzero(b, 8);
	buf_add(b, "\x40\x00", 2);
	buf_addzero(b, 0x240 - (b->n - start));
	buf_adds(b, "6.17.7-bz (me) #1");
	buf_addzero(b, 512);
}

static void test_images(void **state)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf b = BUF_INIT(1 << 20), gz = BUF_INIT(1 << 20);
	(void)state;
	add_bzimage(&b);
	check_image(&b, "linux:6.17.7-bz");
	b.p[526] = b.p[527] = (char)0xff;	/* points beyond the end */
	check_image(&b, "");
	buf_clear(&b);
	buf_adds(&b, "junk");
	assert_true(gz_deflate(S("xxLinux version 6.3.4-z y"), 6, &gz, &err));
	buf_add(&b, "\x1f\x8b\x08 no member", 13);
	buf_addstr(&b, buf_str(&gz));
	buf_adds(&b, "behind");
	check_image(&b, "linux:6.3.4-z");
	check_image(&gz, "linux:6.3.4-z");
}

static void test_unified_image(void **state)
{
	auto_buf struct buf b = BUF_INIT(1 << 20);
	(void)state;
	buf_adds(&b, "MZ");
	buf_addzero(&b, 0x3a);
	buf_add(&b, "\x40\0\0\0", 4);
	buf_add(&b, "PE\0\0\x64\x86\x02\0", 8);	/* two sections */
	buf_addzero(&b, 16);			/* no optional header */
	buf_add(&b, ".text\0\0\0", 8);
	buf_addzero(&b, 32);
	buf_add(&b, ".linux\0\0", 8);
	buf_add(&b, "\0\x08\0\0\0\0\0\0\0\x08\0\0\0\x02\0\0", 16);
	buf_addzero(&b, 0x200 - b.n);
	size_t inner = b.n;
	add_bzimage(&b);
	buf_addzero(&b, 0xa00 - b.n);
	check_image(&b, "linux:6.17.7-bz");
	b.n = inner;				/* the section lies beyond the end */
	check_image(&b, "");
}

/* Files on a disk: a hole of 446 MB is no reason to read it, and one that cannot be opened is
 * passed over with a warning. */
static void test_disk(void **state)
{
	char dir[] = "/tmp/test-scan-XXXXXX";
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf b = BUF_INIT(1 << 20);
	const struct import_opts opts = { { -1, -1 }, { -1, -1 }, false };
	const struct elfmake m = { .is64 = true, .machine = 62, .soname = "libbig.so.1" };
	struct dependencies d = { 0 };
	struct scan_result r;
	struct tree t;
	(void)state;
	assert_non_null(mkdtemp(dir));
	auto_fd int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(mkdirat(fd, "lib", 0755), 0);
	elf_make(&m, &b);
	assert_true(file_write(arena_printf(&a, "%s/lib/libbig.so.1", dir), b.p, b.n, 0644, &err));
	assert_int_equal(truncate(arena_printf(&a, "%s/lib/libbig.so.1", dir), 446000000), 0);
	assert_true(file_write(arena_printf(&a, "%s/lib/gone.so.1", dir), b.p, b.n, 0644, &err));
	tree_init(&t);
	assert_true(import_dir(&t, fd, dir, &opts, &err));
	assert_int_equal(unlinkat(fd, "lib/gone.so.1", 0), 0);
	const struct scan_pkg pkg = { .name = "pkg", .version = V, .tree = &t, .declared = &d };
	run(&pkg, 1, 0, &a, &r);
	same("disk", "so-ver:libbig.so.1=" V ",so:libbig.so.1=1", &r.provides, &a);
	assert_int_equal(r.warnings.n, 1);
	assert_non_null(strstr(r.warnings.v[0].p, "'lib/gone.so.1' is left out of the scan"));
	tree_release(&t);
	unlinkat(fd, "lib/libbig.so.1", 0);
	unlinkat(fd, "lib", AT_REMOVEDIR);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_elves),
		cmocka_unit_test_setup_teardown(test_siblings, siblings_open, siblings_close),
		cmocka_unit_test_setup_teardown(test_merge, siblings_open, siblings_close),
		cmocka_unit_test(test_versioned),
		cmocka_unit_test(test_images),
		cmocka_unit_test(test_unified_image),
		cmocka_unit_test(test_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
