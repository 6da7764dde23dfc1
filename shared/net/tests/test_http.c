#include "shared/net/http.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>
#include "shared/base/tstamp.h"
#include "shared/net/tests/server.h"
#include "shared/net/xferend.h"
#include "shared/os/fd.h"
#include "shared/os/proc.h"

#define MS ((int64_t)1000000)
#define BODY 100000
#define CUT 40000

static struct server *srv;
static char body[BODY + 1], other[BODY + 1];

static void ok(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	reply_text(fd, "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nX-Two:  a b \r\nContent-Type: text/plain",
		"hello");
}

static void missing(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	reply_text(fd, "HTTP/1.1 404 Not Found\r\nX-Why: gone", "{\"errors\":1}");
}

static void twice_500(struct server *s, int fd, const struct request *r)
{
	if (r->hit <= 2)
		reply_text(fd, "HTTP/1.1 500 Oops", "broken");
	else
		ok(s, fd, r);
}

static void busy_once(struct server *s, int fd, const struct request *r)
{
	if (r->hit == 1)
		reply_text(fd, "HTTP/1.1 429 Slow\r\nRetry-After: 1", "");
	else
		ok(s, fd, r);
}

static void busy_long(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	reply_text(fd, "HTTP/1.1 503 Busy\r\nRetry-After: 100000", "");
}

static void always_503(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	reply_text(fd, "HTTP/1.1 503 Busy", "");
}

static void always_501(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	reply_text(fd, "HTTP/1.1 501 No", "");
}

static void always_401(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	reply_text(fd, "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x", "");
}

/* Announces all of p and breaks off after CUT bytes. */
static void send_cut(int fd, const char *etag, const char *p)
{
	char head[256];
	int n = snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n",
		etag, BODY);

	send_bytes(fd, head, (size_t)n);
	send_bytes(fd, p, CUT);
}

static void send_part(int fd, const char *etag, const char *p, int from)
{
	char head[256];

	(void)snprintf(head, sizeof(head),
		"HTTP/1.1 206 Part\r\nETag: %s\r\nContent-Range: bytes %d-%d/%d", etag, from,
		BODY - 1, BODY);
	reply(fd, head, p + from, (size_t)(BODY - from));
}

/* Breaks off once; then goes on where it is asked to. */
static void resumes(unused_arg struct server *s, int fd, const struct request *r)
{
	char range[64];

	request_header(r, "Range", range, sizeof(range));
	if (r->hit == 1)
		send_cut(fd, "ETag: \"v1\"\r\n", body);
	else if (strcmp(range, "bytes=40000-") == 0)
		send_part(fd, "\"v1\"", body, CUT);
	else
		reply_text(fd, "HTTP/1.1 400 no range", "");
}

/* Has something else by the second request, and honours If-Range. */
static void changes(unused_arg struct server *s, int fd, const struct request *r)
{
	if (r->hit == 1)
		send_cut(fd, "ETag: \"v1\"\r\n", body);
	else
		reply(fd, "HTTP/1.1 200 OK\r\nETag: \"v2\"", other, BODY);
}

/* The same, but gives a part of the new content. */
static void changes_badly(unused_arg struct server *s, int fd, const struct request *r)
{
	char range[64];

	request_header(r, "Range", range, sizeof(range));
	if (r->hit == 1)
		send_cut(fd, "ETag: \"v1\"\r\n", body);
	else if (*range)
		send_part(fd, "\"v2\"", other, CUT);
	else
		reply(fd, "HTTP/1.1 200 OK\r\nETag: \"v2\"", other, BODY);
}

/* A part from another place than asked for. */
static void wrong_part(unused_arg struct server *s, int fd, const struct request *r)
{
	char range[64];

	request_header(r, "Range", range, sizeof(range));
	if (r->hit == 1)
		send_cut(fd, "ETag: \"v1\"\r\n", body);
	else if (*range)
		send_part(fd, "\"v1\"", body, CUT - 1);
	else
		reply(fd, "HTTP/1.1 200 OK\r\nETag: \"v1\"", body, BODY);
}

static void no_validator(unused_arg struct server *s, int fd, const struct request *r)
{
	char range[64];

	request_header(r, "Range", range, sizeof(range));
	if (r->hit == 1)
		send_cut(fd, "", body);
	else
		reply(fd, *range ? "HTTP/1.1 400 range" : "HTTP/1.1 200 OK", body, BODY);
}

static void no_such_range(unused_arg struct server *s, int fd, const struct request *r)
{
	char range[64];

	request_header(r, "Range", range, sizeof(range));
	if (r->hit == 1)
		send_cut(fd, "ETag: \"v1\"\r\n", body);
	else
		reply(fd, *range ? "HTTP/1.1 416 No" : "HTTP/1.1 200 OK", body, BODY);
}

static void always_cut(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	send_cut(fd, "", body);
}

static void unasked_part(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	send_part(fd, "\"v1\"", body, CUT);
}

static void reset_once(struct server *s, int fd, const struct request *r)
{
	if (r->hit == 1)
		reset_on_close(fd);
	else
		ok(s, fd, r);
}

static void close_once(struct server *s, int fd, const struct request *r)
{
	if (r->hit > 1)
		ok(s, fd, r);
}

static void stalls(struct server *s, int fd, unused_arg const struct request *r)
{
	send_cut(fd, "", body);
	stall(s, fd, 10000);
}

static void drips(struct server *s, int fd, unused_arg const struct request *r)
{
	send_cut(fd, "", body);
	for (int i = 0; i < 100; i++) {
		send_bytes(fd, "x", 1);
		stall(s, fd, 100);
	}
}

static void endless(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	send_bytes(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 47);
	for (int i = 0; i < 1000; i++) {
		send_bytes(fd, "186a0\r\n", 7);
		send_bytes(fd, body, BODY);
		send_bytes(fd, "\r\n", 2);
	}
}

static void announces_much(unused_arg struct server *s, int fd,
	unused_arg const struct request *r)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n";

	send_bytes(fd, head, sizeof(head) - 1);
	stall(s, fd, 10000);
}

static void many_headers(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	send_bytes(fd, "HTTP/1.1 200 OK\r\n", 17);
	for (int i = 0; i < 300; i++)
		send_bytes(fd, "X-H: v\r\n", 8);
	send_bytes(fd, "\r\n", 2);
}

static void not_http(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	send_bytes(fd, "hello there\r\n", 13);
}

static void redirect_to(int fd, const char *status, const char *to)
{
	char head[600];

	(void)snprintf(head, sizeof(head), "HTTP/1.1 %s\r\nLocation: %s", status, to);
	reply_text(fd, head, "moved");
}

static void moved(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	redirect_to(fd, "302 Found", "moved2?x");
}

static void moved2(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	redirect_to(fd, "307 Moved", "/ok");
}

static void loops(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	redirect_to(fd, "302 Found", "/loop");
}

static void to_file(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	redirect_to(fd, "302 Found", "file://localhost/etc/passwd");
}

static void nowhere(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	reply_text(fd, "HTTP/1.1 302 Found", "");
}

static void to_other_host(struct server *s, int fd, unused_arg const struct request *r)
{
	char to[128];

	(void)snprintf(to, sizeof(to), "http://user:locpw@localhost:%d/landing", server_port(s));
	redirect_to(fd, "302 Found", to);
}

static void landing(unused_arg struct server *s, int fd, const struct request *r)
{
	char auth[256], cookie[256];

	request_header(r, "Authorization", auth, sizeof(auth));
	request_header(r, "Cookie", cookie, sizeof(cookie));
	reply_text(fd, "HTTP/1.1 200 OK", *auth || *cookie ? "leaked" : "clean");
}

/* Sends the request's method and body back. */
static void echo(unused_arg struct server *s, int fd, const struct request *r)
{
	char text[70000];
	int n = snprintf(text, sizeof(text), "%s %.*s", r->method, (int)r->body_n, r->body);

	if (r->hit == 1)
		reply_text(fd, "HTTP/1.1 500 first", "");
	else
		reply(fd, "HTTP/1.1 201 Created", text, (size_t)n);
}

static void slow(struct server *s, int fd, const struct request *r)
{
	stall(s, fd, 100);
	ok(s, fd, r);
}

static void proxied(unused_arg struct server *s, int fd, unused_arg const struct request *r)
{
	redirect_to(fd, "302 Found", "http://169.254.169.254/latest");
}

static const struct route routes[] = {
	{ "/ok", ok }, { "/missing", missing }, { "/twice500", twice_500 },
	{ "/busy", busy_once }, { "/busylong", busy_long }, { "/503", always_503 },
	{ "/501", always_501 }, { "/401", always_401 }, { "/resumes", resumes },
	{ "/changes", changes }, { "/changesbadly", changes_badly }, { "/wrongpart", wrong_part },
	{ "/novalidator", no_validator }, { "/416", no_such_range }, { "/cut", always_cut },
	{ "/part", unasked_part }, { "/reset", reset_once }, { "/close", close_once },
	{ "/stall", stalls }, { "/drip", drips }, { "/endless", endless },
	{ "/much", announces_much }, { "/headers", many_headers }, { "/nothttp", not_http },
	{ "/moved", moved }, { "/moved2?x", moved2 }, { "/loop", loops }, { "/tofile", to_file },
	{ "/nowhere", nowhere }, { "/otherhost", to_other_host }, { "/landing", landing },
	{ "/echo", echo }, { "/slow", slow }, { "http://public.example/x", proxied },
};

static const struct http_opts quick = {
	.user_agent = "test/1", .pause_ns = MS, .max_pause_ns = 5 * MS, .stall_ns = 300 * MS,
	.budget_ns = 5000 * MS, .connect_ns = 5000 * MS,
};

static const char *url_of(struct arena *a, const char *path)
{
	return arena_printf(a, "http://127.0.0.1:%d%s", server_port(srv), path);
}

/* GETs a path into a buffer with these options. */
static bool get(const struct http_opts *o, const char *path, struct buf *out, struct err *err)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_http struct http *h = http_new(o, err);

	assert_non_null(h);
	server_reset(srv);
	return http_get(h, url_of(&a, path), &a, out, err);
}

static void check_get(const char *path, const char *want, size_t n, unsigned hits)
{
	auto_buf struct buf out = BUF_INIT(BUF_NOLIMIT);
	auto_err struct err err = ERR_INIT;

	if (!get(&quick, path, &out, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(out.n, n);
	assert_memory_equal(out.p, want, n);
	assert_int_equal(server_hits(srv, path), hits);
}

static void check_failure(const char *path, enum err_kind kind, const char *want, unsigned hits)
{
	auto_buf struct buf out = BUF_INIT(1000000);
	auto_err struct err err = ERR_INIT;

	if (get(&quick, path, &out, &err))
		fail_msg("%s: got %zu bytes", path, out.n);
	assert_int_equal(err.kind, kind);
	if (!strstr(err.msg, want) || !strstr(err.msg, path))
		fail_msg("got  %s\nwant %s", err.msg, want);
	assert_int_equal(server_hits(srv, path), hits);
}

static void plain(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(100);
	auto_http struct http *h = http_new(&quick, &err);
	struct http_req req = { .url = url_of(&a, "/ok"), .to_buf = &out };
	struct http_resp r;

	server_reset(srv);
	buf_adds(&out, "kept ");
	assert_true(http_do(h, &req, &a, &r, &err));
	assert_string_equal(out.p, "kept hello");
	assert_int_equal(r.status, 200);
	assert_int_equal(r.size, 5);
	assert_string_equal(r.url, req.url);
	assert_true(str_is(http_header(&r, "etag"), "\"v1\""));
	assert_true(str_is(http_header(&r, "x-two"), "a b"));
	assert_int_equal(http_header(&r, "none").n, 0);
	assert_true(server_saw(srv, "User-Agent: test/1\r\n"));
	assert_false(server_saw(srv, "Authorization"));
	req = (struct http_req){ .method = HTTP_HEAD, .url = req.url };
	assert_true(http_do(h, &req, &a, &r, &err));
	assert_true(str_is(http_header(&r, "content-length"), "5"));
	assert_int_equal(r.size, 0);
}

static void statuses(unused_arg void **state)
{
	check_get("/twice500", "hello", 5, 3);
	check_get("/reset", "hello", 5, 2);
	check_get("/close", "hello", 5, 2);
	check_failure("/missing", EK_NOTFOUND, "the server answered 404 not found", 1);
	check_failure("/503", EK_NETWORK, "gave up after 5 attempts: the server answered 503", 5);
	check_failure("/501", EK_NETWORK, "the server answered 501", 1);
	check_failure("/401", EK_NETWORK, "hint: credentials come from", 1);
	check_failure("/busylong", EK_NETWORK, "the server answered 503", 1);
	check_failure("/headers", EK_NETWORK, "the answer's header is too large", 1);
	check_failure("/nothttp", EK_NETWORK, "HTTP/0.9", 1);
}

static void retry_after(unused_arg void **state)
{
	int64_t start = tstamp_mono_ns();

	check_get("/busy", "hello", 5, 2);
	assert_true(tstamp_mono_ns() - start >= 900 * MS);
}

static void any_status(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(100);
	auto_http struct http *h = http_new(&quick, &err);
	struct http_req req = { .url = url_of(&a, "/missing"), .to_buf = &out,
		.any_status = true };
	struct http_resp r;

	assert_true(http_do(h, &req, &a, &r, &err));
	assert_int_equal(r.status, 404);
	assert_int_equal(out.n, 0);
	assert_true(str_is(r.error_body, "{\"errors\":1}"));
	assert_true(str_is(http_header(&r, "x-why"), "gone"));
	req.url = url_of(&a, "/503");
	assert_false(http_do(h, &req, &a, &r, &err));
}

static void resuming(unused_arg void **state)
{
	check_get("/resumes", body, BODY, 2);
	assert_true(server_saw(srv, "If-Range: \"v1\"\r\n"));
	check_get("/changes", other, BODY, 2);
	check_get("/changesbadly", other, BODY, 3);
	check_get("/wrongpart", body, BODY, 3);
	check_get("/novalidator", body, BODY, 2);
	check_get("/416", body, BODY, 3);
	check_failure("/cut", EK_NETWORK, "gave up after 5 attempts", 5);
	check_failure("/part", EK_NETWORK, "a part that was not asked for", 1);
}

static void to_file_target(unused_arg void **state)
{
	static const char *const paths[] = { "/resumes", "/wrongpart", "/novalidator" };

	for (size_t i = 0; i < countof(paths); i++) {
		auto_arena struct arena a = ARENA_INIT;
		auto_err struct err err = ERR_INIT;
		auto_buf struct buf got = BUF_INIT(BUF_NOLIMIT);
		auto_http struct http *h = http_new(&quick, &err);
		auto_fd int fd = memfd_create("out", 0);
		struct http_req req = { .url = url_of(&a, paths[i]), .to_fd = fd };
		struct http_resp r;

		server_reset(srv);
		assert_int_equal(write(fd, "head", 4), 4);
		assert_int_equal(ftruncate(fd, 2 * BODY), 0);
		if (!http_do(h, &req, &a, &r, &err))
			fail_msg("%s", err.msg);
		assert_int_equal(lseek(fd, 0, SEEK_CUR), BODY + 4);
		assert_int_equal(lseek(fd, 4, SEEK_SET), 4);
		assert_true(fd_read_all(fd, "out", &got, &err));
		assert_int_equal(got.n, BODY);
		assert_memory_equal(got.p, body, BODY);
	}
}

static bool take(const void *p, size_t n, void *user, unused_arg struct err *err)
{
	buf_add(user, p, n);
	return true;
}

static bool refuse(unused_arg const void *p, unused_arg size_t n, unused_arg void *user,
	struct err *err)
{
	return err_set(err, EK_TRUST, "not what it should be");
}

static void to_sink(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(BUF_NOLIMIT);
	auto_http struct http *h = http_new(&quick, &err);
	struct http_req req = { .url = url_of(&a, "/resumes"), .to_sink = take, .user = &out };
	struct http_resp r;

	server_reset(srv);
	assert_true(http_do(h, &req, &a, &r, &err));
	assert_int_equal(out.n, BODY);
	assert_memory_equal(out.p, body, BODY);
	server_reset(srv);
	req.url = url_of(&a, "/changes");
	assert_false(http_do(h, &req, &a, &r, &err));
	assert_non_null(strstr(err.msg, "cannot be resumed"));
	req.url = url_of(&a, "/novalidator");
	assert_false(http_do(h, &req, &a, &r, &err));
	assert_non_null(strstr(err.msg, "cannot be resumed"));
	req.url = url_of(&a, "/ok");
	req.to_sink = refuse;
	assert_false(http_do(h, &req, &a, &r, &err));
	assert_int_equal(err.kind, EK_TRUST);
}

static void stalling(unused_arg void **state)
{
	static const char *const paths[] = { "/stall", "/drip" };
	struct http_opts o = quick;

	o.attempts = 2;
	for (size_t i = 0; i < countof(paths); i++) {
		auto_buf struct buf out = BUF_INIT(BUF_NOLIMIT);
		auto_err struct err err = ERR_INIT;

		o.stall_ns = i == 0 ? 300 * MS : 1000 * MS;
		assert_false(get(&o, paths[i], &out, &err));
		assert_non_null(strstr(err.msg, "too few bytes within"));
		assert_int_equal(server_hits(srv, paths[i]), 2);
	}
}

/* What a server does not have, or nobody answers for, comes from the next mirror that has it. */
static void mirrors(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	const char *top = arena_strndup(&a, url_of(&a, "/"), strlen(url_of(&a, "/")) - 1);
	const struct {
		const char *list, *url, *want;	/* want NULL: it fails with the status of the last */
	} cases[] = {
		{ arena_printf(&a, "%s/none=%s", top, top), arena_printf(&a, "%s/none/ok", top), "hello" },
		{ arena_printf(&a, "%s/none/=%s/gone/,%s/none=%s/", top, top, top, top),
			arena_printf(&a, "%s/none/ok", top), "hello" },
		{ arena_printf(&a, "http://127.0.0.1:1/x=%s", top), "http://127.0.0.1:1/x/ok", "hello" },
		{ arena_printf(&a, "%s/503=%s/ok", top, top), arena_printf(&a, "%s/503", top), "hello" },
		{ arena_printf(&a, "%s/no=%s", top, top), arena_printf(&a, "%s/none/ok", top), NULL },
		{ arena_printf(&a, "%s/none=%s/gone", top, top), arena_printf(&a, "%s/none/ok", top), NULL },
	};
	for (size_t i = 0; i < countof(cases); i++) {
		auto_buf struct buf out = BUF_INIT(BUF_NOLIMIT);
		auto_err struct err err = ERR_INIT;
		struct http_opts o = quick;
		o.attempts = 2;
		assert_int_equal(setenv("APK_MIRRORS", cases[i].list, 1), 0);
		auto_http struct http *h = http_new(&o, &err);
		assert_non_null(h);
		server_reset(srv);
		bool ok = http_get(h, cases[i].url, &a, &out, &err);
		if (ok != !!cases[i].want)
			fail_msg("case %zu: %s", i, err.msg ? err.msg : "it worked");
		if (ok)
			assert_memory_equal(out.p, cases[i].want, out.n);
		else
			assert_non_null(strstr(err.msg, cases[i].url));	/* the one that was asked for */
	}
	static const char *const malformed[] = { "x", "x=http://a/", "http://a/=http://b c/d", "ftp://a=http://b" };
	for (size_t i = 0; i < countof(malformed); i++) {
		auto_err struct err err = ERR_INIT;
		assert_int_equal(setenv("APK_MIRRORS", malformed[i], 1), 0);
		assert_null(http_new(&quick, &err));
		assert_non_null(strstr(err.msg, "APK_MIRRORS: "));
	}
	assert_int_equal(unsetenv("APK_MIRRORS"), 0);
}

/* Bytes that keep coming do not help, nor do further attempts. */
static void out_of_time(unused_arg void **state)
{
	struct http_opts o = quick;
	auto_buf struct buf out = BUF_INIT(BUF_NOLIMIT);
	auto_err struct err err = ERR_INIT;

	o.stall_ns = 60 * 1000 * MS;
	o.total_ns = 400 * MS;
	assert_false(get(&o, "/drip", &out, &err));
	assert_non_null(strstr(err.msg, "/drip: not done within 0.4 seconds"));
	o.total_ns = 5000 * MS;
	o.pause_ns = o.max_pause_ns = 20000 * MS;
	o.budget_ns = 60000 * MS;
	assert_false(get(&o, "/503", &out, &err));
	assert_non_null(strstr(err.msg, "the server answered 503"));
	assert_int_equal(server_hits(srv, "/503"), 1);
}

static void limits(unused_arg void **state)
{
	static const char *const paths[] = { "/endless", "/much" };

	for (size_t i = 0; i < countof(paths); i++)
		check_failure(paths[i], EK_OTHER,
			"size limit exceeded: limit is 1000000 bytes", 1);
}

static void redirects(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_http struct http *h = http_new(&quick, &err);
	struct http_req req = { .url = url_of(&a, "/moved") };
	struct http_resp r;

	assert_true(http_do(h, &req, &a, &r, &err));
	assert_string_equal(r.url, url_of(&a, "/ok"));
	req.no_redirect = true;
	req.any_status = true;
	assert_true(http_do(h, &req, &a, &r, &err));
	assert_int_equal(r.status, 302);
	assert_true(str_is(http_header(&r, "location"), "moved2?x"));
	check_failure("/loop", EK_NETWORK, "more than 10 redirects", 11);
	check_failure("/tofile", EK_NETWORK, "redirect to 'file://localhost/etc/passwd' refused", 1);
	check_failure("/nowhere", EK_NETWORK, "redirect without a location", 1);
}

static void redirect_rules(unused_arg void **state)
{
	static const struct {
		const char *from, *to;
		bool refused;
	} cases[] = {
		{ "https://a.example/", "https://b.example/", false },
		{ "http://a.example/", "https://a.example/", false },
		{ "https://a.example/", "http://a.example/", true },
		{ "https://a.example/", "ftp://a.example/", true },
		{ "https://a.example/", "https://10.0.0.1/", true },
		{ "https://a.example/", "https://[::1]/", true },
		{ "http://10.0.0.2/", "http://10.0.0.1/", false },
		{ "http://localhost/", "http://127.0.0.1/", false },
	};
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct url from, to;

	for (size_t i = 0; i < countof(cases); i++) {
		assert_true(url_parse(str_of(cases[i].from), &a, &from, &err));
		assert_true(url_parse(str_of(cases[i].to), &a, &to, &err));
		if (!!xfer_redirect_refusal(&from, &to) != cases[i].refused)
			fail_msg("%s to %s", cases[i].from, cases[i].to);
	}
}

/* Credentials of every kind reach their host and no other, nor any message. */
static void secrets(unused_arg void **state)
{
	static const char *const headers[] = { "Cookie: secretcookie", NULL };
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(100);
	struct auth auth = { 0 };
	struct http_opts o = quick;
	auto_http struct http *h = NULL;
	struct http_req req = { .to_buf = &out, .headers = headers };
	struct http_resp r;

	assert_true(auth_add_http_auth(&auth, S("basic:127.0.0.1:me:secretpw"), &a, &err));
	o.auth = &auth;
	h = http_new(&o, &err);
	server_reset(srv);
	req.url = url_of(&a, "/otherhost");
	assert_true(http_do(h, &req, &a, &r, &err));
	assert_string_equal(out.p, "clean");
	assert_true(server_saw(srv, "Authorization: Basic bWU6c2VjcmV0cHc=\r\n"));
	assert_true(server_saw(srv, "Cookie: secretcookie\r\n"));
	assert_null(strstr(r.url, "locpw"));
	server_reset(srv);
	req.anonymous = true;
	req.headers = NULL;
	assert_true(http_do(h, &req, &a, &r, &err));
	assert_false(server_saw(srv, "Authorization"));
	req = (struct http_req){ .url = arena_printf(&a, "http://u:secretpw@127.0.0.1:%d/401",
		server_port(srv)) };
	assert_false(http_do(h, &req, &a, &r, &err));
	assert_true(server_saw(srv, "Authorization: Basic dTpzZWNyZXRwdw==\r\n"));
	assert_null(strstr(err.msg, "secret"));
	req.cred = &(struct auth_cred){ .bearer = S("secrettoken") };
	assert_false(http_do(h, &req, &a, &r, &err));
	assert_true(server_saw(srv, "Authorization: Bearer secrettoken\r\n"));
	assert_null(strstr(err.msg, "secret"));
}

static void sending(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf out = BUF_INIT(BUF_NOLIMIT);
	auto_http struct http *h = http_new(&quick, &err);
	auto_fd int fd = memfd_create("in", 0);
	struct http_req req = { .method = HTTP_PUT, .url = url_of(&a, "/echo"), .to_buf = &out,
		.body = S("text") };
	struct http_resp r;

	server_reset(srv);
	assert_true(http_do(h, &req, &a, &r, &err));
	assert_int_equal(r.status, 201);
	assert_string_equal(out.p, "PUT text");

	assert_int_equal(write(fd, body, BODY), BODY);
	server_reset(srv);
	buf_clear(&out);
	req = (struct http_req){ .method = HTTP_PATCH, .url = req.url, .to_buf = &out,
		.body_fd = fd, .body_off = 10, .body_size = 50000, .repeatable = true };
	assert_true(http_do(h, &req, &a, &r, &err));
	assert_int_equal(out.n, 50006);
	assert_memory_equal(out.p + 6, body + 10, 50000);

	server_reset(srv);
	req = (struct http_req){ .method = HTTP_POST, .url = req.url, .body = S("x") };
	assert_false(http_do(h, &req, &a, &r, &err));
	assert_int_equal(server_hits(srv, "/echo"), 1);
	buf_clear(&out);
	req.body = STR_NONE;
	req.to_buf = &out;
	assert_true(http_do(h, &req, &a, &r, &err));
	assert_string_equal(out.p, "POST ");
	assert_true(server_saw(srv, "Content-Length: 0\r\n"));
	server_reset(srv);
	req = (struct http_req){ .method = HTTP_PATCH, .url = req.url, .body_fd = fd,
		.body_off = BODY - 10, .body_size = 20 };
	assert_false(http_do(h, &req, &a, &r, &err));
	assert_non_null(strstr(err.msg, "cannot be read to its end"));
}

static bool count(struct http_job *job, unused_arg struct err *err)
{
	++*(unsigned *)job->user;
	return true;
}

static void parallel(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct http_opts o = quick;
	auto_http struct http *h = NULL;
	struct http_job jobs[20] = { 0 };
	struct buf out[20];
	unsigned done = 0;

	o.parallel = 4;
	h = http_new(&o, &err);
	server_reset(srv);
	for (size_t i = 0; i < countof(jobs); i++) {
		buf_init(&out[i], 100);
		jobs[i] = (struct http_job){ .done = count, .user = &done,
			.req = { .url = url_of(&a, i == 7 ? "/slow" : "/ok"), .to_buf = &out[i] } };
	}
	assert_true(http_do_all(h, jobs, countof(jobs), &a, &err));
	assert_int_equal(done, countof(jobs));
	assert_true(server_most_at_once(srv) <= 6);
	for (size_t i = 0; i < countof(jobs); i++) {
		assert_true(jobs[i].ok);
		assert_string_equal(out[i].p, "hello");
		buf_clear(&out[i]);
	}
	jobs[3].req.url = url_of(&a, "/missing");
	assert_false(http_do_all(h, jobs, countof(jobs), &a, &err));
	assert_int_equal(err.kind, EK_NOTFOUND);
	assert_false(jobs[3].ok);
	for (size_t i = 0; i < countof(jobs); i++)
		buf_release(&out[i]);
	assert_true(http_do_all(h, jobs, 0, &a, &err));
}

static void refused(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	struct http_opts o = quick;
	auto_http struct http *h = http_new(&o, &err);
	auto_http struct http *off = NULL;
	auto_buf struct buf out = BUF_INIT(100);

	assert_false(http_get(h, "file:///etc/passwd", &a, &out, &err));
	assert_false(http_get(h, "ftp://h/x", &a, &out, &err));
	assert_non_null(strstr(err.msg, "only http and https"));
	assert_false(http_get(h, "http://127.0.0.1:1/x", &a, &out, &err));
	assert_int_equal(err.kind, EK_NETWORK);
	assert_non_null(strstr(err.msg, "gave up after 5 attempts"));
	o.offline = true;
	off = http_new(&o, &err);
	assert_true(http_is_offline(off));
	assert_false(http_get(off, "http://u:pw@127.0.0.1/x", &a, &out, &err));
	assert_string_equal(err.msg,
		"network request blocked in offline mode: GET http://127.0.0.1/x");
	o.ca_file = "/dev/null";
	assert_null(http_new(&o, &err));
	o.ca_file = "/nonexistent";
	assert_null(http_new(&o, &err));
}

static void line_breaks(unused_arg void **state)
{
	static const char *const headers[] = { "A: b\r\nC: d", NULL };
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_http struct http *h = http_new(&quick, &err);
	struct auth_cred cred = { .bearer = S("x\nC: d") };
	struct http_req req = { .url = url_of(&a, "/ok"), .headers = headers };
	struct http_resp r;

	server_reset(srv);
	assert_false(http_do(h, &req, &a, &r, &err));
	req.headers = NULL;
	req.cred = &cred;
	assert_false(http_do(h, &req, &a, &r, &err));
	assert_null(strstr(err.msg, "C: d"));
	assert_int_equal(server_hits(srv, "/ok"), 0);
}

static void through_proxy(unused_arg void **state)
{
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_http struct http *h = http_new(&quick, &err);
	auto_buf struct buf out = BUF_INIT(100);

	assert_int_equal(setenv("http_proxy", url_of(&a, ""), 1), 0);
	assert_false(http_get(h, "http://public.example/x", &a, &out, &err));
	assert_int_equal(unsetenv("http_proxy"), 0);
	assert_non_null(strstr(err.msg, "it leads to a private address"));
}

/* Last: the flag stays set. */
static void interrupted(unused_arg void **state)
{
	auto_buf struct buf out = BUF_INIT(100);
	auto_err struct err err = ERR_INIT;

	proc_interrupts();
	assert_int_equal(raise(SIGINT), 0);
	assert_false(get(&quick, "/slow", &out, &err));
	assert_int_equal(err.kind, EK_CANCELLED);
}

/* Nothing was asked for yet: the library need not be there to say so. */
static void malformed_first(void **state)
{
	(void)state;
	auto_arena struct arena a = ARENA_INIT;
	auto_err struct err err = ERR_INIT;
	auto_buf struct buf got = BUF_INIT(100);
	auto_http struct http *h = http_new(&(struct http_opts){ 0 }, &err);
	assert_non_null(h);
	assert_false(http_get(h, "nonsense", &a, &got, &err));
	assert_non_null(strstr(err.msg, "nonsense"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_first),
		cmocka_unit_test(plain),
		cmocka_unit_test(statuses),
		cmocka_unit_test(retry_after),
		cmocka_unit_test(any_status),
		cmocka_unit_test(resuming),
		cmocka_unit_test(to_file_target),
		cmocka_unit_test(to_sink),
		cmocka_unit_test(stalling),
		cmocka_unit_test(mirrors),
		cmocka_unit_test(out_of_time),
		cmocka_unit_test(limits),
		cmocka_unit_test(redirects),
		cmocka_unit_test(redirect_rules),
		cmocka_unit_test(secrets),
		cmocka_unit_test(sending),
		cmocka_unit_test(parallel),
		cmocka_unit_test(refused),
		cmocka_unit_test(line_breaks),
		cmocka_unit_test(through_proxy),
		cmocka_unit_test(interrupted),
	};
	static const char *const vars[] = { "http_proxy", "https_proxy", "all_proxy",
		"HTTPS_PROXY", "ALL_PROXY", "no_proxy", "NO_PROXY" };
	int failed;

	for (size_t i = 0; i < countof(vars); i++)
		unsetenv(vars[i]);
	for (size_t i = 0; i < BODY; i++) {
		body[i] = (char)('a' + i * 7 % 26 + i / 1000 % 3);
		other[i] = (char)('A' + i * 5 % 26);
	}
	srv = server_start(routes, countof(routes));
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	server_stop(srv);
	return failed;
}
