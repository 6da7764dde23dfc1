#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "shared/apk/adbpkg.h"
#include "shared/apk/expand.h"
#include "shared/apk/install.h"
#include "shared/apk/tests/made.h"
#include "shared/apk/tests/made_adb.h"
#include "shared/archive/gz.h"
#include "shared/archive/tar.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

/* v3 packages in the store and in trees: entries, owners, the database, and beside v2 ones. */

struct fix {
	struct arena a;
	char *dir;
	struct store *s;
	struct pool *pool;
	struct tree t;
};

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));
	auto_err struct err err = ERR_INIT;
	const struct strs none = { 0 };
	const struct install_base base = { .arch = S("x86_64"), .world = &none,
		.repositories = &none };

	f->dir = dir_temp(&f->a, "test-adb-install-", &err);
	if (!f->dir)
		return -1;
	f->s = store_open(arena_printf(&f->a, "%s/store", f->dir), &err);
	f->pool = pool_new(2);
	tree_init(&f->t);
	*state = f;
	return f->s && install_init(&f->t, &base, &err) ? 0 : -1;
}

static int teardown(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;

	tree_release(&f->t);
	store_close(f->s);
	pool_free(f->pool);
	bool ok = dir_remove(f->dir, &err);
	arena_release(&f->a);
	free(f);
	return ok ? 0 : -1;
}

static struct apk_file expand(struct fix *f, const struct made_adb *m, enum made_comp comp,
	struct apk_pkg *want)
{
	auto_buf struct buf b = BUF_INIT(64 << 20);
	auto_err struct err err = ERR_INIT;
	char *path = arena_printf(&f->a, "%s/x.apk", f->dir);
	struct apk_file file;

	made_adb_file(m, comp, &b);
	*want = (struct apk_pkg){ .file_size = b.n, .checksum_n = SHA256_SIZE };
	made_adb_id(m, want->checksum);
	assert_true(file_write(path, b.p, b.n, 0644, &err));
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (!apk_expand(fd, "x.apk", want, NULL, f->s, &f->a, &file, &err))
		fail_msg("%s", err.msg);
	return file;
}

static uint32_t text_list(struct made_adb *m, const char *a, const char *b)
{
	uint32_t x = made_text(m, a), y = made_text(m, b);

	return made_list(m, x, y);
}

static uint32_t full_info(struct made_adb *m)
{
	uint32_t v[21] = { made_text(m, "full"), made_text(m, "2.1-r3"), 0, made_text(m, "all there is"),
		made_text(m, "x86_64"), made_text(m, "MIT"), made_text(m, "origin"),
		made_text(m, "A B <a@b.c>"), made_text(m, "https://x.y/"), made_blob(m, S("\1\xab")),
		made_int(m, 1600000000), made_int(m, 300), 0, made_int(m, 7) };
	uint32_t a = made_dep(m, "so:x", "2", 5), b = made_dep(m, "y", NULL, 0);

	v[14] = made_list(m, a, b);
	v[15] = made_list(m, made_dep(m, "cmd:full", "2.1-r3", 0));
	v[16] = made_list(m, made_dep(m, "older", "2", 2));
	v[17] = made_list(m, made_dep(m, "z", "1", 8));
	v[20] = text_list(m, "one", "two");
	return made_obj(m, v, 21);
}

static uint32_t dir_of(struct made_adb *m, const char *name, unsigned mode, const uint32_t *files,
	size_t n)
{
	uint32_t acl = made_acl(m, mode, "root", "root"), list = made_obj(m, files, n);
	uint32_t text = name[0] ? made_text(m, name) : 0;

	return made_list(m, text, acl, list);
}

/* A file with an extended attribute, owned by `user`. */
static uint32_t odd_file(struct made_adb *m)
{
	uint32_t xattr = made_blob(m, S("user.note\0yes"));
	uint32_t xattrs = made_list(m, xattr), user = made_text(m, "user"), group = made_text(m, "staff");
	uint32_t acl = made_list(m, made_int(m, 04750), user, group, xattrs);

	return made_file(m, "odd", "odd content", acl);
}

static void make_full(struct made_adb *m)
{
	uint32_t dirs[4], files[4];

	made_adb_init(m, ADB_SCHEMA_PACKAGE);
	uint32_t info = full_info(m);
	files[0] = made_file(m, "init", "top", 0);
	dirs[0] = dir_of(m, "", 0700, files, 1);
	/* the hard link stands in front of what it leads to */
	files[0] = made_link(m, "hard", S_IFREG, S("usr/lib/odd"));
	files[1] = made_file(m, "plain", "", 0);
	files[2] = made_link(m, "soft", S_IFLNK, S("../nowhere"));
	dirs[1] = dir_of(m, "usr/bin", 0755, files, 3);
	files[0] = odd_file(m);
	dirs[2] = dir_of(m, "usr/lib", 02755, files, 1);
	dirs[3] = dir_of(m, "usr/spool", 01777, NULL, 0);
	uint32_t paths = made_obj(m, dirs, 4), trigger = made_text(m, "#!/bin/sh\nt\n");
	uint32_t post = made_text(m, "#!/bin/sh\np\n"), scripts = made_list(m, trigger, 0, post);
	uint32_t triggers = text_list(m, "/usr/*", "/etc");
	made_adb_root(m, made_list(m, info, paths, scripts, triggers, made_int(m, 9)));
	made_data(m, 1, 1, "top");
	made_data(m, 3, 1, "odd content");
}

static void check_full(const struct apk_file *f)
{
	static const char *const names[] = { "0 init", "5 usr/bin", "0 usr/bin/plain",
		"2 usr/bin/soft", "5 usr/lib", "0 usr/lib/odd", "5 usr/spool", "1 usr/bin/hard" };

	assert_int_equal(f->n_entries, countof(names));
	for (size_t i = 0; i < countof(names); i++) {
		assert_int_equal(f->entries[i].type, names[i][0]);
		assert_string_equal(f->entries[i].name.p, names[i] + 2);
	}
	assert_int_equal(f->data_size, 14);
	assert_int_equal(f->n_scripts, 2);
	assert_string_equal(f->scripts[0].name.p, ".post-install");
	assert_true(str_is(f->info.depends, "so:x>=2 y"));
	assert_true(str_is(f->info.provides, "cmd:full=2.1-r3"));
	assert_true(str_is(f->info.replaces, "older<2"));
	assert_true(str_is(f->info.install_if, "z~1"));
	assert_true(str_is(f->info.commit, "01ab"));
	assert_int_equal(f->info.replaces_priority, 9);
	assert_true(f->info.file_size > 500);
	assert_int_equal(f->info.checksum_n, SHA1_SIZE);
	assert_memory_equal(f->sums[5], f->sums[7], SHA1_SIZE);
	assert_memory_equal(f->entries[5].sha1, f->entries[7].sha1, SHA1_SIZE);
}

static void stored_and_opened_again(void **state)
{
	struct fix *f = *state;
	auto_made_adb struct made_adb m;
	struct apk_pkg want;

	make_full(&m);
	for (enum made_comp c = MADE_PLAIN; c <= MADE_ZSTD; c++) {
		auto_err struct err err = ERR_INIT;
		struct apk_file file = expand(f, &m, c, &want);
		check_full(&file);
		apk_file_close(&file);
		for (uint8_t n = SHA1_SIZE; n <= SHA256_SIZE; n += SHA256_SIZE - SHA1_SIZE) {
			if (!apk_open_stored(f->s, want.checksum, n, &f->a, &file, &err))
				fail_msg("not stored under %u bytes", n);
			check_full(&file);
			apk_file_close(&file);
		}
	}
}

static void guests_get_the_files(void **state)
{
	struct fix *f = *state;
	auto_made_adb struct made_adb m;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf b = BUF_INIT(100);
	struct apk_pkg want;
	struct stat a, z;

	make_full(&m);
	struct apk_file file = expand(f, &m, MADE_DEFLATE, &want);
	if (!apk_unpack_tree(f->s, &file, &err))
		fail_msg("%s", err.msg);
	char *tree = store_path(f->s, STORE_TREE, file.data.id.p, &f->a);
	assert_true(file_read(arena_printf(&f->a, "%s/usr/bin/hard", tree), &b, &err));
	assert_string_equal(b.p, "odd content");
	assert_int_equal(stat(arena_printf(&f->a, "%s/usr/lib/odd", tree), &a), 0);
	assert_int_equal(stat(arena_printf(&f->a, "%s/usr/bin/hard", tree), &z), 0);
	assert_int_equal(a.st_ino, z.st_ino);
	assert_int_equal(a.st_mode & 07777, 0750);
	apk_file_close(&file);
}

static struct str text_of(struct fix *f, const char *path)
{
	auto_err struct err err = ERR_INIT;
	struct tree_node *n = tree_find(&f->t, str_of(path), true);
	struct str s;

	if (!n)
		fail_msg("no %s", path);
	assert_true(tree_read(n, &f->a, 1 << 20, &s, &err));
	return str_n(arena_strndup(&f->a, s.p, s.n), s.n);
}

static void expect_node(struct fix *f, const char *path, unsigned mode, int64_t uid, int64_t gid)
{
	const struct tree_node *n = tree_find(&f->t, str_of(path), false);

	if (!n)
		fail_msg("no %s", path);
	if (n->mode != mode || n->uid != uid || n->gid != gid)
		fail_msg("%s: %o %d:%d", path, n->mode, (int)n->uid, (int)n->gid);
}

static void install(struct fix *f, const struct apk_file *files, size_t n)
{
	static const struct owner_id users[] = { { { "user", 4 }, 5 } };
	static const struct owner_id groups[] = { { { "staff", 5 }, 6 } };
	const struct install_opts o = { .script_time = 1, .users = { users, 1 },
		.groups = { groups, 1 } };
	auto_err struct err err = ERR_INIT;
	struct install_result r;

	if (!install_packages(&f->t, files, n, &o, &f->a, &r, &err))
		fail_msg("%s", err.msg);
}

static void the_tree_and_its_database(void **state)
{
	struct fix *f = *state;
	auto_made_adb struct made_adb m;
	struct apk_pkg want;
	char q[40], x[50];

	make_full(&m);
	struct apk_file file = expand(f, &m, MADE_PLAIN, &want);
	install(f, &file, 1);
	expect_node(f, "init", 0644, 0, 0);
	expect_node(f, "usr/lib/odd", 04750, 5, 6);
	expect_node(f, "usr/bin/hard", 04750, 5, 6);
	expect_node(f, "usr/lib", 0755, 0, 0);
	expect_node(f, "usr/spool", 01777, 0, 0);
	const struct tree_node *odd = tree_find(&f->t, S("usr/lib/odd"), false);
	assert_int_equal(odd->n_xattrs, 1);
	assert_string_equal(odd->xattrs[0].name.p, "user.note");
	assert_true(str_is(odd->xattrs[0].val, "yes"));
	assert_true(str_is(text_of(f, "usr/bin/hard"), "odd content"));

	(void)snprintf(q, sizeof(q), "Q1%s", base64_encode(&f->a, want.checksum, SHA1_SIZE));
	hex_encode(want.checksum, SHA1_SIZE, x);
	assert_string_equal(text_of(f, "usr/lib/apk/db/installed").p, arena_printf(&f->a,
		"C:%s\nP:full\nV:2.1-r3\nA:x86_64\nS:%zu\nI:300\nT:all there is\nU:https://x.y/\n"
		"L:MIT\no:origin\nm:A B <a@b.c>\nt:1600000000\nc:01ab\nk:7\nD:so:x>=2 y\n"
		"p:cmd:full=2.1-r3\ni:z~1\ng:one two\nr:older<2\nq:9\nf:S\n"
		"F:\nR:init\nZ:Q1KHIDZcXnR2oBHk9DrAA+5fFiR6I=\n"
		"F:usr/bin\nR:hard\nZ:Q1APMQ7oFIF4qjwn+8NO/OJBPRJa8=\n"
		"R:plain\nZ:Q147DEQpj8HBSa+/TImW+5JCeuQeQ=\n"
		"R:soft\na:0:0:777\nZ:Q1LsrCdI39LS0OP8MmiY4lJAhz2Zc=\n"
		"F:usr/lib\nM:0:0:2755\nR:odd\na:5:6:4750:Q1K27C9fWQDzwz1nRyIcgonTZQbCY=\n"
		"Z:Q1APMQ7oFIF4qjwn+8NO/OJBPRJa8=\n"
		"F:usr/spool\nM:0:0:1777\n\n", q, (size_t)want.file_size));
	assert_string_equal(text_of(f, "usr/lib/apk/db/triggers").p,
		arena_printf(&f->a, "%s /usr/* /etc\n", q));
	assert_null(tree_find(&f->t, S("usr/lib/apk/db/scripts.tar"), false));
	apk_file_close(&file);
}

static struct str script_names(struct fix *f)
{
	auto_buf struct buf tar = BUF_INIT(1 << 20), names = BUF_INIT(1 << 20);
	auto_err struct err err = ERR_INIT;
	struct mem_source src;
	struct tar_reader r;
	struct tar_entry e;
	size_t n;

	assert_true(gz_inflate_member(text_of(f, "usr/lib/apk/db/scripts.tar.gz"), "x", &tar, &n,
		&err));
	mem_source_init(&src, buf_str(&tar));
	tar_reader_init(&r, &src.src, "scripts", &f->a);
	while (tar_next(&r, &e, &err) > 0)
		buf_printf(&names, "%.*s\n", STR_ARG(e.name));
	return arena_str(&f->a, buf_str(&names));
}

/* Both formats in one tree: what they bring alike is taken once, and the database has each in its
 * own form. */
static void beside_v2(void **state)
{
	struct fix *f = *state;
	auto_made_adb struct made_adb m;
	auto_err struct err err = ERR_INIT;
	struct apk_file files[2];
	struct apk_pkg want;
	struct made old;
	char x[50];

	made_package(f->dir, "hello", NULL, NULL, f->pool, &f->a, &old);
	auto_fd int fd = open(old.path, O_RDONLY | O_CLOEXEC);
	if (!apk_expand(fd, "old", &old.want, NULL, f->s, &f->a, &files[0], &err))
		fail_msg("%s", err.msg);
	made_adb_init(&m, ADB_SCHEMA_PACKAGE);
	uint32_t name = made_text(&m, "new"), version = made_text(&m, "1");
	uint32_t info = made_list(&m, name, version), same = made_file(&m, "file", "hello", 0);
	uint32_t paths = made_list(&m, dir_of(&m, "", 0755, &same, 1));
	uint32_t post = made_text(&m, "p");
	made_adb_root(&m, made_list(&m, info, paths, made_list(&m, 0, 0, post)));
	made_data(&m, 1, 1, "hello");
	files[1] = expand(f, &m, MADE_ZSTD, &want);
	install(f, files, 2);
	struct str db = text_of(f, "usr/lib/apk/db/installed");
	assert_true(str_starts(db, S("P:foo\n")));
	assert_true(str_find(db, S("\nF:\nR:file\nZ:Q1qvTGHdzF6KLavt4PO0gs2a6pQ00=\n\nC:Q1")) > 0);
	assert_true(str_ends(db, S("\nI:0\nT:\nU:\nL:\nf:S\n\n")));
	hex_encode(want.checksum, SHA1_SIZE, x);
	assert_string_equal(script_names(f).p, arena_printf(&f->a, "new-1.X1%s.post-install\n", x));
	apk_file_close(&files[0]);
	apk_file_close(&files[1]);
}

/* Owners are looked up when all is there, whoever brought etc/passwd. */
static void owners_by_name(void **state)
{
	struct fix *f = *state;
	auto_made_adb struct made_adb a, b;
	struct apk_file files[2];
	struct apk_pkg want;

	made_adb_init(&a, ADB_SCHEMA_PACKAGE);
	uint32_t name = made_text(&a, "a"), version = made_text(&a, "1");
	uint32_t info = made_list(&a, name, version), list[4];
	list[0] = made_file(&a, "mail", "", made_acl(&a, 0600, "mail", "post"));
	list[1] = made_file(&a, "nobody", "", made_acl(&a, 0600, "unknown", "unknown"));
	list[2] = made_file(&a, "user", "", made_acl(&a, 0600, "user", "staff"));
	made_adb_root(&a, made_list(&a, info, made_list(&a, dir_of(&a, "v", 0755, list, 3))));
	made_adb_init(&b, ADB_SCHEMA_PACKAGE);
	static const char passwd[] = "root:x:0:0:::\nmail:x:8:12:::\n\n# x\nuser:x:70:70:::\n";
	static const char group[] = "root:x:0:\npost:x:33:\n";
	name = made_text(&b, "b");
	version = made_text(&b, "1");
	info = made_list(&b, name, version);
	list[0] = made_file(&b, "group", group, 0);
	list[1] = made_file(&b, "passwd", passwd, 0);
	made_adb_root(&b, made_list(&b, info, made_list(&b, dir_of(&b, "etc", 0755, list, 2))));
	made_data(&b, 1, 1, group);
	made_data(&b, 1, 2, passwd);
	files[0] = expand(f, &a, MADE_PLAIN, &want);
	files[1] = expand(f, &b, MADE_PLAIN, &want);
	install(f, files, 2);
	expect_node(f, "v/mail", 0600, 8, 33);
	expect_node(f, "v/nobody", 0600, 65534, 65534);
	expect_node(f, "v/user", 0600, 70, 6);
	assert_true(str_find(text_of(f, "usr/lib/apk/db/installed"),
		S("R:mail\na:8:33:600\n")) > 0);
	apk_file_close(&files[0]);
	apk_file_close(&files[1]);
}

static void devices(void **state)
{
	struct fix *f = *state;
	auto_made_adb struct made_adb m;
	auto_err struct err err = ERR_INIT;
	struct apk_pkg want;
	struct install_result r;
	uint64_t dev = makedev(1, 3);
	struct install_opts o = { .script_time = 1 };

	made_adb_init(&m, ADB_SCHEMA_PACKAGE);
	uint32_t name = made_text(&m, "d"), version = made_text(&m, "1");
	uint32_t info = made_list(&m, name, version);
	uint32_t node = made_link(&m, "zero0", S_IFCHR, str_n((const char *)&dev, sizeof(dev)));
	made_adb_root(&m, made_list(&m, info, made_list(&m, dir_of(&m, "dev", 0755, &node, 1))));
	struct apk_file file = expand(f, &m, MADE_PLAIN, &want);
	assert_int_equal(file.entries[1].major, 1);
	assert_int_equal(file.entries[1].minor, 3);
	assert_false(install_packages(&f->t, &file, 1, &o, &f->a, &r, &err));
	assert_non_null(strstr(err.msg, "'dev/zero0' is a device node"));
	o.devices = true;
	assert_true(install_packages(&f->t, &file, 1, &o, &f->a, &r, &err));
	assert_int_equal(tree_find(&f->t, S("dev/zero0"), false)->minor, 3);
	apk_file_close(&file);
}

/* The recorded packages, where they are at hand: their records as apk-tools has written them. */
#define DATA SOURCE_DIR "/../shared/data/v3"

static struct apk_file expand_path(struct fix *f, const char *path)
{
	auto_err struct err err = ERR_INIT;
	auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct apk_file file;

	if (!apk_expand(fd, path, NULL, NULL, f->s, &f->a, &file, &err))
		fail_msg("%s", err.msg);
	return file;
}

static void recorded_database(void **state)
{
	struct fix *f = *state;
	auto_buf struct buf want = BUF_INIT(1 << 20), names = BUF_INIT(1 << 20);
	auto_buf struct buf triggers = BUF_INIT(1 << 20);
	auto_err struct err err = ERR_INIT;
	struct apk_file files[2];

	if (access(DATA, R_OK) < 0) {
		print_message("skipped: no %s\n", DATA);
		skip();
	}
	/* of those installed there, the first has lost its files to the last */
	files[0] = expand_path(f, DATA "/min.apk");
	files[1] = expand_path(f, DATA "/scripts.apk");
	install(f, files, 2);
	assert_true(file_read(DATA "/installed.txt", &want, &err));
	assert_true(file_read(DATA "/scripts.txt", &names, &err));
	assert_true(file_read(DATA "/triggers.txt", &triggers, &err));
	const char *two = strstr(want.p, "\n\nC:") + 2;
	assert_string_equal(text_of(f, "usr/lib/apk/db/installed").p, two);
	assert_string_equal(script_names(f).p, names.p);
	assert_string_equal(text_of(f, "usr/lib/apk/db/triggers").p, triggers.p);
	apk_file_close(&files[0]);
	apk_file_close(&files[1]);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(stored_and_opened_again), T(guests_get_the_files), T(the_tree_and_its_database),
		T(beside_v2), T(owners_by_name), T(devices), T(recorded_database),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
