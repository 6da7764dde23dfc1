#include "shared/apk/pkgwrite.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/apk/keyring.h"
#include "shared/archive/gz.h"
#include "shared/archive/tar.h"
#include "shared/base/vec.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

#define MANY 700
#define BIG ((3u << 20) + 12345)

/* A directory with contents, and the entries that name them. */
struct fixture {
	struct arena a;
	struct sigkey *key;
	char *dir;
	int dirfd;
	VEC(struct pkgwrite_entry) entries;
};

static struct pkgwrite_entry *entry(struct fixture *f, const char *name, char type, uint32_t mode)
{
	vec_push(&f->a, &f->entries, (struct pkgwrite_entry){ .name = str_of(name), .type = type,
		.mode = mode, .dirfd = f->dirfd, .path = name, .uname = S("root"),
		.gname = S("root") });
	return &f->entries.v[f->entries.n - 1];
}

/* Text that is neither constant nor incompressible. */
static char *noise(struct arena *a, size_t n, uint32_t seed)
{
	char *p = arena_alloc(a, n + 1);
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		p[i] = (char)('a' + (seed >> 28));
	}
	return p;
}

static struct pkgwrite_entry *file(struct fixture *f, const char *name, size_t n)
{
	auto_err struct err err = ERR_INIT;
	char *path = arena_printf(&f->a, "%s/%s", f->dir, name);
	if (!file_write(path, noise(&f->a, n, (uint32_t)n), n, 0644, &err))
		fail_msg("%s", err.msg);
	struct pkgwrite_entry *e = entry(f, name, '0', 0644);
	e->size = n;
	return e;
}

static const struct tree_xattr caps = { S("security.capability"), S("\1\0\0\2x") };

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	auto_err struct err err = ERR_INIT;
	f->key = sigkey_generate(2048, &err);
	f->dir = dir_temp(&f->a, "apk-write-", &err);
	assert_non_null(f->dir);
	f->dirfd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir_make(arena_printf(&f->a, "%s/usr", f->dir), 0755, &err));
	entry(f, "dev", '3', 0666)->minor = 3;
	entry(f, "tmp", '5', 01777);
	entry(f, "usr", '5', 0755);
	file(f, "usr/big", BIG);
	struct pkgwrite_entry *e = entry(f, "usr/big-again", '1', 0644);
	e->link = S("usr/big");
	e->path = "usr/big";
	e->size = BIG;
	e = entry(f, "usr/bytes", '0', 04755);
	e->bytes = "hello";
	e->size = 5;
	e->xattrs = &caps;
	e->n_xattrs = 1;
	file(f, "usr/empty", 0);
	file(f, "usr/exact", 1u << 20);
	for (unsigned i = 0; i < MANY; i++)
		file(f, arena_printf(&f->a, "usr/f%04u", i), i * 13);
	entry(f, "usr/link", '2', 0777)->link = S("../target");
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	auto_err struct err err = ERR_INIT;
	sigkey_free(f->key);
	(void)close(f->dirfd);
	bool ok = dir_remove(f->dir, &err);
	arena_release(&f->a);
	free(f);
	return ok ? 0 : -1;
}

static const struct apk_pkg info = { .name = S("foo"), .version = S("1-r0"), .arch = S("x86_64"),
	.origin = S("foo"), .build_time = 1700000000, .depends = S("a b") };
static const struct pkginfo_extra extra = { .licenses = S("MIT") };
static const struct pkgwrite_control control[] = { { S(".melange.yaml"), 0644, S("a: b\n") },
	{ S(".post-install"), 0755, S("#!/bin/sh\n") } };

static struct pkgwrite request(const struct fixture *f, struct pool *pool, const char *path)
{
	return (struct pkgwrite){ .entries = f->entries.v, .n = f->entries.n,
		.mtime = 1700000000, .info = &info, .extra = &extra, .control = control,
		.n_control = 2, .key = f->key, .key_path = "keys/test.rsa", .pool = pool,
		.path = path };
}

static void make(const struct fixture *f, unsigned threads, const char *path, struct buf *out,
	struct pkgwrite_result *r)
{
	auto_err struct err err = ERR_INIT;
	struct pool *pool = pool_new(threads);
	struct pkgwrite w = request(f, pool, path);
	if (!pkgwrite(&w, r, &err) || !file_read(path, out, &err))
		fail_msg("%s", err.msg);
	pool_free(pool);
}

static void take_member(struct str *rest, struct buf *out, struct str *ret_gz)
{
	auto_err struct err err = ERR_INIT;
	size_t n;
	if (!gz_inflate_member(*rest, "t", out, &n, &err))
		fail_msg("%s", err.msg);
	*ret_gz = str_sub(*rest, 0, n);
	*rest = str_from(*rest, n);
}

static struct str pax(const struct tar_entry *e, const char *key)
{
	for (size_t i = 0; i < e->pax.n; i++)
		if (str_is(e->pax.v[i].key, key))
			return e->pax.v[i].val;
	return STR_NONE;
}

/* The entry of the archive is what was asked for, its content that of the file. */
static void check_entry(const struct fixture *f, const struct pkgwrite_entry *want,
	const struct tar_entry *have, struct str content)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf real = BUF_INIT(BUF_NOLIMIT);
	char hex[41];
	uint8_t sha1[SHA1_SIZE];
	assert_true(str_eq(want->name, have->name));
	assert_int_equal(want->type, have->type);
	assert_int_equal(want->mode, have->mode);
	assert_int_equal(have->mtime, 1700000000);
	assert_true(str_eq(want->link, have->link));
	assert_int_equal(want->minor, have->minor);
	assert_int_equal(content.n, want->type == '0' ? want->size : 0);
	if (want->bytes)
		buf_add(&real, want->bytes, want->size);
	else if (want->type == '0' || want->type == '1')
		assert_true(file_read(arena_printf((struct arena *)&f->a, "%s/%s", f->dir, want->path),
			&real, &err));
	else
		buf_addstr(&real, want->link);
	if (want->type == '0')
		assert_true(str_eq(content, buf_str(&real)));
	digest_once(DIGEST_SHA1, real.p, real.n, sha1);
	hex_encode(sha1, sizeof(sha1), hex);
	bool summed = want->type >= '0' && want->type <= '2';
	assert_true(str_is(pax(have, "APK-TOOLS.checksum.SHA1"), summed ? hex : ""));
	if (want->n_xattrs)
		assert_true(str_eq(pax(have, "SCHILY.xattr.security.capability"), caps.val));
}

static void check_data(const struct fixture *f, struct str tar)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct mem_source src;
	struct tar_reader r;
	struct tar_entry e;
	mem_source_init(&src, tar);
	tar_reader_init(&r, &src.src, "data", &a);
	size_t i = 0;
	while (tar_next(&r, &e, &err) > 0) {
		assert_true(i < f->entries.n);
		check_entry(f, &f->entries.v[i++], &e, str_sub(tar, r.at, e.size));
	}
	assert_int_equal(i, f->entries.n);
	assert_true(r.ended);
	assert_true(tar_finish(&r, &err));
}

static void check_control(struct str tar, const struct pkgwrite_result *r)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct mem_source src;
	struct tar_reader t;
	struct tar_entry e;
	struct apk_pkg p;
	mem_source_init(&src, tar);
	tar_reader_init(&t, &src.src, "control", &a);
	assert_int_equal(tar_next(&t, &e, &err), 1);
	assert_true(str_is(e.name, ".PKGINFO"));
	assert_true(str_is(e.uname, "root"));
	assert_true(pkginfo_parse(str_sub(tar, t.at, e.size), "info", &a, &p, &err));
	assert_true(str_is(p.datahash, r->datahash));
	assert_int_equal(p.installed_size, r->installed_size);
	assert_int_equal(tar_next(&t, &e, &err), 1);
	assert_true(str_is(e.name, ".melange.yaml"));
	assert_int_equal(tar_next(&t, &e, &err), 1);
	assert_int_equal(e.mode, 0755);
	assert_int_equal(tar_next(&t, &e, &err), 0);
	assert_false(t.ended);
}

static void check_signature(const struct fixture *f, struct str tar, struct str gz)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf pem = BUF_INIT(BUF_NOLIMIT);
	auto_keyring struct keyring k;
	struct apk_sig *sigs;
	size_t n;
	keyring_init(&k, &a);
	assert_true(sigkey_public_pem(f->key, &pem, &err));
	assert_true(keyring_add(&k, S("test.rsa.pub"), buf_str(&pem), &err));
	assert_true(apk_sigs_parse(tar, "t", &a, &sigs, &n, &err));
	assert_int_equal(n, 1);
	assert_true(keyring_verify(&k, sigs, n, gz, "t", &err));
}

static void check_package(const struct fixture *f, struct str apk, const struct pkgwrite_result *r)
{
	auto_buf struct buf sig = BUF_INIT(BUF_NOLIMIT), ctl = BUF_INIT(BUF_NOLIMIT);
	auto_buf struct buf data = BUF_INIT(BUF_NOLIMIT);
	struct str rest = apk, sig_gz, ctl_gz, data_gz;
	uint8_t md[SHA256_SIZE];
	char hex[65];
	assert_int_equal(apk.n, r->file_size);
	take_member(&rest, &sig, &sig_gz);
	take_member(&rest, &ctl, &ctl_gz);
	take_member(&rest, &data, &data_gz);
	assert_int_equal(rest.n, 0);
	check_signature(f, buf_str(&sig), ctl_gz);
	check_control(buf_str(&ctl), r);
	check_data(f, buf_str(&data));
	digest_once(DIGEST_SHA1, ctl_gz.p, ctl_gz.n, md);
	assert_memory_equal(md, r->checksum, SHA1_SIZE);
	digest_once(DIGEST_SHA256, data_gz.p, data_gz.n, md);
	hex_encode(md, sizeof(md), hex);
	assert_string_equal(hex, r->datahash);
}

static void test_package(void **state)
{
	struct fixture *f = *state;
	auto_buf struct buf one = BUF_INIT(BUF_NOLIMIT), four = BUF_INIT(BUF_NOLIMIT);
	struct pkgwrite_result r1, r4;
	make(f, 1, arena_printf(&f->a, "%s/1.apk", f->dir), &one, &r1);
	make(f, 4, arena_printf(&f->a, "%s/4.apk", f->dir), &four, &r4);
	assert_true(str_eq(buf_str(&one), buf_str(&four)));
	assert_memory_equal(&r1, &r4, sizeof(r1));
	uint64_t size = BIG + 5 + (1u << 20) + 9;
	for (unsigned i = 0; i < MANY; i++)
		size += i * 13;
	assert_int_equal(r1.installed_size, size);
	check_package(f, buf_str(&one), &r1);
}

static void test_empty(void **state)
{
	struct fixture *f = *state;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf apk = BUF_INIT(BUF_NOLIMIT), tar = BUF_INIT(BUF_NOLIMIT);
	struct pool *pool = pool_new(2);
	struct pkgwrite_result r;
	char *path = arena_printf(&f->a, "%s/empty.apk", f->dir);
	struct pkgwrite w = request(f, pool, path);
	w.n = 0;
	w.key = NULL;
	if (!pkgwrite(&w, &r, &err) || !file_read(path, &apk, &err))
		fail_msg("%s", err.msg);
	pool_free(pool);
	struct str rest = buf_str(&apk), gz;
	take_member(&rest, &tar, &gz);
	check_control(buf_str(&tar), &r);
	buf_clear(&tar);
	take_member(&rest, &tar, &gz);
	assert_int_equal(tar.n, TAR_END_SIZE);
	assert_int_equal(rest.n, 0);
}

static void fails(struct fixture *f, const struct pkgwrite_entry *e, const char *msg)
{
	auto_err struct err err = ERR_INIT;
	struct pool *pool = pool_new(3);
	struct pkgwrite_result r;
	char *path = arena_printf(&f->a, "%s/bad.apk", f->dir);
	struct pkgwrite w = request(f, pool, path);
	struct pkgwrite_entry *all = arena_array(&f->a, struct pkgwrite_entry, w.n + 1);
	memcpy(all, w.entries, w.n * sizeof(*all));
	all[w.n] = *e;
	w.entries = all;
	w.n++;
	assert_false(pkgwrite(&w, &r, &err));
	pool_free(pool);
	if (str_find(str_of(err.msg), str_of(msg)) < 0)
		fail_msg("%s, not %s", err.msg, msg);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void test_failures(void **state)
{
	struct fixture *f = *state;
	struct pkgwrite_entry e = f->entries.v[f->entries.n - 2];
	assert_int_equal(e.type, '0');
	e.size++;
	fails(f, &e, "'usr/f0699' changed its size");
	e.size -= 2;
	fails(f, &e, "'usr/f0699' changed its size");
	e.size = BIG - 1;
	e.path = "usr/big";
	fails(f, &e, "'usr/f0699' changed its size");
	e.path = "usr/none";
	fails(f, &e, "usr/f0699");
	e.path = "usr";
	fails(f, &e, "'usr/f0699' is no longer a regular file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_package),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_failures),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
