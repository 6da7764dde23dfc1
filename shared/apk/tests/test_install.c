#include "shared/apk/install.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "shared/base/buf.h"

/* Small packages put into an empty tree: what the tree and the database hold afterwards, or why
 * they do not go together. */

struct file {
	const char *name;
	char type;
	const char *text;	/* content, or where a link leads */
	uint32_t mode;
	int64_t uid, gid;
	const char *capability;	/* security.capability */
};
struct package {
	const char *name, *origin, *replaces;
	struct file files[8];
};

#define D(path, m) { .name = path, .type = '5', .mode = m }
#define F(path, t, m) { .name = path, .type = '0', .text = t, .mode = m }
#define L(path, t) { .name = path, .type = '2', .text = t, .mode = 0777 }
#define H(path, t) { .name = path, .type = '1', .text = t }

static const struct row {
	const char *what;
	struct package a, b;
	const char *error;	/* NULL: they go together */
	const char *tree;	/* "TYPE MODE PATH[=LINK] OWNER", directories without owner */
	const char *db;		/* of both, from the first F: line on */
} rows[] = {
	{ "apart", { "a", "a", "", { D("etc", 0755), F("etc/a", "1", 0644) } },
	  { "b", "b", "", { D("etc", 0755), F("etc/b", "2", 0600) } },
	  .tree = "5 755 etc -\n0 644 etc/a a\n0 600 etc/b b\n",
	  .db = "F:etc\nR:a\nZ:Q1NWoZK3kTsExUV00Ywo1G5jlUKKs=\n\n"
		"F:etc\nR:b\na:0:0:0600\nZ:Q12kuSN7rMzfGcB2DKt67EqDWQELA=\n\n" },
	{ "conflict", { "a", "oa", "", { F("x", "1", 0644) } },
	  { "b", "ob", "", { F("x", "2", 0644) } },
	  .error = "packages map[a:oa b:ob] have a conflicting file: \"x\"" },
	{ "no origins", { "a", "", "", { F("x", "1", 0644) } },
	  { "b", "", "", { F("x", "2", 0644) } }, .error = "have a conflicting file: \"x\"" },
	{ "same content", { "a", "oa", "", { F("x", "1", 0644) } },
	  { "b", "ob", "", { F("x", "1", 0644) } },
	  .tree = "0 644 x a\n", .db = "F:\nR:x\nZ:Q1NWoZK3kTsExUV00Ywo1G5jlUKKs=\n\n\n" },
	{ "same content, other mode", { "a", "oa", "", { F("x", "1", 0644) } },
	  { "b", "ob", "", { F("x", "1", 0755) } }, .error = "(same content, other mode)" },
	{ "later replaces", { "a", "oa", "", { F("x", "1", 0644) } },
	  { "b", "ob", "a", { F("x", "2", 0644) } },
	  .tree = "0 644 x b\n", .db = "\nF:\nR:x\nZ:Q12kuSN7rMzfGcB2DKt67EqDWQELA=\n\n" },
	{ "earlier replaces", { "a", "oa", "b", { F("x", "1", 0644) } },
	  { "b", "ob", "", { F("x", "2", 0644) } },
	  .tree = "0 644 x a\n", .db = "F:\nR:x\nZ:Q1NWoZK3kTsExUV00Ywo1G5jlUKKs=\n\n\n" },
	{ "replaces this version", { "a", "oa", "", { F("x", "1", 0644) } },
	  { "b", "ob", "a<2", { F("x", "2", 0644) } }, .tree = "0 644 x b\n" },
	{ "replaces another version", { "a", "oa", "", { F("x", "1", 0644) } },
	  { "b", "ob", "a<1", { F("x", "2", 0644) } }, .error = "conflicting file" },
	{ "same origin", { "a", "o", "", { F("x", "1", 0644) } },
	  { "b", "o", "", { F("x", "2", 0644) } }, .tree = "0 644 x b\n" },
	{ "shared directory keeps its mode", { "a", "", "", { D("d", 0700) } },
	  { "b", "", "", { D("d", 0755) } },
	  .tree = "5 700 d -\n", .db = "F:d\nM:0:0:0700\n\nF:d\n\n" },
	{ "file over directory", { "a", "", "", { D("d", 0755) } },
	  { "b", "", "", { F("d", "1", 0644) } }, .error = "'d' is a directory already" },
	{ "directory over file", { "a", "", "", { F("d", "1", 0644) } },
	  { "b", "", "", { D("d", 0755) } }, .error = "the directory 'd' is a file already" },
	{ "beneath a file", { "a", "", "", { F("d", "1", 0644) } },
	  { "b", "", "", { F("d/x", "1", 0644) } }, .error = "the directory of 'd/x' is a file" },
	{ "merged usr", { "a", "", "", { D("usr", 0755), D("usr/lib", 0755), L("lib", "usr/lib") } },
	  { "b", "", "", { D("lib", 0755), F("lib/x", "1", 0755) } },
	  .tree = "2 777 lib=usr/lib a\n5 755 usr -\n5 755 usr/lib -\n0 755 usr/lib/x b\n" },
	{ "a link out of the tree", { "a", "", "", { L("out", "../../..") } },
	  { "b", "", "", { F("out/x", "1", 0644) } },
	  .tree = "2 777 out=../../.. a\n0 644 x b\n" },
	{ "a link in a circle", { "a", "", "", { L("l", "l") } },
	  { "b", "", "", { F("l/x", "1", 0644) } }, .error = "" },
	{ "hard links", { "a", "", "", { F("x", "1", 04755), H("y", "x") } },
	  { "b", "", "", { F("z", "1", 0644) } },
	  .tree = "0 4755 x a 2\n0 4755 y a 2\n0 644 z b\n" },
	{ "hard link to nothing", { "a", "", "", { H("y", "x") } },
	  { "b", "", "", { F("z", "1", 0644) } }, .error = "no hard link target 'x' for 'y'" },
	{ "setgid and sticky directories", { "a", "", "", { D("d", 02755), D("t", 01777) } },
	  { "b", "", "", { F("s", "1", 06755) } },
	  .tree = "5 755 d -\n0 6755 s b\n5 777 t -\n" },
	{ "capability", { "a", "", "", { { "ping", '0', "1", 0755, 0, 0, "cap" } } },
	  { "b", "", "", { F("z", "1", 0644) } },
	  .tree = "0 755 ping a security.capability=cap\n0 644 z b\n" },
	{ "owners only in the database", { "a", "", "", { { "x", '0', "1", 0640, 0, 42, NULL } } },
	  { "b", "", "", { { "d", '5', NULL, 0750, 7, 8, NULL } } },
	  .tree = "5 750 d -\n0 640 x a\n",
	  .db = "F:\nR:x\na:0:42:0640\nZ:Q1NWoZK3kTsExUV00Ywo1G5jlUKKs=\n\nF:d\nM:7:8:0750\n\n" },
	{ "row 34, fifo", { "a", "", "", { { "p", '6', NULL, 0600, 0, 0, NULL } } },
	  { "b", "", "", { F("z", "1", 0644) } },
	  .error = "package 'a': unsupported file type: 'p' is a fifo" },
	{ "row 34, device", { "a", "", "", { { "null", '3', NULL, 0600, 0, 0, NULL } } },
	  { "b", "", "", { F("z", "1", 0644) } },
	  .error = "package 'a': unsupported file type: 'null' is a device node" },
	{ "no entry for the directory", { "a", "", "", { F("no/such/x", "1", 0644) } },
	  { "b", "", "", { F("z", "1", 0644) } },
	  .tree = "5 755 no -\n5 755 no/such -\n0 644 no/such/x a\n0 644 z b\n" },
};

static void make_entry(const struct file *f, struct arena *a, struct apk_entry *e)
{
	struct str text = str_of(f->text);

	*e = (struct apk_entry){ .name = str_of(f->name), .type = f->type, .mode = f->mode,
		.uid = f->uid, .gid = f->gid, .mtime = 1 };
	if (f->type == '0' || f->type == '2') {
		digest_once(DIGEST_SHA1, text.p, text.n, e->sha1);
		e->has_sha1 = true;
	}
	if (f->type == '0')
		e->size = text.n;
	else
		e->link = text;
	if (f->capability) {
		e->xattrs = arena_new(a, struct tree_xattr);
		*e->xattrs = (struct tree_xattr){ S("security.capability"),
			str_of(f->capability) };
		e->n_xattrs = 1;
	}
}

static void make_package(const struct package *p, struct arena *a, struct apk_file *f)
{
	*f = (struct apk_file){ .info = { .name = str_of(p->name), .version = S("1-r0"),
		.arch = S("x86_64"), .origin = str_of(p->origin),
		.replaces = str_of(p->replaces) }, .data.fd = -1 };
	f->entries = arena_array(a, struct apk_entry, countof(p->files));
	while (f->n_entries < countof(p->files) && p->files[f->n_entries].name) {
		make_entry(&p->files[f->n_entries], a, &f->entries[f->n_entries]);
		f->n_entries++;
	}
}

static bool show(struct tree_node *n, struct str path, void *user, struct err *err)
{
	struct buf *out = user;
	const struct apk_file *owner = n->owner;

	(void)err;
	if (str_eq(path, S("usr/lib/apk")) || str_starts(path, S("usr/lib/apk/")))
		return true;
	assert_true(n->uid == 0 && n->gid == 0);
	buf_printf(out, "%c %o %.*s", n->type, n->mode, STR_ARG(path));
	if (n->type == '2')
		buf_printf(out, "=%.*s", STR_ARG(n->link));
	if (n->type == '5')
		buf_adds(out, " -");
	else
		buf_printf(out, " %.*s", STR_ARG(owner->info.name));
	if (n->type == '0' && n->body->links > 1)
		buf_printf(out, " %u", n->body->links);
	for (size_t i = 0; i < n->n_xattrs; i++)
		buf_printf(out, " %.*s=%.*s", STR_ARG(n->xattrs[i].name),
			STR_ARG(n->xattrs[i].val));
	buf_addc(out, '\n');
	return true;
}

/* The lines of both records that tell of directories and files. */
static void show_db(const struct install_result *r, struct buf *out)
{
	for (size_t i = 0; i < r->n; i++) {
		long at = str_find(r->records[i].text, S("\nF:"));
		struct str rest = at < 0 ? S("\n")
					 : str_from(r->records[i].text, (size_t)at + 1);
		buf_addstr(out, rest);
	}
}

static void empty_database(struct tree *t)
{
	static const char *const names[] = { "usr/lib/apk/db/installed",
		"usr/lib/apk/db/triggers" };
	auto_err struct err err = ERR_INIT;

	for (size_t i = 0; i < countof(names); i++)
		assert_non_null(tree_put(t, str_of(names[i]), STR_NONE, 0644, &err));
}

static void check(const struct row *r, struct tree *t, const struct install_result *res)
{
	auto_buf struct buf tree = BUF_INIT(1 << 20), db = BUF_INIT(1 << 20);
	auto_err struct err err = ERR_INIT;
	auto_arena struct arena a = ARENA_INIT;
	struct str text;

	assert_true(tree_walk(t, show, &tree, &err));
	/* The directories of the database itself are not what is asked for. */
	struct str shown = buf_str(&tree);
	bool own = strstr(r->tree, "5 755 usr -") != NULL;
	if (!own)
		(void)str_chop(&shown, S("5 755 usr -\n5 755 usr/lib -\n"));
	long at = own ? -1 : str_find(shown, S("5 755 usr -\n5 755 usr/lib -\n"));
	char *got = arena_printf(&a, "%.*s%.*s", (int)(at < 0 ? (long)shown.n : at), shown.p,
		STR_ARG(at < 0 ? STR_NONE : str_from(shown, (size_t)at + 28)));
	if (strcmp(got, r->tree) != 0)
		fail_msg("%s:\n%snot\n%s", r->what, got, r->tree);
	show_db(res, &db);
	if (r->db && !str_is(buf_str(&db), r->db))
		fail_msg("%s:\n%snot\n%s", r->what, db.p, r->db);
	struct tree_node *n = tree_find(t, S("usr/lib/apk/db/installed"), false);
	assert_non_null(n);
	assert_true(tree_read(n, &a, 1 << 20, &text, &err));
	assert_int_equal(text.n, res->records[0].text.n + res->records[1].text.n);
}

static void try_row(const struct row *r)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	const struct install_opts opts = { 0 };
	struct install_result res;
	struct apk_file files[2];
	struct tree t;

	tree_init(&t);
	empty_database(&t);
	make_package(&r->a, &a, &files[0]);
	make_package(&r->b, &a, &files[1]);
	bool ok = install_packages(&t, files, 2, &opts, &a, &res, &err);
	if (ok != !r->error || (!ok && !strstr(err.msg, r->error)))
		fail_msg("%s: %s", r->what, ok ? "they went together" : err.msg);
	if (ok)
		check(r, &t, &res);
	tree_release(&t);
}

static void every_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(rows); i++)
		try_row(&rows[i]);
}

static void asked_for(void **state)
{
	(void)state;
	static const struct package a = { "a", "", "", {
		{ "null", '3', NULL, 0666, 0, 0, NULL }, { "p", '6', NULL, 0600, 0, 5, NULL },
		{ "d", '5', NULL, 02755, 1, 2, NULL } } };
	auto_arena struct arena arena = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	const struct install_opts opts = { .header_owners = true, .devices = true,
		.keep_dir_bits = true };
	struct install_result res;
	struct apk_file file;
	struct tree t;

	tree_init(&t);
	empty_database(&t);
	make_package(&a, &arena, &file);
	file.entries[0].major = 1;
	file.entries[0].minor = 3;
	assert_true(install_packages(&t, &file, 1, &opts, &arena, &res, &err));
	const struct tree_node *n = tree_find(&t, S("null"), false);
	assert_true(n && n->type == '3' && n->major == 1 && n->minor == 3 && n->mode == 0666);
	n = tree_find(&t, S("p"), false);
	assert_true(n && n->type == '6' && n->gid == 5);
	n = tree_find(&t, S("d"), false);
	assert_true(n && n->mode == 02755 && n->uid == 1 && n->gid == 2);
	tree_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row),
		cmocka_unit_test(asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
