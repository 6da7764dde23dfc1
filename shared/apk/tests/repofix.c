#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>

#include "shared/apk/tests/repofix.h"
#include "shared/os/dir.h"

struct sigkey *repofix_key, *repofix_other;

int repofix_make_keys(void **state)
{
	auto_err struct err err = ERR_INIT;

	(void)state;
	repofix_key = sigkey_generate(2048, &err);
	repofix_other = sigkey_generate(2048, &err);
	return repofix_key && repofix_other ? 0 : -1;
}

int repofix_free_keys(void **state)
{
	(void)state;
	sigkey_free(repofix_key);
	sigkey_free(repofix_other);
	return 0;
}

int repofix_setup(void **state)
{
	struct repofix *f = calloc(1, sizeof(*f));
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf pem = BUF_INIT(BUF_NOLIMIT);

	f->dir = dir_temp(&f->a, "test-repo-", &err);
	if (!f->dir)
		return -1;
	f->package = arena_printf(&f->a, "%s/x86_64/foo-1.0-r0.apk", f->dir);
	f->v2 = arena_printf(&f->a, "%s/x86_64/APKINDEX.tar.gz", f->dir);
	f->v3 = arena_printf(&f->a, "%s/x86_64/Packages.adb", f->dir);
	f->s = store_open(arena_printf(&f->a, "%s/store", f->dir), &err);
	f->pool = pool_new(2);
	keyring_init(&f->keys, &f->a);
	*state = f;
	return f->s && dir_make(arena_printf(&f->a, "%s/x86_64", f->dir), 0755, &err) &&
		sigkey_public_pem(repofix_key, &pem, &err) &&
		keyring_add(&f->keys, S("test.rsa.pub"), buf_str(&pem), &err) ? 0 : -1;
}

int repofix_teardown(void **state)
{
	struct repofix *f = *state;
	auto_err struct err err = ERR_INIT;

	store_close(f->s);
	pool_free(f->pool);
	keyring_release(&f->keys);
	bool ok = dir_remove(f->dir, &err);
	arena_release(&f->a);
	free(f);
	return ok ? 0 : -1;
}

uint64_t repofix_objects(struct repofix *f)
{
	auto_err struct err err = ERR_INIT;
	const struct store_clean look = { .dry_run = true };
	struct store_usage u;
	struct strs tmp = { 0 };

	assert_true(dir_names(arena_printf(&f->a, "%s/tmp", store_dir(f->s)), &f->a, &tmp, &err));
	assert_int_equal(tmp.n, 0);
	assert_true(store_clean(f->s, &look, &u, &err));
	return u.objects;
}

void repofix_clear(struct repofix *f)
{
	auto_err struct err err = ERR_INIT;
	const struct store_clean all = { .all = true };
	struct store_usage u;

	assert_true(store_clean(f->s, &all, &u, &err));
}
