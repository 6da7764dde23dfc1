#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/apk/adbpkg.h"
#include "shared/apk/discovery.h"
#include "shared/apk/expand.h"
#include "shared/apk/repo.h"
#include "shared/apk/tests/made.h"
#include "shared/apk/tests/made_adb.h"
#include "shared/net/http.h"
#include "shared/net/tests/server.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

/* v3 indexes as repositories: where they are looked for, what becomes of their records, and
 * packages of both formats fetched by them. */

#define MS 1000000ll

static struct str adb_body, package_body;

static void not_found(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	reply_text(fd, "HTTP/1.1 404 Not Found", "no");
}
static void refused(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	reply_text(fd, "HTTP/1.1 403 Forbidden", "no");
}
static void index_route(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	reply(fd, "HTTP/1.1 200 OK\r\nETag: \"one\"", adb_body.p, adb_body.n);
}
static void package_route(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	reply(fd, "HTTP/1.1 200 OK", package_body.p, package_body.n);
}
static const struct route routes[] = {
	{ "/r/x86_64/APKINDEX.tar.gz", not_found },
	{ "/r/x86_64/Packages.adb", index_route },
	{ "/r/x86_64/new-1.apk", package_route },
	{ "/none/x86_64/APKINDEX.tar.gz", not_found },
	{ "/none/x86_64/Packages.adb", not_found },
	{ "/shut/x86_64/APKINDEX.tar.gz", refused },
	{ "/shut/x86_64/Packages.adb", index_route },
	{ "/apart/x86_64/APKINDEX.tar.gz", not_found },
	{ "/apart/x86_64/Packages.adb", index_route },
	{ "/apart/x86_64/new-1.apk", not_found },
	{ "/apart/noarch/new-1.apk", package_route },
	{ "/os/apk-configuration", not_found },
	{ "/apk-configuration", not_found },
	{ "/own/some.adb", index_route },
	{ "/own/new-1.apk", package_route },
};

struct fix {
	struct arena a;
	char *dir;
	struct sigkey *key;
	struct store *store;
	struct keyring keys;
	struct pool *pool;
	struct http *http, *offline;
	struct server *server;
	struct made old;
	struct apk_pkg want;	/* of the v3 package */
};

/* new 1, with the file etc/new */
static void make_package(struct fix *f)
{
	auto_made_adb struct made_adb m;
	auto_buf struct buf b = BUF_INIT(1 << 20);
	auto_err struct err err = ERR_INIT;

	made_adb_init(&m, ADB_SCHEMA_PACKAGE);
	uint32_t name = made_text(&m, "new"), version = made_text(&m, "1");
	uint32_t arch = made_text(&m, "noarch"), info = made_list(&m, name, version, 0, 0, arch);
	uint32_t files = made_list(&m, made_file(&m, "new", "hello", 0)), dir = made_text(&m, "etc");
	made_adb_root(&m, made_list(&m, info, made_list(&m, made_list(&m, dir, 0, files))));
	made_data(&m, 1, 1, "hello");
	made_adb_file(&m, MADE_DEFLATE, &b);
	package_body = arena_str(&f->a, buf_str(&b));
	f->want.file_size = b.n;
	made_adb_id(&m, f->want.checksum);
	assert_true(file_write(arena_printf(&f->a, "%s/x86_64/new-1.apk", f->dir), b.p, b.n, 0644,
		&err));
}

static uint32_t info_of(struct made_adb *m, const char *name, const char *version,
	const char *arch, struct str hash, uint64_t size)
{
	uint32_t v[13] = { made_text(m, name), made_text(m, version), made_blob(m, hash) };

	v[4] = made_text(m, arch);
	v[12] = made_int(m, size);
	return made_obj(m, v, 13);
}

/* An index of the v3 package and of a v2 one. */
static void make_index(struct fix *f, const char *spec, size_t hash_n, const struct sigkey *key)
{
	auto_made_adb struct made_adb m;
	auto_buf struct buf b = BUF_INIT(1 << 20);
	const struct apk_pkg *old = &f->old.want;

	made_adb_init(&m, ADB_SCHEMA_INDEX);
	uint32_t one = info_of(&m, "foo", "1.0-r0", "x86_64",
		str_n((const char *)old->checksum, SHA1_SIZE), old->file_size);
	uint32_t two = info_of(&m, "new", "1", "noarch",
		str_n((const char *)f->want.checksum, hash_n), f->want.file_size);
	uint32_t words = made_text(&m, "some words"), infos = made_list(&m, one, two);
	made_adb_root(&m, made_list(&m, words, infos, made_text(&m, spec)));
	if (key)
		made_sig(&m, key);
	made_adb_file(&m, MADE_ZSTD, &b);
	adb_body = arena_str(&f->a, buf_str(&b));
}

static void put_index(struct fix *f, const char *path)
{
	auto_err struct err err = ERR_INIT;

	assert_true(file_write(arena_printf(&f->a, "%s/%s", f->dir, path), adb_body.p, adb_body.n,
		0644, &err));
}

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf pem = BUF_INIT(BUF_NOLIMIT);
	const struct http_opts o = { .pause_ns = MS, .max_pause_ns = 2 * MS, .attempts = 2 };
	const struct http_opts off = { .offline = true };

	*state = f;
	f->dir = dir_temp(&f->a, "test-adb-repo-", &err);
	f->key = sigkey_generate(2048, &err);
	f->pool = pool_new(2);
	f->http = http_new(&o, &err);
	f->offline = http_new(&off, &err);
	keyring_init(&f->keys, &f->a);
	if (!f->dir || !f->key || !f->http || !f->offline || !sigkey_public_pem(f->key, &pem, &err) ||
	    !keyring_add(&f->keys, S("test.rsa.pub"), buf_str(&pem), &err))
		return -1;
	f->store = store_open(arena_printf(&f->a, "%s/store", f->dir), &err);
	f->server = server_start(routes, countof(routes));
	made_package(f->dir, "old", NULL, NULL, f->pool, &f->a, &f->old);
	make_package(f);
	make_index(f, NULL, SHA256_SIZE, f->key);
	return f->store ? 0 : -1;
}

static int teardown(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;

	server_stop(f->server);
	http_free(f->http);
	http_free(f->offline);
	store_close(f->store);
	pool_free(f->pool);
	keyring_release(&f->keys);
	sigkey_free(f->key);
	bool ok = dir_remove(f->dir, &err);
	arena_release(&f->a);
	free(f);
	return ok ? 0 : -1;
}

static bool load(struct fix *f, struct http *http, const char *line, struct apk_indexes *ret,
	struct err *err)
{
	const struct repo_opts o = { .keys = &f->keys, .store = f->store, .http = http };
	struct strs list = { 0 };

	strs_push(&f->a, &list, str_of(line));
	return repo_load(&list, S("x86_64"), &o, &f->a, ret, err);
}

/* Both packages come, from where the index says. */
static void expect(struct fix *f, struct http *http, const char *line, const char *file)
{
	auto_err struct err err = ERR_INIT;
	struct apk_indexes all = { 0 };
	struct apk_file got;

	if (!load(f, http, line, &all, &err))
		fail_msg("%s: %s", line, err.msg);
	assert_int_equal(all.n, 1);
	assert_int_equal(all.v[0]->n, 2);
	assert_true(str_is(all.v[0]->description, "some words"));
	const struct apk_pkg *p = apk_index_pkg(all.v[0], 1);
	assert_true(str_is(p->name, "new"));
	struct str url = apk_pkg_url(p, &f->a);
	if (!str_ends(url, str_of(file)))
		fail_msg("%s: %s", line, url.p);
	const struct apk_fetch how = { .store = f->store, .pool = f->pool, .http = http };
	if (!apk_fetch_all(&how, &p, 1, &f->a, &got, &err))
		fail_msg("%s: %s", line, err.msg);
	assert_true(str_is(got.entries[1].name, "etc/new"));
	apk_file_close(&got);
}

static void local_directory(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;
	struct apk_indexes all = { 0 };
	struct apk_file got;

	put_index(f, "x86_64/Packages.adb");
	expect(f, NULL, f->dir, "/x86_64/new-1.apk");
	/* again, of what was packed */
	expect(f, NULL, f->dir, "/x86_64/new-1.apk");
	/* a v2 package of a v3 index */
	assert_true(load(f, NULL, f->dir, &all, &err));
	const struct apk_pkg *p = apk_index_pkg(all.v[0], 0);
	const struct apk_fetch how = { .store = f->store, .pool = f->pool };
	if (!apk_fetch_all(&how, &p, 1, &f->a, &got, &err))
		fail_msg("%s", err.msg);
	assert_null(got.sums);
	apk_file_close(&got);
}

static void hashes_of_160_bits(void **state)
{
	struct fix *f = *state;

	make_index(f, NULL, SHA1_SIZE, f->key);
	put_index(f, "x86_64/Packages.adb");
	expect(f, NULL, f->dir, "/x86_64/new-1.apk");
}

static void v2_comes_first(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;
	struct apk_indexes all = { 0 };
	char *path = arena_printf(&f->a, "%s/x86_64/APKINDEX.tar.gz", f->dir);

	put_index(f, "x86_64/Packages.adb");
	assert_true(file_write(path, "no index", 8, 0644, &err));
	assert_false(load(f, NULL, f->dir, &all, &err));
	assert_non_null(strstr(err.msg, "APKINDEX.tar.gz"));
}

/* Some repositories have a v3 index under the name of the v2 one: the bytes tell. */
static void v3_by_the_old_name(void **state)
{
	struct fix *f = *state;

	put_index(f, "x86_64/APKINDEX.tar.gz");
	expect(f, NULL, f->dir, "/x86_64/new-1.apk");
}

static void an_index_by_name(void **state)
{
	struct fix *f = *state;

	put_index(f, "x86_64/any-name.adb");
	expect(f, NULL, arena_printf(&f->a, "%s/x86_64/any-name.adb", f->dir), "/x86_64/new-1.apk");
	expect(f, f->http, arena_printf(&f->a, "http://127.0.0.1:%d/own/some.adb",
		server_port(f->server)), "/own/new-1.apk");
}

static void files_by_spec(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;
	char *dir = arena_printf(&f->a, "%s/noarch", f->dir), sum[9];

	hex_encode(f->want.checksum, 4, sum);
	assert_true(dir_make(dir, 0755, &err));
	assert_true(file_write(arena_printf(&f->a, "%s/ne-1.%s", dir, sum), package_body.p,
		package_body.n, 0644, &err));
	make_index(f, "${arch}/${name:2}-${version}.${hash:8}", SHA256_SIZE, f->key);
	put_index(f, "x86_64/Packages.adb");
	char *file = arena_printf(&f->a, "%s/ne-1.%s", dir, sum);
	expect(f, NULL, f->dir, file);
	expect(f, NULL, f->dir, file);
	/* beside an index that a line names */
	put_index(f, "some.adb");
	expect(f, NULL, arena_printf(&f->a, "%s/some.adb", f->dir), file);
}

/* apk-tools 3 looks for packages without architecture where no architecture is. */
static void noarch_has_a_second_place(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;
	char *dir = arena_printf(&f->a, "%s/noarch", f->dir);

	put_index(f, "x86_64/Packages.adb");
	assert_int_equal(unlink(arena_printf(&f->a, "%s/x86_64/new-1.apk", f->dir)), 0);
	assert_true(dir_make(dir, 0755, &err));
	assert_true(file_write(arena_printf(&f->a, "%s/new-1.apk", dir), package_body.p,
		package_body.n, 0644, &err));
	expect(f, NULL, f->dir, "/x86_64/new-1.apk");
	const struct store_clean all = { .all = true };
	struct store_usage u;
	assert_true(store_clean(f->store, &all, &u, &err));
	expect(f, f->http, arena_printf(&f->a, "http://127.0.0.1:%d/apart", server_port(f->server)),
		"/apart/x86_64/new-1.apk");
	assert_int_equal(server_hits(f->server, "/apart/noarch/new-1.apk"), 1);
}

static void over_the_network(void **state)
{
	struct fix *f = *state;
	char *line = arena_printf(&f->a, "http://127.0.0.1:%d/r", server_port(f->server));

	expect(f, f->http, line, "/r/x86_64/new-1.apk");
	assert_int_equal(server_hits(f->server, "/r/x86_64/Packages.adb"), 1);
	expect(f, f->offline, line, "/r/x86_64/new-1.apk");
	assert_int_equal(server_hits(f->server, "/r/x86_64/Packages.adb"), 1);
}

static void only_what_is_missing_has_a_second_place(void **state)
{
	static const struct {
		const char *repo, *says, *not;
	} rows[] = {
		{ "none", "/none/x86_64/APKINDEX.tar.gz: the server answered 404", "Packages.adb" },
		{ "shut", "/shut/x86_64/APKINDEX.tar.gz: the server answered 403", "Packages.adb" },
	};
	struct fix *f = *state;

	for (size_t i = 0; i < countof(rows); i++) {
		auto_err struct err err = ERR_INIT;
		struct apk_indexes all = { 0 };
		char *line = arena_printf(&f->a, "http://127.0.0.1:%d/%s", server_port(f->server),
			rows[i].repo);
		assert_false(load(f, f->http, line, &all, &err));
		if (!strstr(err.msg, rows[i].says) || strstr(err.msg, rows[i].not))
			fail_msg("%s", err.msg);
	}
	assert_int_equal(server_hits(f->server, "/shut/x86_64/Packages.adb"), 0);
}

/* Keys are announced by the repository, not by the index that a line names. */
static void keys_of_an_index_by_name(void **state)
{
	static const char *const rows[][2] = {
		{ "os/x86_64/Packages.adb", "/os/apk-configuration" },
		{ "Packages.adb", "/apk-configuration" },
	};
	struct fix *f = *state;

	for (size_t i = 0; i < countof(rows); i++) {
		auto_err struct err err = ERR_INIT;
		struct strs list = { 0 };
		strs_push(&f->a, &list, arena_strf(&f->a, "http://127.0.0.1:%d/%s",
			server_port(f->server), rows[i][0]));
		assert_true(discovery_fetch(f->http, &list, S("x86_64"), &f->keys, &err));
		assert_int_equal(server_hits(f->server, rows[i][1]), 1);
	}
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(local_directory), T(hashes_of_160_bits), T(v2_comes_first), T(v3_by_the_old_name),
		T(an_index_by_name),
		T(files_by_spec), T(over_the_network), T(only_what_is_missing_has_a_second_place),
		T(keys_of_an_index_by_name), T(noarch_has_a_second_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
