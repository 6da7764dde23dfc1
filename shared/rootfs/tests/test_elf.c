#include "shared/rootfs/elf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/os/fd.h"
#include "shared/rootfs/tests/elfmake.h"
#include "shared/rootfs/tree.h"

static bool from_buf(void *user, void *p, size_t n, uint64_t at, struct err *err)
{
	const struct buf *b = user;
	(void)err;
	assert_true(at <= b->n && n <= b->n - at);
	memcpy(p, b->p + at, n);
	return true;
}

static bool open_buf(struct buf *b, struct arena *a, struct elf *ret, struct err *err)
{
	struct elf_src src = { from_buf, b, b->n };
	return elf_open(&src, a, ret, err);
}

static const char *joined(const struct strs *list, struct arena *a)
{
	const char *out = "";
	for (size_t i = 0; i < list->n; i++)
		out = arena_printf(a, "%s%s%.*s", out, i ? " " : "", STR_ARG(list->v[i]));
	return out;
}

static const struct elfmake kinds[] = {
	{ .type = ELF_DYN, .machine = ELF_X86_64, .is64 = true, .soname = "liba.so.1",
		.needed = "libc.so.6 libm.so.6", .rpath = "/opt", .runpath = "$ORIGIN/../lib" },
	{ .type = ELF_DYN, .machine = ELF_S390, .is64 = true, .big = true, .soname = "liba.so.1",
		.needed = "libc.so.6 libm.so.6", .interp = "/lib/ld64.so.1" },
	{ .type = ELF_DYN, .machine = ELF_ARM, .flags = 0x400, .soname = "a b" },
	{ .type = ELF_EXEC, .machine = 20, .big = true, .needed = "x", .interp = "/lib/ld.so.1" },
	{ .type = ELF_EXEC, .machine = ELF_386 },
};

static void check(const struct elfmake *m, struct arena *a)
{
	auto_buf struct buf b = BUF_INIT(1 << 20);
	auto_err struct err err = ERR_INIT;
	struct elf e;
	elf_make(m, &b);
	if (!open_buf(&b, a, &e, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(e.is64, m->is64);
	assert_int_equal(e.big_endian, m->big);
	assert_int_equal(e.type, m->type);
	assert_int_equal(e.machine, m->machine);
	assert_int_equal(e.flags, m->flags);
	assert_string_equal(joined(&e.soname, a), m->soname ? m->soname : "");
	assert_string_equal(joined(&e.needed, a), m->needed ? m->needed : "");
	assert_string_equal(joined(&e.rpath, a), m->rpath ? m->rpath : "");
	assert_string_equal(joined(&e.runpath, a), m->runpath ? m->runpath : "");
	assert_int_equal(e.has_interp, m->interp && !m->no_segments);
	assert_true(str_is(e.interp, e.has_interp ? m->interp : ""));
	assert_int_equal(e.n_sections, m->no_sections ? 0 : 4);
}

static void reads_kinds(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(kinds); i++) {
		auto_arena struct arena a = ARENA_INIT;
		struct elfmake m = kinds[i];
		check(&m, &a);
		m.no_sections = true;
		check(&m, &a);
		m.no_sections = false;
		m.no_segments = true;
		check(&m, &a);
	}
}

static void sections(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_buf struct buf b = BUF_INIT(1 << 20);
	auto_err struct err err = ERR_INIT;
	struct elf e;
	struct str bytes;
	(void)state;
	elf_make(&kinds[0], &b);
	assert_true(open_buf(&b, &a, &e, &err));
	const struct elf_section *s = elf_section(&e, S(".dynstr"));
	assert_non_null(s);
	assert_null(elf_section(&e, S(".dyn")));
	assert_true(elf_section_read(&e, s, 1, 9, &a, &bytes, &err));
	assert_true(str_is(bytes, "libc.so.6"));
	assert_true(elf_section_read(&e, s, s->size - 2, 9, &a, &bytes, &err));
	assert_int_equal(bytes.n, 2);
	assert_true(elf_section_read(&e, s, s->size + 1, 9, &a, &bytes, &err));
	assert_int_equal(bytes.n, 0);
	e.sections[1].off = b.n - 1;
	assert_false(elf_section_read(&e, s, 0, 9, &a, &bytes, &err));
	assert_int_equal(err.kind, EK_PARSE);
}

static void not_elf(void **state)
{
	static const char *const texts[] = { "", "\177EL", "#!/bin/sh\n",
		"\177elf0123456789abcdef" };
	(void)state;
	for (size_t i = 0; i < countof(texts); i++) {
		auto_arena struct arena a = ARENA_INIT;
		auto_buf struct buf b = BUF_INIT(100);
		auto_err struct err err = ERR_INIT;
		struct elf e;
		buf_adds(&b, texts[i]);
		assert_false(open_buf(&b, &a, &e, &err));
		assert_int_equal(err.kind, EK_NONE);
	}
}

/* A file that ends early is an error wherever it ends. */
static void cut(void **state)
{
	auto_buf struct buf whole = BUF_INIT(1 << 20);
	(void)state;
	elf_make(&kinds[1], &whole);
	for (size_t n = 4; n < whole.n; n++) {
		auto_arena struct arena a = ARENA_INIT;
		auto_buf struct buf b = BUF_INIT(1 << 20);
		auto_err struct err err = ERR_INIT;
		struct elf e;
		buf_add(&b, whole.p, n);
		if (open_buf(&b, &a, &e, &err) || err.kind != EK_PARSE)
			fail_msg("opened at %zu of %zu", n, whole.n);
	}
}

/* Every byte in turn set to its extremes: never a read out of bounds (see from_buf). */
static void damaged(void **state)
{
	(void)state;
	for (size_t kind = 0; kind < countof(kinds); kind++) {
		auto_buf struct buf b = BUF_INIT(1 << 20);
		elf_make(&kinds[kind], &b);
		for (size_t i = 4; i < b.n * 2; i++) {
			auto_arena struct arena a = ARENA_INIT;
			auto_err struct err err = ERR_INIT;
			struct elf e;
			char old = b.p[i / 2];
			b.p[i / 2] = i % 2 ? (char)0xff : 0;
			if (!open_buf(&b, &a, &e, &err))
				assert_true(err.kind == EK_NONE || err.kind == EK_PARSE);
			b.p[i / 2] = old;
		}
	}
}

static void of_a_tree(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_buf struct buf b = BUF_INIT(1 << 20);
	auto_err struct err err = ERR_INIT;
	struct tree t;
	struct elf e;
	struct str bytes;
	char path[] = "/tmp/elf.XXXXXX";
	(void)state;
	elf_make(&kinds[0], &b);
	tree_init(&t);
	struct tree_node *n = tree_put(&t, S("lib/a"), buf_str(&b), 0644, &err);
	assert_true(elf_open_node(n, &a, &e, &err));
	assert_string_equal(joined(&e.soname, &a), "liba.so.1");
	assert_true(elf_section_read(&e, &e.sections[1], 1, 4, &a, &bytes, &err));

	int fd = mkstemp(path);
	assert_true(fd >= 0 && pwrite(fd, b.p, b.n, 7) == (ssize_t)b.n);
	struct blob blob = { .fd = fd, .name = "data" };
	n->body->bytes = NULL;
	n->body->blob = &blob;
	n->body->off = 7;
	assert_true(elf_open_node(n, &a, &e, &err));
	assert_string_equal(joined(&e.needed, &a), "libc.so.6 libm.so.6");

	assert_true(pwrite(fd, b.p, b.n, 0) == (ssize_t)b.n);
	n->body->blob = NULL;
	n->body->dirfd = AT_FDCWD;
	n->body->path = path;
	assert_true(elf_open_node(n, &a, &e, &err));
	assert_string_equal(joined(&e.runpath, &a), "$ORIGIN/../lib");
	assert_false(elf_section_read(&e, &e.sections[1], 1, 4, &a, &bytes, &err));
	close(fd);
	unlink(path);
	assert_false(elf_open_node(n, &a, &e, &err));
	assert_int_equal(err.kind, EK_NOTFOUND);
	tree_release(&t);
}

/* The test program itself is a real one. */
static void itself(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_buf struct buf b = BUF_INIT(256u << 20);
	auto_err struct err err = ERR_INIT;
	struct elf e;
	(void)state;
	assert_true(file_read("/proc/self/exe", &b, &err));
	if (!open_buf(&b, &a, &e, &err))
		fail_msg("%s", err.msg);
	assert_non_null(elf_section(&e, S(".text")));
	assert_true(e.type == ELF_DYN || e.type == ELF_EXEC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_kinds),
		cmocka_unit_test(sections),
		cmocka_unit_test(not_elf),
		cmocka_unit_test(cut),
		cmocka_unit_test(damaged),
		cmocka_unit_test(of_a_tree),
		cmocka_unit_test(itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
