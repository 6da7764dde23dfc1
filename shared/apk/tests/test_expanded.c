#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/apk/enttab.h"
#include "shared/apk/tests/recipe.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

/* What expanding leaves in the store, and what becomes of it when that is damaged. */

static void flip_data(struct buf *apk) { apk->p[apk->n - 30] ^= 0x10; }

static const struct ent rich[] = {
	D(".skipped"),
	F(".skipped/x", "not seen"),
	{ "usr", '5', NULL, NULL, NULL, NULL, 02755 },
	D("usr/bin/"),
	{ "usr/bin/tool", '0', "hello", NULL, "SCHILY.xattr.user.x", "a=b\nc", 04755 },
	H("usr/bin/twin", "usr/bin/tool"),
	L("usr/bin/link", "../lib/x"),
	F("usr/empty", ""),
	D(".kept"),
	F(".kept/y", "yes"),
	{ "dev", '6', NULL, NULL, NULL, NULL, 0600 },
	{ 0 },
};
static const struct recipe rich_recipe = {
	.what = "rich", .data = rich, .sig = E(SIG(".SIGN.RSA.x.rsa.pub", "abc")),
	.control = E({ ".post-install", '0', "#!/bin/sh\n", "", NULL, NULL, 0755 },
		BARE(".melange.yaml", "package:\n")),
};

static const struct apk_entry *entry(const struct apk_file *f, const char *name)
{
	for (size_t i = 0; i < f->n_entries; i++)
		if (str_is(f->entries[i].name, name))
			return &f->entries[i];
	return NULL;
}

static void check_rich(const struct apk_file *f)
{
	char hex[41], text[6] = "";

	assert_true(str_is(f->info.name, "foo"));
	assert_int_equal(f->n_entries, 9);
	assert_null(entry(f, ".skipped"));
	assert_non_null(entry(f, ".kept/y"));
	assert_int_equal(entry(f, "usr")->mode, 02755);
	assert_int_equal(entry(f, "usr/bin")->type, '5');
	const struct apk_entry *tool = entry(f, "usr/bin/tool");
	assert_int_equal(tool->mode, 04755);
	assert_int_equal(tool->mtime, 1000000000);
	assert_true(str_is(tool->uname, "root") && str_is(tool->gname, "root"));
	assert_int_equal(tool->n_xattrs, 1);
	assert_true(str_is(tool->xattrs[0].name, "user.x"));
	assert_true(str_is(tool->xattrs[0].val, "a=b\nc"));
	hex_encode(tool->sha1, 20, hex);
	assert_string_equal(hex, HELLO_SHA1);
	assert_int_equal(tool->size, 5);
	assert_int_equal(pread(f->data.fd, text, 5, (off_t)tool->off), 5);
	assert_string_equal(text, "hello");
	const struct apk_entry *twin = entry(f, "usr/bin/twin");
	assert_int_equal(twin->type, '1');
	assert_string_equal(twin->link.p, "usr/bin/tool");
	assert_memory_equal(twin->sha1, tool->sha1, 20);
	assert_string_equal(entry(f, "usr/bin/link")->link.p, "../lib/x");
	assert_int_equal(entry(f, "dev")->type, '6');
	assert_int_equal(f->n_scripts, 1);
	assert_true(str_is(f->scripts[0].name, ".post-install"));
	assert_true(str_is(f->scripts[0].text, "#!/bin/sh\n"));
	assert_int_equal(f->sig_range.start, 0);
	assert_int_equal(f->control_range.start, f->sig_range.end + 1);
	assert_int_equal(f->data_range.start, f->control_range.end + 1);
	assert_int_equal(f->data_range.end + 1, f->info.file_size);
	assert_int_equal(strlen(f->data.id.p), 64);
	assert_string_equal(f->data.name, "foo-1.0-r0");
}

static void what_comes_out(void **state)
{
	struct recipe_fix *f = *state;
	for (int stream = 0; stream < 2; stream++) {
		auto_err struct err err = ERR_INIT;
		struct apk_file file, again;
		uint8_t sum[SHA1_SIZE];

		assert_true(recipe_run(f, &rich_recipe, stream, &file, sum, &err));
		check_rich(&file);
		assert_memory_equal(file.info.checksum, sum, SHA1_SIZE);
		assert_true(apk_open_stored(f->s, sum, SHA1_SIZE, &f->a, &again, &err));
		check_rich(&again);
		assert_int_equal(again.data_size, file.data_size);
		assert_memory_equal(again.sig_sha1, file.sig_sha1, 20);
		assert_memory_equal(again.control_sha1, file.control_sha1, 20);
		assert_memory_equal(again.data_sha256, file.data_sha256, 32);
		assert_int_equal(again.control.n, file.control.n);
		apk_file_close(&file);
		apk_file_close(&again);
		recipe_clear_store(f);
	}
}

static void same_objects_either_way(void **state)
{
	struct recipe_fix *f = *state;
	struct buf tars[2] = { BUF_INIT(1 << 20), BUF_INIT(1 << 20) };
	auto_err struct err err = ERR_INIT;

	for (int stream = 0; stream < 2; stream++) {
		struct apk_file file;
		uint8_t sum[SHA1_SIZE];
		assert_true(recipe_run(f, &rich_recipe, stream, &file, sum, &err));
		assert_int_equal(lseek(file.data.fd, 0, SEEK_SET), 0);
		assert_true(fd_read_all(file.data.fd, "data", &tars[stream], &err));
		apk_file_close(&file);
		recipe_clear_store(f);
	}
	assert_int_equal(tars[0].n, tars[1].n);
	assert_memory_equal(tars[0].p, tars[1].p, tars[0].n);
	buf_release(&tars[0]);
	buf_release(&tars[1]);
}

/* Damage in the store: each object is changed in some way, after which the package is not found,
 * or found whole. */

static char *object_path(struct recipe_fix *f, enum store_kind kind, const struct apk_file *file,
	const uint8_t *sum)
{
	char key[41];

	hex_encode(sum, SHA1_SIZE, key);
	return store_path(f->s, kind, kind == STORE_CONTROL ? key : file->data.id.p, &f->a);
}

static void damage(const char *path, int how)
{
	struct stat st;

	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(stat(path, &st), 0);
	auto_fd int fd = open(path, O_RDWR);
	char c;
	switch (how) {
	case 0:
		assert_int_equal(truncate(path, 0), 0);
		break;
	case 1:
		assert_int_equal(truncate(path, st.st_size - 1), 0);
		break;
	case 2:
		assert_int_equal(pread(fd, &c, 1, st.st_size - 1), 1);
		c ^= 1;
		assert_int_equal(pwrite(fd, &c, 1, st.st_size - 1), 1);
		break;
	case 3:
		assert_int_equal(pread(fd, &c, 1, st.st_size / 2), 1);
		c ^= 1;
		assert_int_equal(pwrite(fd, &c, 1, st.st_size / 2), 1);
		break;
	case 4:
		assert_int_equal(unlink(path), 0);
		break;
	default:
		assert_int_equal(pread(fd, &c, 1, 0), 1);
		c ^= 1;
		assert_int_equal(pwrite(fd, &c, 1, 0), 1);
		break;
	}
}

static void damage_in_the_store(void **state)
{
	static const enum store_kind kinds[] = { STORE_CONTROL, STORE_DATA, STORE_ENTRIES };
	struct recipe_fix *f = *state;

	for (size_t k = 0; k < countof(kinds); k++) {
		for (int how = 0; how < 6; how++) {
			auto_err struct err err = ERR_INIT;
			struct apk_file file, again;
			uint8_t sum[SHA1_SIZE];

			assert_true(recipe_run(f, &rich_recipe, false, &file, sum, &err));
			damage(object_path(f, kinds[k], &file, sum), how);
			assert_false(apk_open_stored(f->s, sum, SHA1_SIZE, &f->a, &again, &err));
			assert_int_equal(err.kind, EK_NONE);
			apk_file_close(&file);
			/* And mended by expanding again. */
			assert_true(recipe_run(f, &rich_recipe, false, &file, sum, &err));
			check_rich(&file);
			apk_file_close(&file);
			assert_true(apk_open_stored(f->s, sum, SHA1_SIZE, &f->a, &again, &err));
			check_rich(&again);
			apk_file_close(&again);
			recipe_clear_store(f);
		}
	}
}

/* A copy of the store is another set of files with the same bytes: believed after a look. */
static void copied_data_is_checked_once(void **state)
{
	struct recipe_fix *f = *state;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf tar = BUF_INIT(1 << 20);
	struct apk_file file, again;
	uint8_t sum[SHA1_SIZE];

	assert_true(recipe_run(f, &rich_recipe, false, &file, sum, &err));
	char *path = object_path(f, STORE_DATA, &file, sum);
	assert_true(file_read(path, &tar, &err));
	assert_int_equal(unlink(path), 0);
	assert_true(file_write(path, tar.p, tar.n, 0444, &err));
	for (int i = 0; i < 2; i++) {
		assert_true(apk_open_stored(f->s, sum, SHA1_SIZE, &f->a, &again, &err));
		check_rich(&again);
		apk_file_close(&again);
	}
	apk_file_close(&file);
}

static void shared_data_is_not_expanded_twice(void **state)
{
	struct recipe_fix *f = *state;
	auto_err struct err err = ERR_INIT;
	struct recipe other = rich_recipe;
	struct apk_file a, b;
	uint8_t sum[SHA1_SIZE];

	other.pkginfo = INFO("pkgdesc = the same data under another name\n");
	assert_true(recipe_run(f, &rich_recipe, false, &a, sum, &err));
	assert_true(recipe_run(f, &other, false, &b, sum, &err));
	check_rich(&b);
	assert_int_equal(recipe_objects(f), 4);
	apk_file_close(&b);
	/* Its file is verified all the same, and its limits hold. */
	other.apk = flip_data;
	assert_false(recipe_run(f, &other, false, &b, sum, &err));
	assert_non_null(strstr(err.msg, "data hash mismatch"));
	err_release(&err);
	other.apk = NULL;
	other.lim.max_data = 100;
	assert_false(recipe_run(f, &other, false, &b, sum, &err));
	assert_non_null(strstr(err.msg, "size limit exceeded"));
	apk_file_close(&a);
}

static void identity_by_sha256(void **state)
{
	struct recipe_fix *f = *state;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf apk = BUF_INIT(1 << 20);
	struct apk_pkg want = { .checksum_n = SHA256_SIZE };
	struct apk_file file;
	struct apk_control c;
	uint8_t sum[SHA1_SIZE];

	recipe_build(&rich_recipe, &apk, sum);
	auto_fd int fd = recipe_write(f, &apk);
	assert_true(apk_read_control(fd, "foo.apk", &f->a, &c, &err));
	assert_memory_equal(c.info.checksum, sum, SHA1_SIZE);
	assert_int_equal(c.control_size, c.control_gz.n);
	assert_true(c.sig_size > 0 && str_starts(c.sig_tar, S(".SIGN.RSA.x.rsa.pub")));
	digest_once(DIGEST_SHA256, c.control_gz.p, c.control_gz.n, want.checksum);
	assert_true(apk_expand(fd, "foo.apk", &want, NULL, f->s, &f->a, &file, &err));
	apk_file_close(&file);
	assert_true(apk_open_stored(f->s, want.checksum, SHA256_SIZE, &f->a, &file, &err));
	check_rich(&file);
	apk_file_close(&file);
	assert_true(apk_open_stored(f->s, sum, SHA1_SIZE, &f->a, &file, &err));
	apk_file_close(&file);
	want.checksum[0] ^= 1;
	assert_false(apk_open_stored(f->s, want.checksum, SHA256_SIZE, &f->a, &file, &err));
}

/* Every cut and many single changes of a table: it loads as it was, or not at all. */
static void hostile_tables(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_enttab struct enttab t;
	auto_buf struct buf b = BUF_INIT(1 << 20);
	const struct enttab_stamp stamp = { .size = 5000 };
	struct enttab_loaded got;
	struct tar_pax pax[] = { { S("SCHILY.xattr.a"), S("b") } };

	enttab_init(&t);
	for (int i = 0; i < 3; i++) {
		const char *names[] = { "usr", "usr/x", "y" };
		struct apk_entry e = { .name = str_of(names[i]), .type = '0', .size = 10,
			.off = 4990 };
		enttab_add(&t, &e, &(struct tar_paxes){ pax, i == 1, 1 });
	}
	enttab_write(&t, &stamp, 7, &b);
	assert_true(enttab_load(buf_str(&b), &a, &got));
	assert_int_equal(got.n, 3);
	assert_int_equal(got.crc, 7);
	assert_true(str_is(got.entries[1].xattrs[0].name, "a"));
	for (size_t n = 0; n < b.n; n++)
		assert_false(enttab_load(str_n(b.p, n), &a, &got));
	for (size_t i = 0; i < b.n; i++) {
		b.p[i] ^= 0x41;
		assert_false(enttab_load(buf_str(&b), &a, &got));
		b.p[i] ^= 0x41;
	}
	/* With the checksum made right again, the bounds must hold by themselves. */
	for (size_t i = 16; i < b.n; i++) {
		auto_buf struct buf bad = BUF_INIT(1 << 20);
		struct enttab_stamp s;
		buf_addstr(&bad, buf_str(&b));
		bad.p[i] ^= (char)0xc1;
		memcpy(&s, bad.p + 16, sizeof(s));
		enttab_restamp(bad.p, bad.n, &s);
		if (!enttab_load(buf_str(&bad), &a, &got))
			continue;
		for (size_t k = 0; k < got.n; k++)
			assert_true(got.entries[k].off + got.entries[k].size <= s.size &&
				strlen(got.entries[k].name.p) == got.entries[k].name.n);
	}
}

static void unpacked_tree(void **state)
{
	struct recipe_fix *f = *state;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf b = BUF_INIT(100);
	struct apk_file file;
	struct stat st, twin;
	uint8_t sum[SHA1_SIZE];

	assert_true(recipe_run(f, &rich_recipe, false, &file, sum, &err));
	assert_true(apk_unpack_tree(f->s, &file, &err));
	assert_true(apk_unpack_tree(f->s, &file, &err));
	const char *root = store_path(f->s, STORE_TREE, file.data.id.p, &f->a);
	auto_fd int fd = open(root, O_RDONLY | O_DIRECTORY);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(fstatat(fd, "usr", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(st.st_mtime, 1000000000);
	assert_int_equal(fstatat(fd, "usr/bin/tool", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0755);
	assert_int_equal(st.st_mtime, 1000000000);
	assert_int_equal(fstatat(fd, "usr/bin/twin", &twin, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(twin.st_ino, st.st_ino);
	assert_int_equal(fstatat(fd, "usr/bin/link", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(fstatat(fd, "dev", &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(fstatat(fd, ".skipped", &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_true(file_read(arena_printf(&f->a, "%s/.kept/y", root), &b, &err));
	assert_string_equal(b.p, "yes");
	/* After another boot a file that is cut is found out. */
	char *marker = arena_printf(&f->a, "tree-%s", file.data.id.p);
	assert_true(store_put(f->s, STORE_PLAN, marker, "other\n", 6, &err));
	assert_int_equal(truncate(arena_printf(&f->a, "%s/.kept/y", root), 0), 0);
	assert_true(apk_unpack_tree(f->s, &file, &err));
	buf_clear(&b);
	assert_true(file_read(arena_printf(&f->a, "%s/.kept/y", root), &b, &err));
	assert_string_equal(b.p, "yes");
	apk_file_close(&file);
}

/* Directories that shut themselves, and parents that have no entry. */
static void unpacked_awkward_tree(void **state)
{
	static const struct ent awkward[] = {
		{ "shut", '5', NULL, NULL, NULL, NULL, 0 },
		{ "shut/in", '5', NULL, NULL, NULL, NULL, 0500 },
		F("shut/in/file", "x"),
		F("no/such/parent/file", "y"),
		F("z", "z"),
		H("shut/twin", "no/such/parent/file"),
		{ 0 },
	};
	const struct recipe r = { .what = "awkward", .data = awkward };
	struct recipe_fix *f = *state;
	auto_err struct err err = ERR_INIT;
	struct apk_file file;
	struct stat st;
	uint8_t sum[SHA1_SIZE];

	assert_true(recipe_run(f, &r, false, &file, sum, &err));
	assert_true(apk_unpack_tree(f->s, &file, &err));
	const char *root = store_path(f->s, STORE_TREE, file.data.id.p, &f->a);
	assert_int_equal(stat(arena_printf(&f->a, "%s/shut", root), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0);
	assert_int_equal(stat(arena_printf(&f->a, "%s/no/such/parent", root), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(stat(arena_printf(&f->a, "%s/no/such/parent/file", root), &st), 0);
	assert_int_equal(st.st_nlink, 2);
	apk_file_close(&file);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, recipe_setup, recipe_teardown)
	const struct CMUnitTest tests[] = {
		T(what_comes_out), T(same_objects_either_way), T(damage_in_the_store),
		T(copied_data_is_checked_once), T(shared_data_is_not_expanded_twice),
		T(identity_by_sha256), T(hostile_tables), T(unpacked_tree),
		T(unpacked_awkward_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
