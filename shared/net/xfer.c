#include "shared/net/xfer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "shared/base/num.h"
#include "shared/net/xferend.h"

#define MAX_HEADER_BYTES ((size_t)64 << 10)
#define MAX_HEADERS 200
#define MAX_ERROR_BODY ((size_t)64 << 10)
#define MIN_RATE 16	/* bytes per second, below which a transfer is stalled */

static const char *const method_names[] = { "GET", "HEAD", "PUT", "POST", "PATCH", "DELETE" };

const char *xfer_method(const struct xfer *x)
{
	return method_names[x->job->req.method];
}

long xfer_status(const struct xfer *x)
{
	long status = 0;

	(void)curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

struct str xfer_header(const struct xfer *x, const char *name)
{
	for (size_t i = 0; i < x->got.n; i++)
		if (str_is(x->got.v[i].name, name))
			return x->got.v[i].value;
	return STR_NONE;
}

bool xfer_asks(const struct xfer *x, const char *name)
{
	const struct http_req *req = &x->job->req;
	size_t n = strlen(name);

	for (size_t i = 0; req->headers && req->headers[i]; i++)
		if (strncasecmp(req->headers[i], name, n) == 0 && req->headers[i][n] == ':')
			return true;
	return false;
}

/* Header lines of the caller's and a token go out as they are: none may hold another line. */
static bool check_lines(const struct http_req *req, struct err *err)
{
	struct str bearer = req->cred ? req->cred->bearer : STR_NONE;

	if (str_chr(bearer, '\n') >= 0 || str_chr(bearer, '\r') >= 0)
		return err_set(err, EK_USAGE, "line break in a token");
	for (size_t i = 0; req->headers && req->headers[i]; i++)
		if (strpbrk(req->headers[i], "\r\n"))
			return err_set(err, EK_USAGE, "line break in a request header");
	return true;
}

bool xfer_init(struct xfer *x, struct http *h, struct http_job *job, struct arena *a,
	struct err *err)
{
	int64_t limit = job->req.max_bytes ? job->req.max_bytes : h->o.max_bytes;

	*x = (struct xfer){ .http = h, .job = job, .arena = a, .total = -1,
		.error_body = BUF_INIT(MAX_ERROR_BODY) };
	if (!url_parse(str_of(job->req.url), a, &x->first, err))
		return false;
	if (!str_is(x->first.scheme, "http") && !str_is(x->first.scheme, "https"))
		return err_set(err, EK_USAGE, "cannot fetch '%s': only http and https are supported",
			url_text(&x->first, a));
	x->base = x->url = x->first;
	if (h->o.offline)
		return err_set(err, EK_NETWORK, "network request blocked in offline mode: %s %s",
			method_names[job->req.method], url_text(&x->first, a));
	return check_lines(&job->req, err) && target_init(&x->target, &job->req, limit, err);
}

static void drop_handle(struct xfer *x)
{
	if (x->easy)	/* else the library may not be loaded */
		curl_easy_cleanup(x->easy);
	if (x->headers)
		curl_slist_free_all(x->headers);
	x->easy = NULL;
	x->headers = NULL;
}

void xfer_release(struct xfer *x)
{
	drop_handle(x);
	buf_release(&x->error_body);
	err_release(&x->fail);
}

static struct str lower_copy(struct arena *a, struct str s)
{
	char *p = arena_strndup(a, s.p, s.n);

	for (size_t i = 0; i < s.n; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] |= 0x20;
	return str_n(p, s.n);
}

/* What a later part can be held to: a strong ETag or the date of the last change. */
static struct str validator_of(const struct xfer *x)
{
	struct str etag = xfer_header(x, "etag");

	if (etag.n > 0 && !str_starts(etag, S("W/")))
		return etag;
	return xfer_header(x, "last-modified");
}

static int64_t content_length(const struct xfer *x)
{
	int64_t n;

	return num_i64(xfer_header(x, "content-length"), &n) && n >= 0 ? n : -1;
}

/* A part continues the body when it starts where that ends and belongs to the same whole. */
static bool continues(const struct xfer *x)
{
	struct str range = xfer_header(x, "content-range"), from, to, total;
	struct str validator = validator_of(x);
	uint64_t start, size;

	if (!str_skip(&range, S("bytes ")) || !str_cut(range, '/', &range, &total) ||
		!str_cut(range, '-', &from, &to) || !num_u64(from, 10, &start) ||
		start != (uint64_t)x->target.got)
		return false;
	if (validator.n > 0 && !str_eq(validator, x->validator))
		return false;
	return x->total < 0 || (num_u64(total, 10, &size) && size == (uint64_t)x->total);
}

bool xfer_begin_body(struct xfer *x)
{
	bool partial = xfer_status(x) == 206;

	if (x->body_begun)
		return true;
	x->body_begun = true;
	if (partial && x->target.got > 0) {
		x->again_whole = !continues(x);
		return !x->again_whole;
	}
	if (partial && !xfer_asks(x, "range"))
		return err_set(&x->fail, EK_NETWORK, "the server sent a part that was not asked for");
	if (!target_restart(&x->target, &x->fail))
		return false;
	x->validator = xfer_asks(x, "range") ? STR_NONE : validator_of(x);
	x->total = content_length(x);
	return x->job->req.method == HTTP_HEAD || target_expect(&x->target, x->total, &x->fail);
}

/* A body that must not come is refused before it starts. */
static bool end_of_header(struct xfer *x)
{
	long status = xfer_status(x);

	return status < 200 || status > 299 || xfer_begin_body(x);
}

/* A header line. A status line begins a new answer (after 100 or a proxy's own). */
static size_t on_header(char *p, unused_arg size_t one, size_t n, void *user)
{
	struct xfer *x = user;
	struct str line = str_trim(str_n(p, n)), name, value;
	struct http_header h;

	x->window_bytes += (int64_t)n;
	if (str_starts(line, S("HTTP/"))) {
		x->got.n = 0;
		x->got_bytes = 0;
		return n;
	}
	if (line.n == 0)
		return end_of_header(x) ? n : 0;
	if (!str_cut(line, ':', &name, &value))
		return n;
	x->got_bytes += n;
	if (x->got_bytes > MAX_HEADER_BYTES || x->got.n == MAX_HEADERS) {
		(void)err_set(&x->fail, EK_NETWORK, "the answer's header is too large");
		return 0;
	}
	h.name = lower_copy(x->arena, str_trim(name));
	h.value = arena_str(x->arena, str_trim(value));
	vec_push(x->arena, &x->got, h);
	return n;
}

static size_t on_body(char *p, unused_arg size_t one, size_t n, void *user)
{
	struct xfer *x = user;
	long status = xfer_status(x);

	x->window_bytes += (int64_t)n;
	if (status < 200 || status > 299) {
		buf_add(&x->error_body, p, n);
		return n;
	}
	return xfer_begin_body(x) && target_write(&x->target, p, n, &x->fail) ? n : 0;
}

static size_t on_send(char *p, unused_arg size_t one, size_t n, void *user)
{
	struct xfer *x = user;
	const struct http_req *req = &x->job->req;
	int64_t size = req->body_fd > 0 ? req->body_size : (int64_t)req->body.n;
	ssize_t got;

	if ((int64_t)n > size - x->sent)
		n = (size_t)(size - x->sent);
	if (req->body_fd > 0) {
		got = pread(req->body_fd, p, n, req->body_off + x->sent);
		if (got < 0 || (got == 0 && n > 0)) {
			(void)err_set(&x->fail, EK_OTHER, "the file to send cannot be read to its end");
			return CURL_READFUNC_ABORT;
		}
		n = (size_t)got;
	} else if (n > 0) {
		memcpy(p, req->body.p + x->sent, n);
	}
	x->sent += (int64_t)n;
	x->window_bytes += (int64_t)n;
	return n;
}

static int on_seek(void *user, curl_off_t off, int whence)
{
	struct xfer *x = user;

	if (whence != SEEK_SET)
		return CURL_SEEKFUNC_CANTSEEK;
	x->sent = off;
	return CURL_SEEKFUNC_OK;
}

static void add_header(struct xfer *x, const char *line)
{
	struct curl_slist *list = curl_slist_append(x->headers, line);

	if (!list)
		BUG("out of memory");
	x->headers = list;
}

/* Whether a URL may see what is meant for another: the same server, or the same host
 * gone from http to https on the usual ports. */
static bool is_home(const struct url *of, const struct url *u)
{
	return url_same_origin(of, u) ||
		(str_eq(of->host, u->host) && url_port(of) == 80 &&
			str_is(u->scheme, "https") && url_port(u) == 443);
}

static bool is_secret_header(const char *line)
{
	static const char *const names[] = { "authorization:", "cookie:", "proxy-authorization:" };

	for (size_t i = 0; i < countof(names); i++)
		if (strncasecmp(line, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static void add_auth(struct xfer *x)
{
	const struct http_req *req = &x->job->req;
	struct auth_cred cred;
	char *value = NULL;

	if (req->anonymous || !is_home(&x->base, &x->url))
		return;
	if (!req->cred && auth_for(x->http->o.auth, &x->base, &cred))
		value = auth_header(&cred, x->arena);
	else if (req->cred && is_home(&x->first, &x->url))
		value = auth_header(req->cred, x->arena);
	if (value)
		add_header(x, arena_printf(x->arena, "Authorization: %s", value));
}

/* Goes on behind what is there; If-Range makes a server that has something else send it whole. */
static void add_range(struct xfer *x)
{
	if (x->target.got == 0)
		return;
	add_header(x, arena_printf(x->arena, "Range: bytes=%" PRId64 "-", x->target.got));
	add_header(x, arena_printf(x->arena, "If-Range: %.*s", STR_ARG(x->validator)));
}

static void add_headers(struct xfer *x)
{
	const struct http_req *req = &x->job->req;

	for (size_t i = 0; req->headers && req->headers[i]; i++)
		if (is_home(&x->first, &x->url) || !is_secret_header(req->headers[i]))
			add_header(x, req->headers[i]);
	add_auth(x);
	add_range(x);
	/* a wait for "100 Continue" costs a second with servers that do not know it */
	add_header(x, "Expect:");
	(void)curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers);
}

static void set_method(struct xfer *x)
{
	const struct http_req *req = &x->job->req;
	int64_t size = req->body_fd > 0 ? req->body_size : (int64_t)req->body.n;
	bool sends = req->method == HTTP_PUT || req->method == HTTP_POST ||
		req->method == HTTP_PATCH;

	if (req->method == HTTP_HEAD) {
		(void)curl_easy_setopt(x->easy, CURLOPT_NOBODY, 1L);
	} else if (sends) {
		(void)curl_easy_setopt(x->easy, CURLOPT_UPLOAD, 1L);
		(void)curl_easy_setopt(x->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)size);
		(void)curl_easy_setopt(x->easy, CURLOPT_READFUNCTION, on_send);
		(void)curl_easy_setopt(x->easy, CURLOPT_READDATA, x);
		(void)curl_easy_setopt(x->easy, CURLOPT_SEEKFUNCTION, on_seek);
		(void)curl_easy_setopt(x->easy, CURLOPT_SEEKDATA, x);
	}
	if (req->method == HTTP_DELETE || (sends && req->method != HTTP_PUT))
		(void)curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, xfer_method(x));
}

/* The library's own program looks at these variables; the library does not. */
static void set_from_env(struct xfer *x, const char *name, CURLoption option)
{
	const char *value = getenv(name);

	if (value && *value)
		(void)curl_easy_setopt(x->easy, option, value);
}

static void set_connection(struct xfer *x)
{
	const struct http *h = x->http;
	struct curl_blob ca = { h->ca.p, h->ca.n, CURL_BLOB_NOCOPY };

	(void)curl_easy_setopt(x->easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(x->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl_easy_setopt(x->easy, CURLOPT_FOLLOWLOCATION, 0L);
	(void)curl_easy_setopt(x->easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	(void)curl_easy_setopt(x->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	(void)curl_easy_setopt(x->easy, CURLOPT_PATH_AS_IS, 1L);
	(void)curl_easy_setopt(x->easy, CURLOPT_HTTP09_ALLOWED, 0L);
	(void)curl_easy_setopt(x->easy, CURLOPT_USERAGENT, h->user_agent);
	(void)curl_easy_setopt(x->easy, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(h->o.connect_ns / 1000000));
	(void)curl_easy_setopt(x->easy, CURLOPT_BUFFERSIZE, 128L << 10);
	if (ca.len > 0)
		(void)curl_easy_setopt(x->easy, CURLOPT_CAINFO_BLOB, &ca);
	else
		set_from_env(x, "SSL_CERT_FILE", CURLOPT_CAINFO);
	set_from_env(x, "SSL_CERT_DIR", CURLOPT_CAPATH);
}

static void set_callbacks(struct xfer *x)
{
	(void)curl_easy_setopt(x->easy, CURLOPT_PRIVATE, x);
	(void)curl_easy_setopt(x->easy, CURLOPT_ERRORBUFFER, x->detail);
	(void)curl_easy_setopt(x->easy, CURLOPT_HEADERFUNCTION, on_header);
	(void)curl_easy_setopt(x->easy, CURLOPT_HEADERDATA, x);
	(void)curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x);
}

bool xfer_start(struct xfer *x, int64_t now, struct err *err)
{
	drop_handle(x);
	if (!x->begun_at)
		x->begun_at = now;
	x->easy = curl_easy_init();
	if (!x->easy)
		BUG("out of memory");
	x->detail[0] = '\0';
	x->got.n = 0;
	x->got_bytes = 0;
	x->sent = 0;
	x->body_begun = x->again_whole = false;
	buf_clear(&x->error_body);
	if (x->target.got > 0 && x->validator.n == 0 && !target_restart(&x->target, err))
		return xfer_failed(x, err);
	set_connection(x);
	set_callbacks(x);
	set_method(x);
	add_headers(x);
	if (curl_easy_setopt(x->easy, CURLOPT_URL, url_text(&x->url, x->arena)) != CURLE_OK)
		BUG("out of memory");
	x->state = XFER_RUNNING;
	x->window_start = now;
	x->window_bytes = 0;
	return true;
}

bool xfer_stalled(struct xfer *x, int64_t now)
{
	int64_t age = now - x->window_start;
	int64_t enough = age / 1000000000 * MIN_RATE + 1;

	if (age < x->http->o.stall_ns)
		return false;
	if (x->window_bytes < enough)
		return true;
	x->window_start = now;
	x->window_bytes = 0;
	return false;
}
