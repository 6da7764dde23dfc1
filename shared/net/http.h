#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include "shared/base/arena.h"
#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/net/auth.h"

/* The one HTTP client: http and https, nothing else. Connection failures, broken bodies and the
 * statuses 408, 429 and 5xx (not 501, 505) are tried again with growing pauses, or as Retry-After
 * says; a body that broke off is resumed with Range when the server gave an ETag or a date to
 * hold it to, else begun again. At most 10 redirects; never from https to http, never to a private
 * address from a public one, and credentials stay with the host they are for. Proxies come from
 * the environment; so do mirrors (mirror.h). One thread per client.
 *
 * Errors name the URL without its userinfo. Kinds: EK_NOTFOUND (404, 410), EK_CANCELLED
 * (interrupted), EK_NETWORK otherwise, and what a sink or a file write set. */

struct http;
#define auto_http cleanup_with(http_freep)

/* Zero values take the defaults given. */
struct http_opts {
	const char *user_agent;		/* "apko/1.2"; copied */
	const char *ca_file;		/* PEM, trusted besides the system's, which SSL_CERT_FILE
					 * and SSL_CERT_DIR replace */
	bool offline;			/* every request fails */
	const struct auth *auth;	/* borrowed; NULL: only userinfo of URLs */
	int64_t max_bytes;		/* of a body: 2 GiB; negative: no limit */
	unsigned attempts;		/* 5 */
	unsigned parallel;		/* 16 requests at once */
	int64_t pause_ns, max_pause_ns;	/* between attempts: 1 s, doubling up to 30 s */
	int64_t budget_ns;		/* all pauses of one request: 3 min */
	int64_t connect_ns;		/* 30 s */
	int64_t stall_ns;		/* without enough bytes moving: 60 s */
	int64_t total_ns;		/* one request with all its attempts and pauses: 30 min */
};

struct http *http_new(const struct http_opts *o, struct err *err) must_check;
void http_free(struct http *h);
void http_freep(struct http **h);
bool http_is_offline(const struct http *h);

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_PUT, HTTP_POST, HTTP_PATCH, HTTP_DELETE };

struct http_req {
	enum http_method method;
	const char *url;
	const char *const *headers;	/* "Name: value", ends with NULL; NULL: none */
	const struct auth_cred *cred;	/* instead of what auth has for the host */
	bool anonymous;			/* no credentials at all */
	/* What is sent: a text, or body_size bytes of a file from body_off (body_fd > 0). */
	struct str body;
	int body_fd;
	int64_t body_off, body_size;
	/* Where the body of a 2xx answer goes: one of these, or none (dropped). A file gets it at its
	 * present offset, which must be seekable, and is cut where the body ends. */
	struct buf *to_buf;
	int to_fd;			/* > 0 */
	bool (*to_sink)(const void *p, size_t n, void *user, struct err *err);
	void *user;
	int64_t max_bytes;		/* 0: the client's; negative: no limit */
	bool no_redirect;		/* 3xx are answers like others */
	bool any_status;		/* 3xx and 4xx (not 408, 429) are results, not errors. A
					 * 304 to a conditional request always is one */
	bool missing_ok;		/* 404 and 410 are results, not errors */
	bool repeatable;		/* POST and PATCH may be sent again after they may have arrived */
};

struct http_header {
	struct str name, value;	/* name in lower case */
};
/* Arena memory. */
struct http_resp {
	long status;
	char *url;		/* after redirects, without userinfo */
	struct http_header *headers;
	size_t n_headers;
	int64_t size;		/* bytes delivered */
	struct str error_body;	/* of an answer that is not 2xx, at most 64 KiB */
};
/* First header of that (lower-case) name, empty if none. */
struct str http_header(const struct http_resp *r, const char *name);

bool http_do(struct http *h, const struct http_req *req, struct arena *a,
	struct http_resp *ret_resp, struct err *err) must_check;
/* GET into a buffer. */
bool http_get(struct http *h, const char *url, struct arena *a, struct buf *ret_body,
	struct err *err) must_check;

struct http_job {
	struct http_req req;
	struct http_resp resp;	/* filled when ok */
	bool ok;
	/* Called as the job succeeds, others still running; false (err set) stops all. May be NULL. */
	bool (*done)(struct http_job *job, struct err *err);
	void *user;
};
/* Runs all, a bounded number at a time, started in order. The first failure stops the others. */
bool http_do_all(struct http *h, struct http_job *jobs, size_t n, struct arena *a,
	struct err *err) must_check;
