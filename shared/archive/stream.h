#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "shared/base/buf.h"
#include "shared/base/err.h"
#include "shared/crypto/digest.h"

/* Bytes pulled from a source, bytes pushed into a sink. Both are a struct of one or two functions
 * embedded as first member of what implements them. Failing is sticky: after the first failure
 * every call fails. */

struct source {
	/* Up to n bytes (n > 0) into p; 0 at the end, -1 with err set. */
	ssize_t (*read)(struct source *s, void *p, size_t n, struct err *err);
};
struct sink {
	bool (*write)(struct sink *s, const void *p, size_t n, struct err *err);
};

static inline ssize_t source_read(struct source *s, void *p, size_t n, struct err *err)
{
	return s->read(s, p, n, err);
}
static inline bool sink_write(struct sink *s, const void *p, size_t n, struct err *err)
{
	return s->write(s, p, n, err);
}
/* Exactly n bytes, else EK_PARSE "unexpected end of NAME". */
bool source_read_full(
	struct source *s, void *p, size_t n, const char *name, struct err *err) must_check;
bool source_skip(struct source *s, uint64_t n, const char *name, struct err *err) must_check;
/* To the end, bounded by buf->max. */
bool source_read_all(
	struct source *s, const char *name, struct buf *out, struct err *err) must_check;
bool source_copy(struct source *from, struct sink *to, struct err *err) must_check;

struct mem_source {
	struct source src;
	struct str rest;
};
void mem_source_init(struct mem_source *s, struct str bytes);

/* A file range, read by pread, unbuffered; the descriptor is borrowed. A file that ends before
 * the range does is an error. */
struct fd_source {
	struct source src;
	int fd;
	off_t at, end;
	const char *name;
	bool failed;
};
void fd_source_init(struct fd_source *s, int fd, off_t at, off_t end, const char *name);

struct buf_sink {
	struct sink sink;
	struct buf *out;
};
void buf_sink_init(struct buf_sink *s, struct buf *out);
struct fd_sink {
	struct sink sink;
	int fd;
	const char *name;
	uint64_t n; /* bytes written */
	bool failed;
};
void fd_sink_init(struct fd_sink *s, int fd, const char *name);
/* Hashes and counts what passes; `next` may be NULL. The digest is the caller's to finish and to
 * release; init takes the struct for uninitialised. */
struct hash_sink {
	struct sink sink;
	struct sink *next;
	struct digest d;
	uint64_t n;
};
void hash_sink_init(struct hash_sink *s, enum digest_alg alg, struct sink *next);
/* Fails with "size limit exceeded: limit is N bytes" once more than `limit` has been read. */
struct limit_source {
	struct source src;
	struct source *from;
	uint64_t left, limit;
	const char *name;
	bool failed;
};
void limit_source_init(
	struct limit_source *s, struct source *from, uint64_t limit, const char *name);
