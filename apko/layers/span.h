#pragma once

#include "shared/rootfs/export.h"

/* The bytes of a planned tar from any place on, without the tar existing anywhere. */

struct span_cursor {
	const struct export_plan *plan;
	size_t entry;		/* plan->n: the end blocks */
	uint64_t off;		/* within header, content and padding of it */
};

/* A stretch of the tar that lies in one place. */
struct span {
	enum { SPAN_BYTES, SPAN_BODY, SPAN_ZEROS } kind;
	uint64_t n;
	const char *bytes;			/* SPAN_BYTES */
	const struct tree_body *body;		/* SPAN_BODY: n bytes of it from `off` on */
	uint64_t off;
};

/* Bytes of an entry's content in the tar; 0 for links and all that is no file. */
uint64_t span_content(const struct export_entry *e);
/* The next stretch, of at most max bytes; n is 0 at the end of the tar. */
struct span span_next(struct span_cursor *c, uint64_t max);
/* Bytes of a stretch; p has room for span->n. */
bool span_read(const struct span *span, void *p, struct err *err) must_check;
/* Up to n bytes into p, fewer only at the end of the tar. */
bool span_fill(struct span_cursor *c, void *p, size_t n, size_t *ret_n, struct err *err) must_check;
