#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/apk/expand.h"
#include "shared/apk/index.h"
#include "shared/apk/repo.h"
#include "shared/apk/tests/made.h"
#include "shared/net/http.h"
#include "shared/net/tests/server.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

/* A repository behind a server that misbehaves: either the package comes as it is, or there is one
 * error with the URL and the reason, and nothing in the store that was not verified. */

#define MS 1000000ll
#define INDEX "/r/x86_64/APKINDEX.tar.gz"
#define PACKAGE "/r/x86_64/foo-1.0-r0.apk"

typedef void serving(struct server *s, int fd, const struct request *r, struct str body);

/* What the two routes do at present. */
static serving *serve_index, *serve_package;
static struct str index_body, package_body, other_index, other_package, new_package;

static void as_it_is(unused_arg struct server *s, int fd, unused_arg const struct request *r,
	struct str body)
{
	reply(fd, "HTTP/1.1 200 OK", body.p, body.n);
}

static void announce(int fd, const char *more, size_t n)
{
	char head[500];

	(void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n"
		"Connection: close\r\n\r\n", more, n);
	send_bytes(fd, head, strlen(head));
}

static void truncated(unused_arg struct server *s, int fd, unused_arg const struct request *r,
	struct str body)
{
	announce(fd, "", body.n);
	send_bytes(fd, body.p, body.n / 2);
}

static void truncated_once(struct server *s, int fd, const struct request *r, struct str body)
{
	(r->hit == 1 ? truncated : as_it_is)(s, fd, r, body);
}

static void resumed(unused_arg struct server *s, int fd, const struct request *r, struct str body)
{
	char range[100], head[300];
	size_t from;

	request_header(r, "Range", range, sizeof(range));
	if (sscanf(range, "bytes=%zu-", &from) != 1 || from > body.n) {
		announce(fd, "ETag: \"one\"\r\n", body.n);
		send_bytes(fd, body.p, body.n / 2);
		return;
	}
	(void)snprintf(head, sizeof(head), "HTTP/1.1 206 Partial Content\r\nETag: \"one\"\r\n"
		"Content-Range: bytes %zu-%zu/%zu", from, body.n - 1, body.n);
	reply(fd, head, body.p + from, body.n - from);
}

static void stalled(struct server *s, int fd, unused_arg const struct request *r, struct str body)
{
	announce(fd, "", body.n);
	send_bytes(fd, body.p, body.n / 2);
	stall(s, fd, 5000);
}

static void stalled_once(struct server *s, int fd, const struct request *r, struct str body)
{
	(r->hit == 1 ? stalled : as_it_is)(s, fd, r, body);
}

static void resets(unused_arg struct server *s, int fd, unused_arg const struct request *r,
	struct str body)
{
	announce(fd, "", body.n);
	send_bytes(fd, body.p, body.n / 2);
	reset_on_close(fd);
}

static void resets_once(struct server *s, int fd, const struct request *r, struct str body)
{
	(r->hit == 1 ? resets : as_it_is)(s, fd, r, body);
}

static void says_less(unused_arg struct server *s, int fd, unused_arg const struct request *r,
	struct str body)
{
	announce(fd, "", body.n - 10);
	send_bytes(fd, body.p, body.n);
}

static void says_more(unused_arg struct server *s, int fd, unused_arg const struct request *r,
	struct str body)
{
	announce(fd, "", body.n + 10);
	send_bytes(fd, body.p, body.n);
}

/* Breaks off in a file that is another one when the rest is asked for. */
static void changes(unused_arg struct server *s, int fd, const struct request *r, struct str body)
{
	if (r->hit > 1) {
		reply(fd, "HTTP/1.1 200 OK\r\nETag: \"two\"", body.p, body.n);
		return;
	}
	announce(fd, "ETag: \"one\"\r\n", body.n);
	send_bytes(fd, new_package.p, body.n / 2);
}

/* The same, but the server takes no notice of the validator: two halves that do not belong
 * together. */
static void changes_unnoticed(struct server *s, int fd, const struct request *r, struct str body)
{
	resumed(s, fd, r, r->hit == 1 ? str_sub(new_package, 0, body.n) : body);
}

#define ANSWERS(name, status, more)                                                              \
	static void name(unused_arg struct server *s, int fd,                                    \
		unused_arg const struct request *r, unused_arg struct str body)                  \
	{                                                                                        \
		reply_text(fd, "HTTP/1.1 " status more, "no");                                   \
	}                                                                                        \
	static void name##_once(struct server *s, int fd, const struct request *r,               \
		struct str body)                                                                 \
	{                                                                                        \
		(r->hit == 1 ? name : as_it_is)(s, fd, r, body);                                 \
	}
ANSWERS(busy, "429 Too Many Requests", "\r\nRetry-After: 0")
ANSWERS(broken, "500 Internal Server Error", "")
ANSWERS(away, "503 Service Unavailable", "\r\nRetry-After: 0")

static void gone(unused_arg struct server *s, int fd, unused_arg const struct request *r,
	unused_arg struct str body)
{
	reply_text(fd, "HTTP/1.1 404 Not Found", "no");
}

static void circles(unused_arg struct server *s, int fd, const struct request *r,
	unused_arg struct str body)
{
	char head[600];

	(void)snprintf(head, sizeof(head), "HTTP/1.1 302 Found\r\nLocation: %s", r->path);
	reply_text(fd, head, "");
}

static void of_another(unused_arg struct server *s, int fd, const struct request *r,
	unused_arg struct str body)
{
	struct str b = strcmp(r->path, INDEX) == 0 ? other_index : other_package;

	reply(fd, "HTTP/1.1 200 OK", b.p, b.n);
}

static void replaced(unused_arg struct server *s, int fd, unused_arg const struct request *r,
	unused_arg struct str body)
{
	reply(fd, "HTTP/1.1 200 OK", new_package.p, new_package.n);
}

static void index_route(struct server *s, int fd, const struct request *r)
{
	serve_index(s, fd, r, index_body);
}

static void package_route(struct server *s, int fd, const struct request *r)
{
	serve_package(s, fd, r, package_body);
}

static const struct route routes[] = {
	{ INDEX, index_route },
	{ PACKAGE, package_route },
};

static const struct row {
	const char *what;
	serving *index, *package;
	const char *error;	/* NULL: the package comes */
} rows[] = {
	{ "well-behaved", as_it_is, as_it_is, NULL },
	{ "truncates the index", truncated, as_it_is, "transfer closed" },
	{ "truncates the index once", truncated_once, as_it_is, NULL },
	{ "truncates the package", as_it_is, truncated, "transfer closed" },
	{ "truncates the package once", as_it_is, truncated_once, NULL },
	{ "package resumed", as_it_is, resumed, NULL },
	{ "index resumed", resumed, as_it_is, NULL },
	{ "index stalls", stalled, as_it_is, "too few bytes within" },
	{ "index stalls once", stalled_once, as_it_is, NULL },
	{ "package stalls", as_it_is, stalled, "too few bytes within" },
	{ "package stalls once", as_it_is, stalled_once, NULL },
	{ "resets the index", resets, as_it_is, "" },
	{ "resets the index once", resets_once, as_it_is, NULL },
	{ "resets the package", as_it_is, resets, "" },
	{ "resets the package once", as_it_is, resets_once, NULL },
	{ "index longer than it says", says_less, as_it_is, "signature verification failed" },
	{ "index shorter than it says", says_more, as_it_is, "transfer closed" },
	{ "package longer than it says", as_it_is, says_less, "size mismatch" },
	{ "package shorter than it says", as_it_is, says_more, "size limit exceeded" },
	{ "package changes meanwhile", as_it_is, changes, NULL },
	{ "package changes unnoticed", as_it_is, changes_unnoticed, "package 'http" },
	{ "index 429", busy, as_it_is, "429" },
	{ "index 429 once", busy_once, as_it_is, NULL },
	{ "package 429 once", as_it_is, busy_once, NULL },
	{ "index 500", broken, as_it_is, "500" },
	{ "index 500 once", broken_once, as_it_is, NULL },
	{ "package 500", as_it_is, broken, "500" },
	{ "package 500 once", as_it_is, broken_once, NULL },
	{ "index 503 once", away_once, as_it_is, NULL },
	{ "package 503", as_it_is, away, "503" },
	{ "package 503 once", as_it_is, away_once, NULL },
	{ "index missing", gone, as_it_is, "404" },
	{ "package missing", as_it_is, gone, "404" },
	{ "index redirects in circles", circles, as_it_is, "redirects" },
	{ "package redirects in circles", as_it_is, circles, "redirects" },
	{ "index of another repository", of_another, as_it_is,
	  "no signature with known key (one of: [test.rsa.pub])" },
	{ "package of another repository", as_it_is, of_another, "size mismatch: expected" },
	{ "package built anew", as_it_is, replaced, "size limit exceeded: limit is" },
};

struct fix {
	struct arena a;
	char *dir, *repo;
	struct store *store;
	struct keyring keys;
	struct pool *pool;
	struct http *http;
	struct server *server;
};

static struct str slurp(struct arena *a, const char *path)
{
	auto_buf struct buf b = BUF_INIT(1 << 20);
	auto_err struct err err = ERR_INIT;

	if (!file_read(path, &b, &err))
		fail_msg("%s", err.msg);
	return arena_str(a, buf_str(&b));
}

static struct str index_of(const struct made *m, const struct sigkey *key, const char *name,
	struct arena *a)
{
	auto_buf struct buf b = BUF_INIT(1 << 20);
	auto_err struct err err = ERR_INIT;
	struct apk_pkg p = m->want;
	const struct apk_index idx = { .pkgs = &p, .n = 1 };

	p.index = NULL;
	assert_true(index_write(&idx, key, name, &b, &err));
	return arena_str(a, buf_str(&b));
}

static void make_bodies(struct fix *f)
{
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf pem = BUF_INIT(BUF_NOLIMIT);
	auto_sigkey struct sigkey *key = sigkey_generate(2048, &err);
	auto_sigkey struct sigkey *other = sigkey_generate(2048, &err);
	struct made m;

	assert_true(key && other && sigkey_public_pem(key, &pem, &err));
	assert_true(keyring_add(&f->keys, S("test.rsa.pub"), buf_str(&pem), &err));
	/* Without a signature it is certainly smaller, with the text of a key certainly larger. */
	made_package(f->dir, "other", NULL, NULL, f->pool, &f->a, &m);
	other_package = slurp(&f->a, m.path);
	other_index = index_of(&m, other, "other.rsa", &f->a);
	made_package(f->dir, pem.p, key, "test.rsa", f->pool, &f->a, &m);
	new_package = slurp(&f->a, m.path);
	made_package(f->dir, "hello", key, "test.rsa", f->pool, &f->a, &m);
	package_body = slurp(&f->a, m.path);
	index_body = index_of(&m, key, "test.rsa", &f->a);
}

static int setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));
	auto_err struct err err = ERR_INIT;
	const struct http_opts o = { .pause_ns = MS, .max_pause_ns = 2 * MS, .attempts = 3,
		.stall_ns = 200 * MS, .budget_ns = 5000 * MS };

	*state = f;
	f->dir = dir_temp(&f->a, "test-network-", &err);
	f->pool = pool_new(2);
	f->http = http_new(&o, &err);
	if (!f->dir || !f->http)
		return -1;
	keyring_init(&f->keys, &f->a);
	make_bodies(f);
	f->store = store_open(arena_printf(&f->a, "%s/store", f->dir), &err);
	f->server = server_start(routes, countof(routes));
	f->repo = arena_printf(&f->a, "http://user:hidden@127.0.0.1:%d/r", server_port(f->server));
	return f->store ? 0 : -1;
}

static int teardown(void **state)
{
	struct fix *f = *state;
	auto_err struct err err = ERR_INIT;

	server_stop(f->server);
	http_free(f->http);
	store_close(f->store);
	pool_free(f->pool);
	keyring_release(&f->keys);
	bool ok = dir_remove(f->dir, &err);
	arena_release(&f->a);
	free(f);
	return ok ? 0 : -1;
}

static bool get(struct fix *f, struct arena *a, struct apk_file *ret, struct err *err)
{
	const struct repo_opts o = { .keys = &f->keys, .store = f->store, .http = f->http };
	const struct apk_fetch how = { .store = f->store, .pool = f->pool, .http = f->http,
		.limits.keys = &f->keys };
	struct apk_indexes idx = { 0 };
	struct strs list = { 0 };

	strs_push(a, &list, str_of(f->repo));
	if (!repo_load(&list, S("x86_64"), &o, a, &idx, err))
		return false;
	const struct apk_pkg *p = apk_index_pkg(idx.v[0], 0);
	return apk_fetch_all(&how, &p, 1, a, ret, err);
}

static size_t packages_in(struct fix *f, struct arena *a)
{
	static const char *const folders[] = { "control", "data", "entries", "tmp" };
	size_t n = 0;

	for (size_t i = 0; i < countof(folders); i++) {
		auto_err struct err err = ERR_INIT;
		struct strs names = { 0 };
		if (dir_names(arena_printf(a, "%s/%s", store_dir(f->store), folders[i]), a,
			    &names, &err))
			n += names.n;
	}
	return n;
}

static void new_store(struct fix *f)
{
	auto_err struct err err = ERR_INIT;
	char *dir = arena_printf(&f->a, "%s/store", f->dir);

	store_close(f->store);
	assert_true(dir_remove(dir, &err));
	f->store = store_open(dir, &err);
	assert_non_null(f->store);
	server_reset(f->server);
}

static void check_file(const struct apk_file *file)
{
	char text[6] = "";

	assert_int_equal(file->n_entries, 1);
	assert_int_equal(pread(file->data.fd, text, 5, (off_t)file->entries[0].off), 5);
	assert_string_equal(text, "hello");
}

static void try_row(struct fix *f, const struct row *r)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct apk_file file;
	const char *url = r->index == as_it_is ? "/r/x86_64/foo-1.0-r0.apk"
					       : "/r/x86_64/APKINDEX.tar.gz";

	new_store(f);
	serve_index = r->index;
	serve_package = r->package;
	bool ok = get(f, &a, &file, &err);
	if (ok != !r->error || (!ok && (!strstr(err.msg, r->error) || !strstr(err.msg, url) ||
				strstr(err.msg, "hidden"))))
		fail_msg("%s: %s", r->what, ok ? "it came" : err.msg);
	if (ok) {
		check_file(&file);
		apk_file_close(&file);
	} else if (packages_in(f, &a) != 0) {
		fail_msg("%s: the store has changed", r->what);
	}
}

static void every_row(void **state)
{
	for (size_t i = 0; i < countof(rows); i++)
		try_row(*state, &rows[i]);
}

/* A bad answer takes nothing away from what an earlier good one left. */
static void earlier_objects_stay(void **state)
{
	static serving *const bad[] = { truncated, resets, says_less, broken, gone, circles,
		of_another };
	struct fix *f = *state;
	struct apk_file file;

	new_store(f);
	serve_index = serve_package = as_it_is;
	for (size_t i = 0; i <= countof(bad); i++) {
		auto_arena struct arena a = ARENA_INIT;
		auto_err struct err err = ERR_INIT;
		if (!get(f, &a, &file, &err))
			fail_msg("%s", err.msg);
		check_file(&file);
		apk_file_close(&file);
		if (i == countof(bad))
			break;
		serve_index = bad[i];
		assert_false(get(f, &a, &file, &err));
		assert_int_equal(packages_in(f, &a), 3);
		serve_index = as_it_is;
	}
	assert_int_equal(server_hits(f->server, PACKAGE), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row),
		cmocka_unit_test(earlier_objects_stay),
	};
	static const char *const vars[] = { "http_proxy", "https_proxy", "all_proxy" };

	for (size_t i = 0; i < countof(vars); i++)
		(void)unsetenv(vars[i]);
	return cmocka_run_group_tests(tests, setup, teardown);
}
