#pragma once

#include <stdbool.h>
#include <stdint.h>
#include "shared/base/arena.h"
#include "shared/base/err.h"
#include "shared/net/http.h"

/* Bodies of URLs kept in a directory, asked for again with If-None-Match and If-Modified-Since.
 * Names come from the SHA-256 of the URL without userinfo, never from the server. Entries appear
 * by rename and are checked (size and digest) each time they are used; one that is damaged is
 * fetched anew. Several processes may share a directory, and anything in it may be deleted at any
 * time. A body that came with neither ETag nor Last-Modified is kept for offline use only. */

struct cache {
	const char *dir;	/* made when needed, mode 0755; NULL: nothing is kept */
	struct http *http;
};

struct cache_job {
	const char *url;
	bool immutable;		/* the content of this URL never changes: no request when kept */
	int64_t max_bytes;	/* as http_req */
	bool optional;		/* that it is not there (404, 410; offline: no entry) is a result */
	/* results */
	int fd;			/* the body, at offset 0; the caller closes. -1 when it failed */
	int64_t size;
	bool from_cache;	/* nothing was transferred */
	bool missing;		/* of an optional one: fd stays -1 */
};

/* One URL: the descriptor of its body or -1. Offline, without an entry:
 * EK_NETWORK `no offline cached entries for 'URL'`. */
int cache_open(struct cache *c, const char *url, bool immutable, struct arena *a,
	struct err *err) must_check;
/* The body in a buffer (bounded by its max). */
bool cache_get(struct cache *c, const char *url, bool immutable, struct arena *a,
	struct buf *ret_body, struct err *err) must_check;
/* Many at once; on failure all descriptors are closed and -1. */
bool cache_open_all(struct cache *c, struct cache_job *jobs, size_t n, struct arena *a,
	struct err *err) must_check;
