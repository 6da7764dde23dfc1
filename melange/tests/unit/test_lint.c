#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "melange/lint/lint.h"
#include "shared/base/log.h"
#include "shared/rootfs/tests/elfmake.h"
#include "shared/text/jread.h"

/* One linter over a small tree: its findings are read back from the document. */

struct file {
	const char *path;
	unsigned mode;		/* 0: 0644 */
	char type;		/* 0: a file; '2': a link; '5': a directory */
	unsigned size;
};
struct lint_case {
	const char *linter, *pkg;	/* pkg NULL: p */
	struct file files[9];
	const char *tests;		/* uses of test steps */
	const char *message;		/* NULL: nothing found */
	const char *items;		/* paths or names, blank-separated; "note:path" with a note */
};

static const struct lint_case cases[] = {
	/* melange-build 10: N01 N02, N05 with tmpfiles.d, N09 */
	{ "dev", NULL, { { "dev/a", 0, 0, 0 }, { "dev/d", 0, '5', 0 }, { "devx", 0, 0, 0 } }, NULL,
		"p writes to /dev", "dev/a" },
	{ "dev", NULL, { { "usr/dev/a", 0, 0, 0 }, { "dev", 0, '5', 0 } }, NULL, NULL, NULL },
	{ "infodir", NULL, { { "usr/share/info/dir", 0, 0, 0 } }, NULL,
		"p writes to /usr/share/info/dir/", "usr/share/info/dir" },
	{ "infodir", NULL, { { "usr/share/info/dir/x", 0, 0, 0 } }, NULL,
		"p writes to /usr/share/info/dir/", "usr/share/info/dir/x" },
	{ "infodir", NULL, { { "usr/share/info/dirx", 0, 0, 0 } }, NULL, NULL, NULL },
	{ "libtool/la-files", NULL, { { "a.la", 0, 0, 0 }, { "b.la", 0, '5', 0 }, { "c.lax", 0, 0, 0 } },
		NULL, "p contains 1 libtool archive (.la) file. Remove them in the build pipeline; if "
		"this package legitimately needs to ship .la files, disable this linter via "
		"checks.disabled", "a.la" },
	{ "setuidgid", NULL, { { "a", 04755, 0, 0 }, { "b", 06711, 0, 0 }, { "c", 01755, 0, 0 },
		{ "d", 02755, '5', 0 }, { "e", 0755, 0, 0 } }, NULL,
		"p contains 3 files with special permissions (setuid/setgid)", "a b c" },
	{ "worldwrite", NULL, { { "a", 0602, 0, 0 }, { "b", 0777, '2', 0 }, { "c", 0755, 0, 0 } }, NULL,
		"p contains 1 world-writeable file", "a" },
	{ "tempdir", NULL, { { "tmp/a", 0, 0, 0 }, { "var/tmp/x/b", 0, 0, 0 }, { "var/run/y", 0, '5', 0 },
		{ "run/f", 0, 0, 0 }, { "run/x", 0, '5', 0 } }, NULL, "p writes to a temp dir",
		"run/f run/x tmp/a var/run/y var/tmp/x/b" },
	{ "tempdir", NULL, { { "tmp/d", 0, '5', 0 }, { "run/x", 0, '5', 0 },
		{ "usr/lib/tmpfiles.d/a.conf", 0, 0, 0 } }, NULL, NULL, NULL },
	{ "usrmerge", NULL, { { "a", 0, 0, 0 }, { "bin", 0, '2', 0 }, { "usr/a", 0, 0, 0 },
		{ "usr/sbin/b", 0, 0, 0 }, { "lib64", 0, '5', 0 }, { "libx", 0, 0, 0 } }, NULL,
		"Package contains paths in violation of usrmerge:", "bin lib64 usr/sbin usr/sbin/b" },
	{ "varempty", NULL, { { "var/empty/a", 0, 0, 0 } }, NULL, "p writes to /var/empty",
		"var/empty/a" },
	{ "varempty", NULL, { { "var/empty", 0, '5', 0 } }, NULL, NULL, NULL },
	{ "cudaruntimelib", NULL, { { "usr/lib/libcuda.so", 0, 0, 0 },
		{ "usr/lib/libnvidia-ml.so.1.2", 0, 0, 0 }, { "usr/lib/libcudart.so.1", 0, 0, 0 },
		{ "usr/lib/x/libcuda.so", 0, 0, 0 }, { "usr/lib/libcuda.so.so", 0, 0, 0 } }, NULL,
		"p contains CUDA driver-specific libraries",
		"usr/lib/libcuda.so usr/lib/libnvidia-ml.so.1.2" },
	{ "dll", NULL, { { "a.dll", 0, 0, 0 }, { "b.dll", 0, 0, 0 }, { "C.DLL", 0, 0, 0 } }, NULL,
		"p contains 2 DLL files", "a.dll b.dll" },
	{ "dll", "p-dev", { { "a.dll", 0, 0, 0 } }, NULL, NULL, NULL },
	{ "dylib", NULL, { { "a.dylib", 0, 0, 0 } }, NULL, "p contains 1 dylib file", "a.dylib" },
	{ "lddcheck", NULL, { { "a.so", 0, 0, 0 }, { "b.so.1.22", 0, '2', 0 }, { "c.so.1x", 0, 0, 0 },
		{ "d.so5", 0, 0, 0 }, { "e.so.x.so.3", 0, 0, 0 }, { "f.so..1", 0, 0, 0 },
		{ "5", 0, 0, 0 } }, NULL,
		"p contains shared objects but test/ldd-check is not configured",
		"a.so b.so.1.22 e.so.x.so.3" },
	{ "lddcheck", NULL, { { "a.so", 0, 0, 0 } }, "x test/tw/ldd-check", NULL, NULL },
	{ "pkgconf", NULL, { { "usr/lib/pkgconfig/a", 0, 0, 0 }, { "usr/share/pkgconfig/b.pc", 0, 0, 0 },
		{ "usr/lib64/pkgconfig/c.pc", 0, 0, 0 } }, "test/ldd-check",
		"p contains pkgconfig files but test/pkgconf is not configured",
		"usr/lib/pkgconfig/a usr/share/pkgconfig/b.pc" },
	{ "pkgconf", NULL, { { "usr/lib/pkgconfig/a", 0, 0, 0 } }, "test/pkgconf", NULL, NULL },
	{ "maninfo", NULL, { { "usr/share/man/man1/a.1", 0, 0, 0 }, { "usr/man/b.8.gz", 0, 0, 0 },
		{ "usr/local/share/man/man3/d.3", 0, 0, 0 }, { "usr/share/info/c.info-1", 0, 0, 0 },
		{ "usr/share/info/dir", 0, 0, 0 }, { "usr/share/man/man1/x", 0, 0, 0 },
		{ "usr/share/info/y", 0, 0, 0 }, { "usr/share/man/man2", 0, '5', 0 } }, NULL,
		"p contains 5 man/info files but is not a documentation package",
		"usr/local/share/man/man3/d.3 usr/man/b.8.gz usr/share/info/c.info-1 usr/share/info/dir "
		"usr/share/man/man1/a.1" },
	{ "maninfo", "p-doc", { { "usr/man/b.8", 0, 0, 0 } }, NULL, NULL, NULL },
	{ "nonlinux", NULL, { { "Darwin-x/f", 0, 0, 0 }, { "a_OS-X", 0, 0, 0 }, { "q/Windows.h", 0, 0, 0 },
		{ "win", 0, 0, 0 }, { "macos", 0, '5', 0 } }, NULL, "p contains 3 non-Linux reference(s)",
		"macos:Darwin-x/f macos:a_OS-X windows:q/Windows.h" },
	{ "object", NULL, { { "a.o", 0, 0, 0 }, { "b.lo", 0, 0, 0 } }, NULL,
		"p contains 1 intermediate object file. This is usually wrong. In most cases they "
		"should be removed", "a.o" },
	{ "opt", NULL, { { "opt/a", 0, 0, 0 } }, NULL, "p writes to /opt", "opt/a" },
	{ "opt", "p-compat", { { "opt/a", 0, 0, 0 } }, NULL, NULL, NULL },
	{ "srv", NULL, { { "srv/a/b", 0, '2', 0 } }, NULL, "p writes to /srv", "srv/a/b" },
	{ "usrlocal", NULL, { { "usr/local/a", 0, 0, 0 } }, NULL,
		"p contains /usr/local path in non-compat package", "usr/local/a" },
	{ "sbom", NULL, { { "var/lib/db/sbom/x.json", 0, 0, 0 }, { "var/lib/db/sbom/y.spdx.json", 0, 0, 0 },
		{ "var/lib/db/sbom/d/z", 0, 0, 0 } }, NULL, "p writes to var/lib/db/sbom",
		"var/lib/db/sbom/x.json" },
	{ "staticarchive", NULL, { { "a.a", 0, 0, 0 }, { "b.A", 0, 0, 0 } }, NULL,
		"p contains 1 static archive. Static archives bloat packages and should typically be in "
		"-dev packages or removed", "a.a" },
	{ "staticarchive", "p-static", { { "a.a", 0, 0, 0 } }, NULL, NULL, NULL },
	{ "unsupportedarch", NULL, { { "usr/lib/i386/f", 0, 0, 0 }, { "usr/ppc64le-x/g", 0, 0, 0 },
		{ "a-s390x.so", 0, 0, 0 }, { "b_mips_c", 0, 0, 0 }, { "c.riscv64", 0, 0, 0 },
		{ "x86_64-i686.txt", 0, 0, 0 }, { "i386", 0, 0, 0 }, { "a-mips_b", 0, 0, 0 },
		{ "plain-armv7", 0, 0, 0 } }, NULL, "p contains 5 unsupported architecture reference(s)",
		"s390x:a-s390x.so mips:b_mips_c riscv64:c.riscv64 i386:usr/lib/i386/f "
		"ppc64:usr/ppc64le-x/g" },
	{ "documentation", NULL, { { "README", 0, 0, 0 }, { "READ.ME", 0, 0, 0 }, { "a.md", 0, 0, 0 },
		{ "z.1p", 0, 0, 0 }, { "x.docx", 0, 0, 0 }, { "notes", 0, 0, 0 }, { "a.1", 0, 0, 0 } }, NULL,
		"p contains 5 documentation files but is not a documentation package",
		"READ.ME README a.md x.docx z.1p" },
	{ "empty", NULL, { { "var/lib/db/sbom/x.spdx.json", 0, 0, 0 }, { "d", 0, '5', 0 } }, NULL,
		"package is empty but no-provides is not set", "" },
	{ "empty", NULL, { { "a", 0, '2', 0 } }, NULL, NULL, NULL },
	{ "python/docs", NULL, { { "usr/lib/python3.12/site-packages/docs/x", 0, 0, 0 } }, NULL,
		"docs directory encountered in Python site-packages directory", "" },
	{ "python/test", NULL, { { "usr/lib/python3.12/site-packages/test", 0, 0, 0 } }, NULL,
		"test directory encountered in Python site-packages directory", "" },
	{ "python/test", NULL, { { "usr/lib/python3.12/x", 0, 0, 0 }, { "usr/lib/python3.9/x", 0, 0, 0 } },
		NULL, "multiple Python versions detected: 2 found (\"python3.12\", \"python3.9\")", "" },
	{ "python/test", NULL, { { "usr/lib/python3.12/site-packages/a/test", 0, 0, 0 } }, NULL, NULL,
		NULL },
	{ "python/multiple", NULL, { { "usr/lib/python3.12/site-packages/aaa/x", 0, 0, 0 },
		{ "usr/lib/python3.12/site-packages/aaa.py", 0, 0, 0 },
		{ "usr/lib/python3.12/site-packages/b.py", 0, 0, 0 },
		{ "usr/lib/python3.12/site-packages/_c", 0, 0, 0 },
		{ "usr/lib/python3.12/site-packages/tests", 0, 0, 0 },
		{ "usr/lib/python3.12/site-packages/d-1.dist-info/x", 0, 0, 0 } }, NULL,
		"multiple Python packages detected: 2 found (\"aaa\", \"b\")", "\"aaa\" \"b\"" },
	{ "python/multiple", NULL, { { "usr/lib/python3.12/site-packages/aaa/x", 0, 0, 0 },
		{ "usr/lib/python3.12/site-packages/aaa.py", 0, 0, 0 } }, NULL, NULL, NULL },
	{ "duplicate", NULL, { { "a/same", 0, 0, 2000 }, { "b/same", 0, 0, 2000 },
		{ "c/d/same", 0, 0, 2000 }, { "a/small", 0, 0, 1023 }, { "b/small", 0, 0, 1023 },
		{ "a/LICENSE", 0, 0, 2000 }, { "b/LICENSE", 0, 0, 2000 }, { "a/other", 0, 0, 2000 },
		{ "b/other", 0, 0, 2001 } }, NULL,
		"p contains 1 duplicate file(s) with same name in different directories (wasting 4.0 kB "
		"total):", "same" },
};

static void add_file(struct tree *t, const struct file *f, struct arena *a)
{
	auto_err struct err err = ERR_INIT;
	struct tree_node *n;
	if (f->type == '5')
		n = tree_mkdirs(t, str_of(f->path), 0755, &err);
	else if (f->type == '2')
		n = tree_symlink(t, str_of(f->path), S("nowhere"), &err);
	else
		n = tree_put(t, str_of(f->path), str_n(arena_alloc(a, f->size + 1), f->size),
			f->mode ? f->mode : 0644, &err);
	if (!n)
		fail_msg("%s: %s", f->path, err.msg);
	if (f->mode)
		n->mode = f->mode;
}

static struct strs words(const char *text, struct arena *a)
{
	struct strs out = { 0 };
	struct str rest = str_of(text), word;
	while (str_word(&rest, &word))
		strs_push(a, &out, word);
	return out;
}

/* The document of one linter, run as a warning; empty if it found nothing. */
static struct str document(struct tree *t, const char *pkg, const char *linter, const char *tests,
	struct arena *a)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf json = BUF_INIT(1 << 20);
	struct strs warn = words(linter, a), none = { 0 }, uses = words(tests, a);
	const struct lint_req req = { .pkg = pkg, .version = "1-r0", .arch = "x86_64", .tree = t,
		.require = &none, .warn = &warn, .disabled = &none, .test_uses = &uses };
	if (!lint_package(&req, a, &json, &err))
		fail_msg("%s", err.msg);
	return arena_str(a, buf_str(&json));
}

/* Items of a finding: the last member of its details is the list. */
static const char *items(const struct jval *finding, struct arena *a)
{
	const struct jval *details = jget(finding, "details");
	const char *out = "";
	if (!details)
		return out;
	const struct jval *list = details->members[details->n - 1].val;
	assert_int_equal(list->kind, JS_ARRAY);
	for (size_t i = 0; i < list->n; i++) {
		const struct jval *v = list->items[i];
		struct str path = v->kind == JS_STR ? v->s : jget_str(v, "path"), note = S("");
		if (path.n == 0)
			path = jget_str(v, "basename");
		if (jget_str(v, "platform").n)
			note = jget_str(v, "platform");
		else if (jget_str(v, "arch").n)
			note = jget_str(v, "arch");
		out = arena_printf(a, "%s%s%.*s%s%.*s", out, i ? " " : "", STR_ARG(note),
			note.n ? ":" : "", STR_ARG(path));
	}
	return out;
}

static void check_document(const struct lint_case *c, const char *what, struct str json,
	struct arena *a)
{
	auto_err struct err err = ERR_INIT;
	struct jval *doc;
	if (!c->message) {
		if (json.n)
			fail_msg("%s: found %.*s", what, STR_ARG(json));
		return;
	}
	if (!json.n)
		fail_msg("%s: nothing found", what);
	if (!jread(json, what, a, &doc, &err))
		fail_msg("%s", err.msg);
	const struct jval *list = jget(jget(doc, "findings"), c->linter);
	assert_non_null(list);
	assert_int_equal(list->n, 1);
	struct str message = jget_str(list->items[0], "message");
	if (!str_is(message, c->message))
		fail_msg("%s: message '%.*s'", what, STR_ARG(message));
	if (strcmp(items(list->items[0], a), c->items) != 0)
		fail_msg("%s: items '%s'", what, items(list->items[0], a));
	assert_true(jget_str(list->items[0], "explain").n > 10);
}

static void test_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		const struct lint_case *c = &cases[i];
		auto_arena struct arena a = ARENA_INIT;
		struct tree t;
		tree_init(&t);
		for (size_t k = 0; k < countof(c->files) && c->files[k].path; k++)
			add_file(&t, &c->files[k], &a);
		const char *what = arena_printf(&a, "case %zu (%s)", i, c->linter);
		check_document(c, what, document(&t, c->pkg ? c->pkg : "p", c->linter, c->tests, &a),
			&a);
		tree_release(&t);
	}
}

static void put_elf(struct tree *t, const char *path, unsigned mode, unsigned machine,
	const char *debug, size_t cut)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf b = BUF_INIT(1 << 20);
	const struct elfmake m = { .is64 = true, .machine = (uint16_t)machine, .soname = "x" };
	elf_make(&m, &b);
	/* The maker's section names, one of them replaced by another of the same length. */
	char *name = memmem(b.p, b.n, ".dynstr", 7);
	assert_non_null(name);
	if (debug)
		memcpy(name, debug, 7);
	if (!tree_put(t, str_of(path), str_sub(buf_str(&b), 0, cut ? cut : b.n), mode, &err))
		fail_msg("%s", err.msg);
}

static void test_binaries(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct lint_case arch = { .linter = "binaryarch",
		.message = "p contains 4 binaries compiled for unsupported architecture(s)",
		.items = "unknown (EM_ALPHA_STD+4619):odd i386:usr/bin/a riscv:usr/lib/b.so arm:usr/lib/c.a" };
	/* N08 */
	struct lint_case strip = { .linter = "strip", .message = "p contains 2 unstripped binaries",
		.items = "usr/bin/dbg usr/bin/zdbg" };
	struct tree t;
	(void)state;
	tree_init(&t);
	put_elf(&t, "usr/bin/a", 0755, 3, NULL, 0);
	put_elf(&t, "usr/lib/b.so", 0644, 243, NULL, 0);
	put_elf(&t, "usr/lib/c.a", 0644, 40, NULL, 0);
	put_elf(&t, "usr/lib/plain", 0644, 3, ".debug_", 0);
	put_elf(&t, "odd", 0755, 0x1234, NULL, 0);
	put_elf(&t, "usr/bin/x", 0755, 62, NULL, 0);
	put_elf(&t, "usr/bin/y", 0755, 183, NULL, 0);
	put_elf(&t, "var/lib/db/sbom/z", 0755, 3, ".debug_", 0);
	check_document(&arch, "binaryarch", document(&t, "p", "binaryarch", NULL, &a), &a);
	assert_int_equal(document(&t, "p", "strip", NULL, &a).n, 0);
	put_elf(&t, "usr/bin/dbg", 0755, 62, ".debug_", 0);
	put_elf(&t, "usr/bin/zdbg", 0755, 62, ".zdebug", 0);
	check_document(&strip, "strip", document(&t, "p", "strip", NULL, &a), &a);
	put_elf(&t, "usr/bin/cut", 0755, 62, NULL, 60);
	assert_non_null(strstr(document(&t, "p", "strip", NULL, &a).p,
		"could not open file \\\"usr/bin/cut\\\" as executable: EOF"));
	tree_release(&t);
}

/* Names of one inode are no copies. */
static void test_hard_links(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct tree t;
	(void)state;
	tree_init(&t);
	add_file(&t, &(struct file){ "a/same", 0, 0, 5000 }, &a);
	struct tree_node *n = tree_put(&t, S("b/same"), S(""), 0644, &err);
	tree_share(n, tree_find(&t, S("a/same"), false));
	assert_int_equal(document(&t, "p", "duplicate", NULL, &a).n, 0);
	add_file(&t, &(struct file){ "c/same", 0, 0, 5000 }, &a);
	const char *doc = document(&t, "p", "duplicate", NULL, &a).p;
	assert_non_null(strstr(doc, "\"count\": 2"));
	assert_non_null(strstr(doc, "\"size\": \"5.0 kB\""));
	tree_release(&t);
}

static const char expected[] = "{\n"
	"  \"package_name\": \"p-1-r0\",\n"
	"  \"findings\": {\n"
	"    \"duplicate\": [\n"
	"      {\n"
	"        \"message\": \"p contains 1 duplicate file(s) with same name in different "
	"directories (wasting 83 MB total):\",\n"
	"        \"explain\": \"This package contains files with the same name and content in "
	"different directories (consider symlinking)\",\n"
	"        \"details\": {\n"
	"          \"total_duplicate_sets\": 1,\n"
	"          \"total_wasted_bytes\": 82854982,\n"
	"          \"total_wasted_size\": \"83 MB\",\n"
	"          \"duplicates\": [\n"
	"            {\n"
	"              \"basename\": \"f\",\n"
	"              \"count\": 2,\n"
	"              \"size_bytes\": 82854982,\n"
	"              \"size\": \"83 MB\",\n"
	"              \"wasted_bytes\": 82854982,\n"
	"              \"wasted_size\": \"83 MB\",\n"
	"              \"paths\": [\n"
	"                \"a/f\",\n"
	"                \"b/f\"\n"
	"              ]\n"
	"            }\n"
	"          ]\n"
	"        }\n"
	"      }\n"
	"    ],\n"
	"    \"setuidgid\": [\n"
	"      {\n"
	"        \"message\": \"p contains 1 file with special permissions (setuid/setgid)\",\n"
	"        \"explain\": \"Unset the setuid/setgid bit on the relevant files, or remove this "
	"linter\",\n"
	"        \"details\": {\n"
	"          \"files\": [\n"
	"            {\n"
	"              \"path\": \"a/f\",\n"
	"              \"mode\": \"6755\",\n"
	"              \"permissions\": [\n"
	"                \"setuid\",\n"
	"                \"setgid\"\n"
	"              ]\n"
	"            }\n"
	"          ]\n"
	"        }\n"
	"      }\n"
	"    ]\n"
	"  }\n"
	"}";

static void test_document(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct tree t;
	(void)state;
	tree_init(&t);
	add_file(&t, &(struct file){ "a/f", 06755, 0, 82854982 }, &a);
	add_file(&t, &(struct file){ "b/f", 0, 0, 82854982 }, &a);
	assert_string_equal(document(&t, "p", "setuidgid duplicate", NULL, &a).p, expected);
	tree_release(&t);
}

/* Which linters run, and what ends the build. The tree has a finding for dev, varempty, opt. */
static const struct {
	const char *require, *warn, *disabled;	/* NULL: the defaults */
	const char *error;			/* NULL: it passes */
	const char *found;			/* linters in the document */
} sets[] = {
	{ NULL, NULL, "", "unable to lint package p: linter \"dev\" failed: p writes to /dev\n"
		"linter \"varempty\" failed: p writes to /var/empty", "dev opt varempty" },
	{ NULL, NULL, "dev", "unable to lint package p: linter \"varempty\" failed: p writes to "
		"/var/empty", "dev opt varempty" },
	{ NULL, NULL, "varempty dev empty", NULL, "dev opt varempty" },
	{ "", NULL, "", NULL, "opt" },
	{ "", "", "", NULL, "" },
	{ "opt", "", "", "unable to lint package p: linter \"opt\" failed: p writes to /opt", "opt" },
	{ "opt", "opt", "", "unable to lint package p: linter \"opt\" failed: p writes to /opt",
		"opt opt" },
	{ "nonesuch", NULL, "", "unable to lint package p: unknown linter: \"nonesuch\"", "" },
	{ NULL, "nonesuch", "", "unable to lint package p: unknown linter: \"nonesuch\"", "" },
	{ NULL, NULL, "worldwrit", "unable to lint package p: unknown linter: \"worldwrit\"\n"
		"hint: did you mean \"worldwrite\"?", "" },
	{ "usrmerge", "", "", "unable to lint package p: linter \"usrmerge\" failed: Package contains "
		"paths in violation of usrmerge:\nbin\nbin/x", "usrmerge" },
};

static const char *found_linters(struct str json, struct arena *a)
{
	auto_err struct err err = ERR_INIT;
	struct jval *doc;
	const char *out = "";
	if (json.n == 0)
		return out;
	if (!jread(json, "document", a, &doc, &err))
		fail_msg("%s", err.msg);
	const struct jval *f = jget(doc, "findings");
	for (size_t i = 0; i < f->n; i++)
		for (size_t k = 0; k < f->members[i].val->n; k++)
			out = arena_printf(a, "%s%s%.*s", out, *out ? " " : "",
				STR_ARG(f->members[i].key));
	return out;
}

static void test_sets(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	struct tree t;
	(void)state;
	tree_init(&t);
	add_file(&t, &(struct file){ "dev/x", 0, 0, 0 }, &a);
	add_file(&t, &(struct file){ "opt/x", 0, 0, 0 }, &a);
	add_file(&t, &(struct file){ "var/empty/x", 0, 0, 0 }, &a);
	for (size_t i = 0; i < countof(sets); i++) {
		auto_err struct err err = ERR_INIT;
		auto_buf struct buf json = BUF_INIT(1 << 20);
		struct strs require = words(sets[i].require, &a), warn = words(sets[i].warn, &a),
			disabled = words(sets[i].disabled, &a);
		const struct lint_req req = { .pkg = "p", .version = "1-r0", .arch = "x86_64",
			.tree = &t, .require = sets[i].require ? &require : NULL,
			.warn = sets[i].warn ? &warn : NULL, .disabled = &disabled };
		if (sets[i].require && strcmp(sets[i].require, "usrmerge") == 0)
			add_file(&t, &(struct file){ "bin/x", 0, 0, 0 }, &a);
		bool ok = lint_package(&req, &a, &json, &err);
		assert_string_equal(ok ? "" : err.msg, sets[i].error ? sets[i].error : "");
		assert_string_equal(found_linters(buf_str(&json), &a), sets[i].found);
	}
	tree_release(&t);
}

/* The document's file is named after these. */
static void test_names(void **state)
{
	/* X21 of melange-build 8 */
	static const char *const bad[][3] = { { "../p", "1", "x86_64" }, { "p", "1/2", "x86_64" },
		{ "p", "1", ".." } };
	auto_arena struct arena a = ARENA_INIT;
	struct tree t;
	(void)state;
	tree_init(&t);
	for (size_t i = 0; i < countof(bad); i++) {
		auto_err struct err err = ERR_INIT;
		auto_buf struct buf json = BUF_INIT(1 << 20);
		const struct lint_req req = { .pkg = bad[i][0], .version = bad[i][1],
			.arch = bad[i][2], .tree = &t };
		assert_true(lint_package(&req, &a, NULL, &err));
		assert_false(lint_package(&req, &a, &json, &err));
		assert_non_null(strstr(err.msg, "path traversal"));
	}
	tree_release(&t);
}

static void test_defaults(void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	(void)state;
	struct strs must = lint_defaults(true, &a), may = lint_defaults(false, &a);
	assert_int_equal(must.n, 8);
	assert_int_equal(may.n, 20);
	assert_true(str_is(must.v[0], "dev") && str_is(must.v[7], "worldwrite"));
	assert_true(str_is(may.v[0], "binaryarch") && str_is(may.v[19], "usrlocal"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_binaries),
		cmocka_unit_test(test_hard_links),
		cmocka_unit_test(test_document),
		cmocka_unit_test(test_sets),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_defaults),
	};
	log_setup(LOG_ERROR, 2);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
