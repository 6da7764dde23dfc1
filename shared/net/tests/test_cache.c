#include "shared/net/cache.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/net/tests/server.h"
#include "shared/os/dir.h"
#include "shared/os/fd.h"

static struct server *srv;

/* Routes: what a server with an ETag, a date, neither, a new version each time would say. */
static void tagged(unused_arg struct server *s, int fd, const struct request *r)
{
	char asked[128];

	request_header(r, "If-None-Match", asked, sizeof(asked));
	if (strcmp(asked, "\"v1\"") == 0)
		reply_text(fd, "HTTP/1.1 304 Same\r\nETag: \"v1\"", "");
	else
		reply_text(fd, "HTTP/1.1 200 OK\r\nETag: \"v1\"", "tagged body");
}

static void dated(unused_arg struct server *s, int fd, const struct request *r)
{
	char asked[128];

	request_header(r, "If-Modified-Since", asked, sizeof(asked));
	if (*asked)
		reply_text(fd, "HTTP/1.1 304 Same", "");
	else
		reply_text(fd, "HTTP/1.1 200 OK\r\nLast-Modified: Tue, 01 Jan 2030 00:00:00 GMT",
			"dated body");
}

static void plain(unused_arg struct server *s, int fd, const struct request *r)
{
	reply_text(fd, "HTTP/1.1 200 OK", r->hit == 1 ? "first" : "second");
}

static void changing(unused_arg struct server *s, int fd, const struct request *r)
{
	char head[128], text[32];

	(void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nETag: \"v%u\"", r->hit);
	(void)snprintf(text, sizeof(text), "version %u", r->hit);
	reply_text(fd, head, text);
}

/* Row 58 of apk-format 8: what a server calls it names no file. */
static void evil(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	reply_text(fd, "HTTP/1.1 200 OK\r\nETag: \"../../evil\"\r\n"
		"Content-Disposition: attachment; filename=../evil", "evil body");
}

static const struct route routes[] = {
	{ "/tagged", tagged }, { "/dated", dated }, { "/plain", plain },
	{ "/changing", changing }, { "/evil", evil },
};

struct fixture {
	struct arena arena;
	struct http *online, *offline;
	struct cache cache, off;
	char *dir;
};

static int setup(void **state)
{
	struct http_opts on = { .attempts = 1 }, off = { .offline = true };
	struct fixture *f = calloc(1, sizeof(*f));
	auto_err struct err err = ERR_INIT;

	assert_non_null(f);
	f->online = http_new(&on, &err);
	f->offline = http_new(&off, &err);
	f->dir = dir_temp(&f->arena, "cache", &err);
	assert_non_null(f->dir);
	f->cache = (struct cache){ arena_printf(&f->arena, "%s/a/b", f->dir), f->online };
	f->off = (struct cache){ f->cache.dir, f->offline };
	server_reset(srv);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	auto_err struct err err = ERR_INIT;

	assert_true(dir_remove(f->dir, &err));
	http_free(f->online);
	http_free(f->offline);
	arena_release(&f->arena);
	free(f);
	return 0;
}

static char *url_of(struct fixture *f, const char *path)
{
	return arena_printf(&f->arena, "http://127.0.0.1:%d%s", server_port(srv), path);
}

static void check(struct fixture *f, struct cache *c, const char *path, bool immutable,
	const char *want, unsigned hits)
{
	auto_buf struct buf out = BUF_INIT(1000);
	auto_err struct err err = ERR_INIT;

	if (!cache_get(c, url_of(f, path), immutable, &f->arena, &out, &err))
		fail_msg("%s", err.msg);
	assert_string_equal(out.p, want);
	assert_int_equal(server_hits(srv, path), hits);
}

static void validators(void **state)
{
	struct fixture *f = *state;

	check(f, &f->cache, "/tagged", false, "tagged body", 1);
	check(f, &f->cache, "/tagged", false, "tagged body", 2);
	assert_true(server_saw(srv, "If-None-Match: \"v1\"\r\n"));
	check(f, &f->cache, "/dated", false, "dated body", 1);
	check(f, &f->cache, "/dated", false, "dated body", 2);
	assert_true(server_saw(srv, "If-Modified-Since: Tue, 01 Jan 2030 00:00:00 GMT\r\n"));
	check(f, &f->off, "/tagged", false, "tagged body", 2);
}

static void immutable(void **state)
{
	struct fixture *f = *state;

	check(f, &f->cache, "/tagged", true, "tagged body", 1);
	check(f, &f->cache, "/tagged", true, "tagged body", 1);
	check(f, &f->cache, "/plain", true, "first", 1);
	check(f, &f->cache, "/plain", true, "first", 1);
}

static void without_validators(void **state)
{
	struct fixture *f = *state;

	check(f, &f->cache, "/plain", false, "first", 1);
	check(f, &f->cache, "/plain", false, "second", 2);
	assert_false(server_saw(srv, "If-"));
	check(f, &f->off, "/plain", false, "second", 2);
}

static void offline_without_entry(void **state)
{
	struct fixture *f = *state;
	auto_buf struct buf out = BUF_INIT(1000);
	auto_err struct err err = ERR_INIT;

	assert_false(cache_get(&f->off, "http://u:pw@h/x", false, &f->arena, &out, &err));
	assert_string_equal(err.msg, "no offline cached entries for 'http://h/x'");
	assert_int_equal(err.kind, EK_NETWORK);
}

/* Files of the directory: an entry is one description and one body, whatever came before. */
static void replaced(void **state)
{
	struct fixture *f = *state;
	auto_err struct err err = ERR_INIT;
	struct strs names = { 0 };

	check(f, &f->cache, "/changing", false, "version 1", 1);
	check(f, &f->cache, "/changing", false, "version 2", 2);
	assert_true(server_saw(srv, "If-None-Match: \"v1\"\r\n"));
	assert_true(dir_names(f->cache.dir, &f->arena, &names, &err));
	assert_int_equal(names.n, 2);
	check(f, &f->off, "/changing", false, "version 2", 2);
}

static void names(void **state)
{
	struct fixture *f = *state;
	auto_buf struct buf out = BUF_INIT(1000);
	auto_buf struct buf meta = BUF_INIT(10000);
	auto_err struct err err = ERR_INIT;
	struct strs list = { 0 };

	assert_true(cache_get(&f->cache, arena_printf(&f->arena, "http://usr:secretpw@127.0.0.1:%d/evil",
		server_port(srv)), false, &f->arena, &out, &err));
	assert_true(dir_names(f->cache.dir, &f->arena, &list, &err));
	assert_int_equal(list.n, 2);
	for (size_t i = 0; i < list.n; i++) {
		assert_true(str_find(list.v[i], S("evil")) < 0);
		buf_clear(&meta);
		assert_true(file_read(arena_printf(&f->arena, "%s/%.*s", f->cache.dir,
			STR_ARG(list.v[i])), &meta, &err));
		assert_true(str_find(buf_str(&meta), S("secretpw")) < 0);
	}
	check(f, &f->off, "/evil", false, "evil body", 1);
}

static void damaged(void **state)
{
	struct fixture *f = *state;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(1000);
	struct strs list = { 0 };

	check(f, &f->cache, "/tagged", false, "tagged body", 1);
	assert_true(dir_names(f->cache.dir, &f->arena, &list, &err));
	for (size_t i = 0; i < list.n; i++) {
		const char *path = arena_printf(&f->arena, "%s/%.*s", f->cache.dir,
			STR_ARG(list.v[i]));

		assert_true(file_write(path, "tagged bodY", 11, 0644, &err));
		server_reset(srv);
		check(f, &f->cache, "/tagged", false, "tagged body", 1);
		assert_false(server_saw(srv, "If-None-Match"));
		assert_int_equal(unlink(path), 0);
		assert_false(cache_get(&f->off, url_of(f, "/tagged"), false, &f->arena, &out, &err));
		check(f, &f->cache, "/tagged", false, "tagged body", 2);
	}
}

static void many(void **state)
{
	struct fixture *f = *state;
	auto_err struct err err = ERR_INIT;
	struct cache_job jobs[] = {
		{ .url = url_of(f, "/tagged") }, { .url = url_of(f, "/plain"), .immutable = true },
		{ .url = url_of(f, "/dated") },
	};

	for (int round = 0; round < 2; round++) {
		assert_true(cache_open_all(&f->cache, jobs, countof(jobs), &f->arena, &err));
		for (size_t i = 0; i < countof(jobs); i++) {
			char text[32] = "";

			assert_int_equal(read(jobs[i].fd, text, sizeof(text)), jobs[i].size);
			assert_int_equal(jobs[i].from_cache, round == 1);
			fd_close(&jobs[i].fd);
		}
	}
	jobs[1].url = url_of(f, "/none");
	assert_false(cache_open_all(&f->cache, jobs, countof(jobs), &f->arena, &err));
	assert_int_equal(err.kind, EK_NOTFOUND);
	for (size_t i = 0; i < countof(jobs); i++)
		assert_int_equal(jobs[i].fd, -1);
	jobs[0].max_bytes = 3;
	jobs[0].url = url_of(f, "/changing");
	assert_false(cache_open_all(&f->cache, jobs, 1, &f->arena, &err));
	assert_non_null(strstr(err.msg, "size limit exceeded: limit is 3 bytes"));
}

static void without_directory(void **state)
{
	struct fixture *f = *state;
	struct cache none = { NULL, f->online };

	check(f, &none, "/tagged", true, "tagged body", 1);
	check(f, &none, "/tagged", true, "tagged body", 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(validators, setup, teardown),
		cmocka_unit_test_setup_teardown(immutable, setup, teardown),
		cmocka_unit_test_setup_teardown(without_validators, setup, teardown),
		cmocka_unit_test_setup_teardown(offline_without_entry, setup, teardown),
		cmocka_unit_test_setup_teardown(replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(names, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(many, setup, teardown),
		cmocka_unit_test_setup_teardown(without_directory, setup, teardown),
	};
	static const char *const vars[] = { "http_proxy", "all_proxy", "ALL_PROXY" };
	int failed;

	for (size_t i = 0; i < countof(vars); i++)
		unsetenv(vars[i]);
	srv = server_start(routes, countof(routes));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	server_stop(srv);
	return failed;
}
