#pragma once

#include <curl/curl.h>
#include "shared/base/vec.h"
#include "shared/net/http.h"
#include "shared/net/mirror.h"
#include "shared/net/target.h"
#include "shared/net/url.h"

/* One request on its way: attempts, redirects, what has arrived. Driven by http.c, which owns the
 * multi handle. */

struct http {
	CURLM *multi;
	struct http_opts o;	/* defaults filled in */
	char *user_agent;	/* owned */
	struct arena arena;
	struct mirrors mirrors;
	struct buf ca;		/* PEM of all trusted certificates, empty: the library's own */
};

enum xfer_state { XFER_WAITING, XFER_RUNNING, XFER_DONE };

struct xfer {
	struct http *http;
	struct http_job *job;
	struct arena *arena;
	enum xfer_state state;
	int64_t start_at;	/* while waiting: monotonic ns */
	int64_t begun_at;	/* the first start, 0 before it */

	CURL *easy;
	struct curl_slist *headers;
	char detail[CURL_ERROR_SIZE];
	struct url first;	/* asked for */
	struct url base, url;	/* the same or on a mirror; where redirects led from there */
	size_t mirror;		/* the next one to try */
	unsigned attempt, redirects;
	int64_t paused;		/* ns spent between attempts */

	/* the answer under way */
	VEC(struct http_header) got;
	size_t got_bytes;
	bool body_begun;
	bool again_whole;	/* what came back cannot be joined to what is there */
	struct buf error_body;
	int64_t sent;		/* of the request's body */
	struct err fail;	/* set by callbacks: no further attempt */

	struct target target;
	struct str validator;	/* strong ETag or date of what the target holds */
	int64_t total;		/* whole size as announced, -1 unknown */

	int64_t window_start;	/* of the stall check */
	int64_t window_bytes;
};

bool xfer_init(struct xfer *x, struct http *h, struct http_job *job, struct arena *a,
	struct err *err) must_check;
void xfer_release(struct xfer *x);
/* Makes the easy handle for the next attempt; the caller adds it to the multi handle. */
bool xfer_start(struct xfer *x, int64_t now, struct err *err) must_check;
/* The transfer ended (removed from the multi handle): decides between done (the job is filled),
 * waiting for another start, and failure. */
bool xfer_end(struct xfer *x, CURLcode code, int64_t now, struct err *err) must_check;
/* Too little moved for too long. */
bool xfer_stalled(struct xfer *x, int64_t now);
