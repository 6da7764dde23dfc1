#include "shared/image/ldcache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

#include "shared/base/buf.h"
#include "shared/rootfs/elf.h"
#include "shared/rootfs/tests/elfmake.h"

static struct tree t;

static int make_tree(void **state)
{
	(void)state;
	tree_init(&t);
	return 0;
}

static int drop_tree(void **state)
{
	(void)state;
	tree_release(&t);
	return 0;
}

static struct tree_node *file(const char *path, const char *text)
{
	auto_err struct err err = ERR_INIT;
	struct tree_node *n = tree_put(&t, str_of(path), str_of(text), 0644, &err);
	assert_non_null(n);
	return n;
}

static void library(const char *path, const char *soname, struct elfmake m)
{
	auto_buf struct buf b = BUF_INIT(1 << 20);
	auto_err struct err err = ERR_INIT;
	m.type = m.type ? m.type : ELF_DYN;
	m.soname = soname;
	elf_make(&m, &b);
	assert_non_null(tree_put(&t, str_of(path), buf_str(&b), 0755, &err));
}

static const struct elfmake amd64 = {.is64 = true, .machine = ELF_X86_64, .needed = "libc.so.6"};

static void link_to(const char *path, const char *target)
{
	auto_err struct err err = ERR_INIT;
	assert_non_null(tree_symlink(&t, str_of(path), str_of(target), &err));
}

static bool write_cache(const char *arch, struct err *err)
{
	return ldcache_write(&t, apk_arch_find(str_of(arch)), err);
}

static struct str cache(void)
{
	auto_err struct err err = ERR_INIT;
	struct str bytes;
	const struct tree_node *n = tree_find(&t, S("etc/ld.so.cache"), false);
	assert_non_null(n);
	assert_true(tree_read(n, &t.arena, 1 << 20, &bytes, &err));
	return bytes;
}

static size_t number(struct str s, size_t at, bool big)
{
	size_t n = 0;
	assert_true(at + 4 <= s.n);
	for (size_t i = 0; i < 4; i++)
		n = n << 8 | (uint8_t)s.p[at + (big ? i : 3 - i)];
	return n;
}

/* "flags:path" of each entry in hex; checks that the key is the path's last component. */
static const char *listing(bool big)
{
	struct str s = cache();
	const char *out = "";
	assert_memory_equal(s.p, "glibc-ld.so.cache1.1", 20);
	assert_int_equal(s.n % 16, 0);
	for (size_t i = 0; i < number(s, 20, big); i++) {
		size_t at = 48 + 24 * i, key = number(s, at + 4, big), val = number(s, at + 8, big);
		assert_true(val < key && key < s.n);
		assert_int_equal(s.p[key - 1], '/');
		assert_null(strchr(s.p + key, '/'));
		out = arena_printf(
			&t.arena, "%s%s%zx:%s", out, i ? " " : "", number(s, at, big), s.p + val);
	}
	return out;
}

static void nothing_without_conf(void **state)
{
	auto_err struct err err = ERR_INIT;
	(void)state;
	library("lib/liba.so.1", "liba.so.1", amd64);
	assert_true(write_cache("x86_64", &err));
	assert_null(tree_find(&t, S("etc"), false));
}

static void which_files(void **state)
{
	auto_err struct err err = ERR_INIT;
	struct elfmake program = amd64, m = amd64;
	(void)state;
	program.type = ELF_EXEC;
	file("etc/ld.so.conf", "");
	library("lib/liba.so.1.2", "liba.so.1", amd64);
	link_to("lib/liba.so.1", "liba.so.1.2");
	link_to("lib/liba.so", "/lib/liba.so.1");
	link_to("lib/libgone.so", "nowhere");
	library("lib/libb.so", NULL, amd64);
	library("lib/libb.so.1", NULL, amd64);
	library("lib/plugin.so", "plugin.so", amd64);
	library("lib/libprog.so.1", "libprog.so.1", program);
	library("lib/ld-x.so.2", "ld-x.so.2", amd64);
	library("lib/libtwo.so.2", "libtwo.so.1 libtwo.so.2", amd64);
	file("lib/libscript.so", "GROUP ( libc.so.6 )\n");
	file("lib/libcut.so", "\177ELF\2\1\1");
	m.no_sections = true;
	library("lib/libstripped.so.1", "libstripped.so.1", m);
	assert_true(tree_mkdirs(&t, S("lib/libdir.so"), 0755, &err));
	assert_true(write_cache("x86_64", &err));
	assert_string_equal(listing(false),
		"303:/lib/libtwo.so.2 303:/lib/libstripped.so.1 "
		"303:/lib/libb.so 303:/lib/liba.so.1 303:/lib/liba.so 303:/lib/ld-x.so.2");
}

static void order_of_names(void **state)
{
	static const char *const names[] = {"libz.so.1", "libz10.so.9", "libz10.so.10", "libz9.so",
		"libz.so.01", "libZ.so", "libz.so.1.1"};
	auto_err struct err err = ERR_INIT;
	(void)state;
	file("etc/ld.so.conf", "/x\n");
	for (size_t i = 0; i < countof(names); i++)
		library(arena_printf(&t.arena, "x/%s", names[i]), names[i], amd64);
	library("lib/libz.so.1", "libz.so.1", amd64);
	assert_true(write_cache("x86_64", &err));
	assert_string_equal(listing(false),
		"303:/x/libz10.so.10 303:/x/libz10.so.9 303:/x/libz9.so "
		"303:/x/libz.so.1.1 303:/lib/libz.so.1 303:/x/libz.so.01 303:/x/libz.so.1 "
		"303:/x/libZ.so");
}

static void configuration(void **state)
{
	auto_err struct err err = ERR_INIT;
	(void)state;
	file("etc/ld.so.conf", "# c\n/a # c\n\n/a\nhwcap 0 x\ninclude ld.so.conf.d/*.conf /no/*\n"
			       "/d/../after/\n");
	file("etc/ld.so.conf.d/2.conf", "/two");
	file("etc/ld.so.conf.d/1.conf", "/one\n/missing\n");
	file("etc/ld.so.conf.d/.0.conf", "/hidden\n");
	file("etc/ld.so.conf.d/x.txt", "/text\n");
	static const char *const dirs[] = {"a", "one", "two", "after", "hidden", "text"};
	for (size_t i = 0; i < countof(dirs); i++)
		library(arena_printf(&t.arena, "%s/liba.so", dirs[i]), "liba.so", amd64);
	assert_true(write_cache("x86_64", &err));
	assert_string_equal(listing(false), "303:/a/liba.so 303:/one/liba.so 303:/two/liba.so "
					    "303:/after/liba.so");
}

static void include_cycle(void **state)
{
	auto_err struct err err = ERR_INIT;
	(void)state;
	file("etc/ld.so.conf", "include /etc/ld.so.co*\n");
	assert_false(write_cache("x86_64", &err));
	assert_int_equal(err.kind, EK_PARSE);
}

static void machines(void **state)
{
	static const struct {
		struct elfmake m;
		const char *arch, *want; /* NULL: refused */
	} cases[] = {
		{{.machine = ELF_AARCH64, .is64 = true}, "aarch64", "a03:/lib/liba.so"},
		{{.machine = ELF_386}, "x86", "3:/lib/liba.so"},
		{{.machine = ELF_ARM, .flags = 0x5000400}, "armv7", "903:/lib/liba.so"},
		{{.machine = ELF_ARM, .flags = 0x5000200}, "armhf", "3:/lib/liba.so"},
		{{.machine = ELF_S390, .is64 = true, .big = true}, "s390x", "403:/lib/liba.so"},
		{{.machine = ELF_PPC64, .is64 = true}, "ppc64le", "503:/lib/liba.so"},
		{{.machine = ELF_RISCV, .is64 = true, .flags = 5}, "riscv64", "1003:/lib/liba.so"},
		{{.machine = ELF_LOONGARCH, .is64 = true, .flags = 0x43}, "loongarch64",
			"1203:/lib/liba.so"},
		{{.machine = 8}, "x86_64", NULL},
	};
	(void)state;
	file("etc/ld.so.conf", "");
	for (size_t i = 0; i < countof(cases); i++) {
		auto_err struct err err = ERR_INIT;
		library("lib/liba.so", "liba.so", cases[i].m);
		assert_int_equal(write_cache(cases[i].arch, &err), cases[i].want != NULL);
		if (cases[i].want)
			assert_string_equal(listing(cases[i].m.big), cases[i].want);
		else
			assert_non_null(strstr(err.msg, "mips"));
	}
}

static void keeps_times(void **state)
{
	auto_err struct err err = ERR_INIT;
	(void)state;
	file("etc/ld.so.conf", "");
	file("etc/ld.so.cache", "old")->mtime = 9;
	assert_true(write_cache("x86_64", &err));
	assert_int_equal(tree_find(&t, S("etc/ld.so.cache"), false)->mtime, 9);
	/* Aligned already, yet padded. */
	assert_int_equal(cache().n, 64);
}

/* Rows of the feature checklist (apko 9): I091 I092. */
int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_tree, drop_tree)
	const struct CMUnitTest tests[] = {
		TEST(nothing_without_conf),
		TEST(which_files),
		TEST(order_of_names),
		TEST(configuration),
		TEST(include_cycle),
		TEST(machines),
		TEST(keeps_times),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
