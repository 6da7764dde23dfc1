#include "shared/net/http.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "shared/base/tstamp.h"
#include "shared/net/curl_lazy.h"
#include "shared/net/xfer.h"
#include "shared/os/fd.h"
#include "shared/os/proc.h"

#define SEC ((int64_t)1000000000)
#define MAX_CA ((size_t)16 << 20)
#define MAX_WAIT_MS 100	/* between looks at the interrupt flag */

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static const char *no_library;	/* why */

static void load_library(void)
{
	no_library = curl_lazy_load();
	if (!no_library && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		BUG("the network library cannot be initialised");
}

/* Not before the first request: a program may never make one. */
static bool begin(struct http *h, struct err *err)
{
	(void)pthread_once(&curl_once, load_library);
	if (no_library) {
		(void)err_set(err, EK_NETWORK, "no network library: %s", no_library);
		return err_hint(err, "install libcurl (libcurl.so.4)");
	}
	if (!h->multi)
		h->multi = curl_multi_init();
	if (!h->multi)
		BUG("out of memory");
	return true;
}

static int64_t or_default(int64_t given, int64_t def)
{
	return given ? given : def;
}

static struct http_opts with_defaults(const struct http_opts *o)
{
	struct http_opts d = *o;

	d.max_bytes = or_default(o->max_bytes, (int64_t)2 << 30);
	d.attempts = o->attempts ? o->attempts : 5;
	d.parallel = o->parallel ? o->parallel : 16;
	d.pause_ns = or_default(o->pause_ns, SEC);
	d.max_pause_ns = or_default(o->max_pause_ns, 30 * SEC);
	d.budget_ns = or_default(o->budget_ns, 180 * SEC);
	d.connect_ns = or_default(o->connect_ns, 30 * SEC);
	d.stall_ns = or_default(o->stall_ns, 60 * SEC);
	d.total_ns = or_default(o->total_ns, 1800 * SEC);
	return d;
}

/* The certificates the library would trust by itself, and those of the extra file. */
static bool load_ca(struct http *h, const char *extra, struct err *err)
{
	auto_buf struct buf own = BUF_INIT(MAX_CA);
	auto_err struct err ignored = ERR_INIT;
	CURL *easy = curl_easy_init();
	char *path = NULL;

	if (!easy)
		BUG("out of memory");
	const char *given = getenv("SSL_CERT_FILE");
	(void)curl_easy_getinfo(easy, CURLINFO_CAINFO, &path);
	if (given && *given)
		path = (char *)given;
	buf_init(&h->ca, MAX_CA * 2);
	if (path && file_read(path, &own, &ignored))
		buf_addstr(&h->ca, buf_str(&own));
	curl_easy_cleanup(easy);
	buf_clear(&own);
	if (!file_read(extra, &own, err))
		return err_wrap(err, "certificates");
	if (str_find(buf_str(&own), S("-----BEGIN CERTIFICATE-----")) < 0)
		return err_set(err, EK_PARSE, "'%s' holds no PEM certificate", extra);
	buf_addc(&h->ca, '\n');
	buf_addstr(&h->ca, buf_str(&own));
	return true;
}

struct http *http_new(const struct http_opts *o, struct err *err)
{
	auto_http struct http *h = calloc(1, sizeof(*h));
	struct http *made;

	if (!h)
		BUG("out of memory");
	h->o = with_defaults(o);
	h->user_agent = strdup(o->user_agent ? o->user_agent : "");
	if (!h->user_agent)
		BUG("out of memory");
	if (!mirrors_parse(str_of(getenv("APK_MIRRORS")), &h->arena, &h->mirrors, err))
		return NULL;
	if (o->ca_file && !(begin(h, err) && load_ca(h, o->ca_file, err)))
		return NULL;
	made = h;
	h = NULL;
	return made;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	if (h->multi)
		curl_multi_cleanup(h->multi);
	buf_release(&h->ca);
	arena_release(&h->arena);
	free(h->user_agent);
	free(h);
}

void http_freep(struct http **h)
{
	http_free(*h);
	*h = NULL;
}

bool http_is_offline(const struct http *h)
{
	return h->o.offline;
}

struct str http_header(const struct http_resp *r, const char *name)
{
	for (size_t i = 0; i < r->n_headers; i++)
		if (str_is(r->headers[i].name, name))
			return r->headers[i].value;
	return STR_NONE;
}

/* One run of jobs. */
struct run {
	struct http *http;
	struct xfer *x;
	size_t n;
	size_t first;	/* all before it are done */
	size_t running;
};

static bool start_ready(struct run *r, int64_t now, struct err *err)
{
	for (size_t i = r->first; i < r->n && r->running < r->http->o.parallel; i++) {
		struct xfer *x = &r->x[i];

		if (x->state != XFER_WAITING || x->start_at > now)
			continue;
		if (!xfer_start(x, now, err))
			return false;
		if (curl_multi_add_handle(r->http->multi, x->easy) != CURLM_OK)
			BUG("the network library refused a request");
		r->running++;
	}
	return true;
}

static bool end_one(struct run *r, struct xfer *x, CURLcode code, struct err *err)
{
	(void)curl_multi_remove_handle(r->http->multi, x->easy);
	r->running--;
	x->state = XFER_WAITING;
	if (!xfer_end(x, code, tstamp_mono_ns(), err))
		return false;
	while (r->first < r->n && r->x[r->first].state == XFER_DONE)
		r->first++;
	return x->state != XFER_DONE || !x->job->done || x->job->done(x->job, err);
}

static bool reap(struct run *r, struct err *err)
{
	struct CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(r->http->multi, &left))) {
		CURLcode code = msg->data.result;
		char *x = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &x);
		if (!end_one(r, (struct xfer *)(void *)x, code, err))
			return false;
	}
	return true;
}

static bool end_stalled(struct run *r, int64_t now, struct err *err)
{
	int64_t total = r->http->o.total_ns;

	for (size_t i = r->first; i < r->n; i++) {
		struct xfer *x = &r->x[i];
		bool late = x->begun_at && now - x->begun_at > total;

		if (x->state != XFER_RUNNING || !(late || xfer_stalled(x, now)))
			continue;
		if (late)
			(void)err_set(&x->fail, EK_NETWORK, "not done within %.1f seconds",
				(double)total / (double)SEC);
		(void)snprintf(x->detail, sizeof(x->detail), "too few bytes within %.1f seconds",
			(double)r->http->o.stall_ns / (double)SEC);
		if (!end_one(r, x, CURLE_OPERATION_TIMEDOUT, err))
			return false;
	}
	return true;
}

/* Until the next start is due, or long enough. */
static int wait_ms(const struct run *r, int64_t now)
{
	int64_t ms = MAX_WAIT_MS;

	if (r->running == r->http->o.parallel)
		return (int)ms;
	for (size_t i = r->first; i < r->n; i++) {
		int64_t left = (r->x[i].start_at - now) / 1000000 + 1;

		if (r->x[i].state == XFER_WAITING && left < ms)
			ms = left > 0 ? left : 0;
	}
	return (int)ms;
}

static bool run_all(struct run *r, struct err *err)
{
	int still;

	if (r->first < r->n && !begin(r->http, err))
		return false;
	while (r->first < r->n) {
		if (!proc_check(err) || !start_ready(r, tstamp_mono_ns(), err))
			return false;
		if (curl_multi_perform(r->http->multi, &still) != CURLM_OK)
			return err_set(err, EK_NETWORK, "the network library failed");
		if (!reap(r, err) || !end_stalled(r, tstamp_mono_ns(), err))
			return false;
		if (r->first < r->n)
			(void)curl_multi_poll(r->http->multi, NULL, 0,
				wait_ms(r, tstamp_mono_ns()), NULL);
	}
	return true;
}

bool http_do_all(struct http *h, struct http_job *jobs, size_t n, struct arena *a,
	struct err *err)
{
	struct run r = { .http = h, .n = n, .x = calloc(n ? n : 1, sizeof(struct xfer)) };
	bool ok = true;

	if (!r.x)
		BUG("out of memory");
	for (size_t i = 0; i < n && ok; i++) {
		jobs[i].ok = false;
		ok = xfer_init(&r.x[i], h, &jobs[i], a, err);
	}
	ok = ok && run_all(&r, err);
	for (size_t i = 0; i < n; i++) {
		if (r.x[i].state == XFER_RUNNING)
			(void)curl_multi_remove_handle(h->multi, r.x[i].easy);
		xfer_release(&r.x[i]);
	}
	free(r.x);
	return ok;
}

bool http_do(struct http *h, const struct http_req *req, struct arena *a,
	struct http_resp *ret_resp, struct err *err)
{
	struct http_job job = { .req = *req };

	if (!http_do_all(h, &job, 1, a, err))
		return false;
	*ret_resp = job.resp;
	return true;
}

bool http_get(struct http *h, const char *url, struct arena *a, struct buf *ret_body,
	struct err *err)
{
	struct http_req req = { .url = url, .to_buf = ret_body };
	struct http_resp resp;

	return http_do(h, &req, a, &resp, err);
}
