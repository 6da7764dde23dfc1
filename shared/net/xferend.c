#include "shared/net/xferend.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "shared/base/log.h"

#define MAX_REDIRECTS 10
#define SEC ((int64_t)1000000000)

bool xfer_failed(const struct xfer *x, struct err *err)
{
	return err_wrap(err, "%s %s", xfer_method(x), url_text(&x->first, x->arena));
}

static const char *status_name(long status)
{
	static const struct {
		long status;
		const char *name;
	} names[] = {
		{ 400, "bad request" }, { 401, "unauthorized" }, { 403, "forbidden" },
		{ 404, "not found" }, { 408, "request timeout" }, { 410, "gone" },
		{ 416, "range not satisfiable" }, { 429, "too many requests" },
		{ 500, "internal server error" }, { 501, "not implemented" },
		{ 502, "bad gateway" }, { 503, "service unavailable" },
		{ 504, "gateway timeout" },
	};

	for (size_t i = 0; i < countof(names); i++)
		if (names[i].status == status)
			return names[i].name;
	return "";
}

/* The library's words for a failure, without what they may quote of a proxy's URL. */
static void describe(const struct xfer *x, CURLcode code, struct err *err)
{
	auto_arena struct arena scratch = ARENA_INIT;
	bool usable = x->detail[0] && !strchr(x->detail, '@');
	char *text = arena_strdup(&scratch, usable ? x->detail : curl_easy_strerror(code));

	if (text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a' && text[1] <= 'z')
		text[0] |= 0x20;
	for (char *p = text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = ' ';
	(void)err_set(err, EK_NETWORK, "%s", text);
}

static void describe_status(const struct xfer *x, long status, struct err *err)
{
	const char *name = status_name(status);
	bool gone = status == 404 || status == 410;

	(void)err_set(err, gone ? EK_NOTFOUND : EK_NETWORK, "the server answered %ld%s%s", status,
		*name ? " " : "", name);
	if (status == 401 || status == 403)
		(void)err_hint(err, "%s", x->job->req.cred ? "the credentials were not accepted" :
			"credentials come from the URL, HTTP_AUTH or the netrc file");
}

/* Attempts a failure of this kind is worth; 1: none further. */
static unsigned code_attempts(const struct xfer *x, CURLcode code)
{
	unsigned all = x->http->o.attempts;

	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return all < 3 ? all : 3;
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
		return all;
	default:
		return 1;
	}
}

/* A request that may have taken effect is only repeated when that does no harm. */
static bool may_repeat(const struct xfer *x, CURLcode code, long status)
{
	enum http_method m = x->job->req.method;

	return (m != HTTP_POST && m != HTTP_PATCH) || x->job->req.repeatable ||
		code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT ||
		status == 429 || status == 503;
}

/* The next pause: doubling, up to a maximum, spread so that many do not come back at once. */
static int64_t pause_of(const struct xfer *x)
{
	const struct http_opts *o = &x->http->o;
	int64_t pause = o->pause_ns;
	unsigned char noise = 128;

	for (unsigned i = 1; i < x->attempt && pause < o->max_pause_ns; i++)
		pause *= 2;
	if (pause > o->max_pause_ns)
		pause = o->max_pause_ns;
	if (getrandom(&noise, 1, GRND_NONBLOCK) != 1)
		noise = 128;
	return pause - pause / 8 + pause / 4 / 256 * noise;
}

/* The last word of this server: on to a mirror, or it is a failure. */
static bool give_up(struct xfer *x, struct err *err)
{
	bool asks = x->job->req.method == HTTP_GET || x->job->req.method == HTTP_HEAD;

	if (!asks || !mirrors_next(&x->http->mirrors, &x->first, &x->mirror, x->arena, &x->base))
		return xfer_failed(x, err);
	log_warn("%s %s: %s; asking the mirror %s", xfer_method(x), url_text(&x->url, x->arena),
		err->msg, url_origin(&x->base, x->arena));
	err_release(err);
	x->url = x->base;
	x->validator = STR_NONE;
	x->redirects = x->attempt = 0;
	x->paused = 0;
	x->state = XFER_WAITING;
	x->start_at = 0;
	return target_restart(&x->target, err) || xfer_failed(x, err);
}

/* Another attempt after a pause, unless there were enough; err holds why this one failed. */
static bool try_again(struct xfer *x, unsigned attempts, int64_t asked, int64_t now,
	struct err *err)
{
	int64_t pause;

	x->attempt++;
	pause = asked > 0 ? asked : pause_of(x);
	if (x->attempt >= attempts || x->paused + pause > x->http->o.budget_ns ||
		now + pause - x->begun_at > x->http->o.total_ns) {
		if (x->attempt > 1)
			(void)err_wrap(err, "gave up after %u attempts", x->attempt);
		return give_up(x, err);
	}
	log_debug("%s %s: %s, trying again in %" PRId64 " ms", xfer_method(x),
		url_text(&x->first, x->arena), err->msg, pause / 1000000);
	err_release(err);
	x->paused += pause;
	x->url = x->base;
	x->redirects = 0;
	x->state = XFER_WAITING;
	x->start_at = now + pause;
	return true;
}

static bool is_redirect(const struct xfer *x, long status)
{
	bool sends = x->job->req.method != HTTP_GET && x->job->req.method != HTTP_HEAD;

	if (x->job->req.no_redirect)
		return false;
	return status == 307 || status == 308 ||
		(!sends && (status == 301 || status == 302 || status == 303));
}

const char *xfer_redirect_refusal(const struct url *from, const struct url *to)
{
	if (!str_is(to->scheme, "https") && !str_is(to->scheme, "http"))
		return "only http and https are followed";
	if (str_is(from->scheme, "https") && !str_is(to->scheme, "https"))
		return "it leaves https";
	if (url_is_private(to) && !url_is_private(from) && !str_is(from->host, "localhost"))
		return "it leads to a private address";
	return NULL;
}

static bool redirect(struct xfer *x, struct err *err)
{
	struct str location = xfer_header(x, "location");
	const char *why;
	struct url to;

	if (location.n == 0)
		return err_set(err, EK_NETWORK, "redirect without a location");
	if (x->redirects++ == MAX_REDIRECTS)
		return err_set(err, EK_NETWORK, "more than %d redirects", MAX_REDIRECTS);
	if (!url_join(&x->url, location, x->arena, &to, err))
		return err_wrap(err, "redirect");
	why = xfer_redirect_refusal(&x->url, &to);
	if (why)
		return err_set(err, EK_NETWORK, "redirect to '%s' refused: %s",
			url_text(&to, x->arena), why);
	x->url = to;
	x->state = XFER_WAITING;
	x->start_at = 0;
	return true;
}

static bool succeed(struct xfer *x, long status, struct err *err)
{
	struct http_resp *r = &x->job->resp;

	if (!target_finish(&x->target, err))
		return xfer_failed(x, err);
	*r = (struct http_resp){ .status = status, .url = url_text(&x->url, x->arena),
		.headers = x->got.v, .n_headers = x->got.n, .size = x->target.got,
		.error_body = arena_str(x->arena, buf_str(&x->error_body)) };
	x->job->ok = true;
	x->state = XFER_DONE;
	return true;
}

static int64_t retry_after(const struct xfer *x, long status)
{
	curl_off_t sec = 0;

	if (status != 429 && status != 503)
		return 0;
	(void)curl_easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &sec);
	return sec <= 0 ? 0 : sec > 86400 ? 86400 * SEC : (int64_t)sec * SEC;
}

static bool is_transient(long status)
{
	return status == 408 || status == 429 || status == 499 ||
		(status >= 500 && status != 501 && status != 505);
}

/* Answers the caller takes as results. */
static bool is_wanted(const struct xfer *x, long status)
{
	if (status >= 200 && status <= 299)
		return true;
	if (status == 304 && (xfer_asks(x, "if-none-match") || xfer_asks(x, "if-modified-since")))
		return true;
	if (x->job->req.missing_ok && (status == 404 || status == 410))
		return true;
	return x->job->req.any_status && status < 500 && !is_transient(status);
}

static bool end_status(struct xfer *x, int64_t now, struct err *err)
{
	long status = xfer_status(x);
	bool transient = is_transient(status);

	if (status == 416 && x->target.got > 0) {
		x->validator = STR_NONE;
		describe_status(x, status, err);
		return try_again(x, x->http->o.attempts, 0, now, err);
	}
	if (is_redirect(x, status))
		return redirect(x, err) || xfer_failed(x, err);
	if (is_wanted(x, status))
		return succeed(x, status, err);
	describe_status(x, status, err);
	if (transient && may_repeat(x, CURLE_OK, status))
		return try_again(x, x->http->o.attempts, retry_after(x, status), now, err);
	return status == 404 || status == 410 || status >= 500 ? give_up(x, err)
							       : xfer_failed(x, err);
}

bool xfer_end(struct xfer *x, CURLcode code, int64_t now, struct err *err)
{
	if (x->fail.kind != EK_NONE) {
		(void)err_move(err, &x->fail);
		return xfer_failed(x, err);
	}
	if (x->again_whole) {
		x->validator = STR_NONE;
		(void)err_set(err, EK_NETWORK, "the content changed while it was read");
		return try_again(x, x->http->o.attempts, 0, now, err);
	}
	if (code == CURLE_OK)
		return end_status(x, now, err);
	describe(x, code, err);
	if (!may_repeat(x, code, 0))
		return xfer_failed(x, err);
	return try_again(x, code_attempts(x, code), 0, now, err);
}
