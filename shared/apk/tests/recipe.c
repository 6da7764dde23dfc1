#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/apk/tests/recipe.h"
#include "shared/archive/gz.h"
#include "shared/archive/tar.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

#define SHA_KEY "APK-TOOLS.checksum.SHA1"

const struct ent recipe_plain[] = {
	{ "usr", '5', NULL, NULL, NULL, NULL, 0755 },
	{ "usr/hello", '0', "hello", NULL, NULL, NULL, 0644 },
	{ 0 },
};

static void add_entry(struct buf *tar, const struct ent *e)
{
	auto_err struct err err = ERR_INIT;
	struct str text = str_of(e->text);
	bool link = e->type == '1' || e->type == '2';
	struct tar_entry t = { .name = str_of(e->name), .type = e->type, .mode = e->mode,
		.uname = S("root"), .gname = S("root"), .mtime = 1000000000 };
	struct tar_pax pax[2];
	uint8_t md[SHA1_SIZE];
	char hex[2 * SHA1_SIZE + 1];

	t.pax.v = pax;
	digest_once(DIGEST_SHA1, text.p ? text.p : "", text.n, md);
	hex_encode(md, SHA1_SIZE, hex);
	const char *sha1 = e->sha1 ? e->sha1 : e->type == '0' || e->type == '2' ? hex : "";
	if (*sha1)
		pax[t.pax.n++] = (struct tar_pax){ S(SHA_KEY), str_of(sha1) };
	if (e->key)
		pax[t.pax.n++] = (struct tar_pax){ str_of(e->key), str_of(e->val) };
	if (link)
		t.link = text;
	else if (e->type == '0')
		t.size = text.n;
	assert_true(tar_header(&t, tar, &err));
	if (e->type == '0') {
		buf_addstr(tar, text);
		buf_addzero(tar, tar_padding(text.n));
	}
}

void recipe_add_entries(struct buf *tar, const struct ent *e)
{
	for (; e && e->name; e++)
		add_entry(tar, e);
}

static void add_gz(struct buf *out, const struct buf *tar)
{
	auto_err struct err err = ERR_INIT;

	assert_true(gz_deflate(buf_str(tar), 6, out, &err));
}

/* Appends the control section; returns where it starts. */
static size_t add_control(const struct recipe *r, const char *datahash, struct buf *apk)
{
	auto_buf struct buf tar = BUF_INIT(64 << 20);
	char text[4000];
	size_t at = apk->n;
	const char *info = r->pkginfo ? r->pkginfo : INFO("");
	const char *hash = strstr(info, "%s");

	if (hash)
		(void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(hash - info), info, datahash,
			hash + 2);
	else
		(void)snprintf(text, sizeof(text), "%s", info);
	const struct ent e = { ".PKGINFO", '0', text, "", NULL, NULL, 0644 };
	if (!r->no_pkginfo)
		add_entry(&tar, &e);
	for (const struct ent *c = r->control; c && c->name; c++)
		add_entry(&tar, c);
	add_gz(apk, &tar);
	return at;
}

void recipe_build(const struct recipe *r, struct buf *apk, uint8_t ret_sum[SHA1_SIZE])
{
	auto_buf struct buf tar = BUF_INIT(64 << 20), data = BUF_INIT(64 << 20);
	uint8_t md[SHA256_SIZE];
	char hex[2 * SHA256_SIZE + 1];

	recipe_add_entries(&tar, r->data ? r->data : recipe_plain);
	if (!r->data_no_end)
		buf_addzero(&tar, TAR_END_SIZE);
	if (r->tar)
		r->tar(&tar);
	add_gz(&data, &tar);
	if (r->gz)
		r->gz(&data);
	digest_once(DIGEST_SHA256, data.p, data.n, md);
	hex_encode(md, SHA256_SIZE, hex);
	if (r->sig) {
		buf_clear(&tar);
		recipe_add_entries(&tar, r->sig);
		if (r->sig_end)
			buf_addzero(&tar, TAR_END_SIZE);
		add_gz(apk, &tar);
	}
	size_t at = add_control(r, hex, apk);
	digest_once(DIGEST_SHA1, apk->p + at, apk->n - at, ret_sum);
	buf_addstr(apk, buf_str(&data));
	if (r->apk)
		r->apk(apk);
}

int recipe_setup(void **state)
{
	struct recipe_fix *f = calloc(1, sizeof(*f));
	auto_err struct err err = ERR_INIT;

	f->dir = dir_temp(&f->a, "test-expand-", &err);
	if (!f->dir)
		return -1;
	f->s = store_open(arena_printf(&f->a, "%s/store", f->dir), &err);
	*state = f;
	return f->s ? 0 : -1;
}

int recipe_teardown(void **state)
{
	struct recipe_fix *f = *state;
	auto_err struct err err = ERR_INIT;

	store_close(f->s);
	bool ok = dir_remove(f->dir, &err);
	arena_release(&f->a);
	free(f);
	return ok ? 0 : -1;
}

size_t recipe_names_left(struct recipe_fix *f)
{
	auto_err struct err err = ERR_INIT;
	struct strs tmp = { 0 };

	assert_true(dir_names(arena_printf(&f->a, "%s/tmp", store_dir(f->s)), &f->a, &tmp, &err));
	return tmp.n;
}

uint64_t recipe_objects(struct recipe_fix *f)
{
	auto_err struct err err = ERR_INIT;
	const struct store_clean look = { .dry_run = true };
	struct store_usage u;

	assert_true(store_clean(f->s, &look, &u, &err));
	assert_int_equal(recipe_names_left(f), 0);
	return u.objects;
}

void recipe_clear_store(struct recipe_fix *f)
{
	auto_err struct err err = ERR_INIT;
	const struct store_clean all = { .all = true };
	struct store_usage u;

	assert_true(store_clean(f->s, &all, &u, &err));
}

int recipe_write(struct recipe_fix *f, const struct buf *apk)
{
	auto_err struct err err = ERR_INIT;
	char *path = arena_printf(&f->a, "%s/foo.apk", f->dir);

	assert_true(file_write(path, apk->p ? apk->p : "", apk->n, 0644, &err));
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

bool recipe_run(struct recipe_fix *f, const struct recipe *r, bool stream, struct apk_file *ret,
	uint8_t sum[SHA1_SIZE], struct err *err)
{
	auto_buf struct buf apk = BUF_INIT(64 << 20);
	static struct apk_index index;
	struct apk_pkg want = { .name = str_of(r->name), .version = str_of(r->version),
		.arch = str_of(r->arch), .file_size = r->size };
	struct apk_limits lim = r->lim;

	lim.stream = stream;
	if (r->expect_index)
		want.index = &index;
	if (r->q)
		assert_true(apk_q_parse(str_of(r->q), want.checksum, &want.checksum_n));
	bool expect = r->name || r->version || r->arch || r->size || r->expect_index || r->q;
	recipe_build(r, &apk, sum);
	auto_fd int fd = recipe_write(f, &apk);
	return apk_expand(fd, "foo.apk", expect ? &want : NULL, &lim, f->s, &f->a, ret, err);
}
